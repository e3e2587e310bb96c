import { describe, expect, test } from '@jest/globals';
import { betaBinomialDifference } from '../../../src/statistics/index.ts';
import { armOf, type ExperimentWorld, experimentOf, reportOf, revisionOf } from './experiment-world.ts';
import { NOW_MS } from './report-world.ts';

const EVEN = { v1: 0.5, v3: 0.5 };
const THREE = ['v1', 'v2', 'v3'].map((name) => ({ name, version: name, weight: 1 }));

async function verdictOf(world: ExperimentWorld) {
  return (await reportOf(world)).verdict;
}

describe('the verdict', () => {
  test('says by how much an arm is certainly better', async () => {
    const verdict = await verdictOf({
      totals: [armOf('v1', 2_000, 400), armOf('v3', 2_000, 900)],
      revisions: revisionOf(EVEN, { v1: 2_000, v3: 2_000 }),
    });

    const { lower, upper } = betaBinomialDifference({
      baseline: { n: 2_000, sum: 400 },
      arm: { n: 2_000, sum: 900 },
      alpha: 0.05,
    });
    expect(verdict).toEqual({
      state: 'better',
      arm: 'v3',
      text: `v3 is better than v1 by ${lower.toFixed(2)} to ${upper.toFixed(2)}; safe to act.`,
      comparisons: [{ arm: 'v3', state: 'better', moreOutcomes: 0 }],
    });
  });

  test('turns around for a metric that should be small', async () => {
    const totals = [armOf('v1', 2_000, 400), armOf('v3', 2_000, 900)];
    const verdict = await verdictOf({ totals, metric: { optimize: 'min' } });

    expect(verdict).toMatchObject({ state: 'worse', arm: 'v3' });
    expect(verdict.text).toMatch(
      /^v3 is worse than v1 by 0\.\d\d to 0\.\d\d \(less is better\); safe to drop it\.$/,
    );
  });

  test('names the best arm first, then the worse ones, then what is still open', async () => {
    const verdict = await verdictOf({
      experiments: [experimentOf({ arms: [...THREE, { name: 'v4', version: 'v4', weight: 1 }] })],
      totals: [armOf('v1', 900, 450), armOf('v2', 900, 90), armOf('v3', 900, 810), armOf('v4', 900, 470)],
    });

    expect(verdict).toMatchObject({ state: 'better', arm: 'v3' });
    expect(verdict.text).toMatch(
      /^v3 is better than v1 by .*; safe to act\. v2 is worse than v1 by .*; safe to drop it\. v4 is not certain yet: about \d+ more outcomes at this rate\.$/,
    );
    expect(verdict.comparisons.map(({ arm, state }) => [arm, state])).toEqual([
      ['v2', 'worse'],
      ['v3', 'better'],
      ['v4', 'no_difference_yet'],
    ]);
  });

  test('forecasts how many outcomes are missing, right to two digits', async () => {
    const verdict = await verdictOf({ totals: [armOf('v1', 50, 15), armOf('v3', 50, 25)] });

    expect(verdict).toMatchObject({ state: 'no_difference_yet', arm: null });
    const found =
      /^Not certain yet: about (\d+) more outcomes at this rate \(v3 is ahead of v1 by 0\.20, -0\.\d\d to 0\.\d\d\)\.$/.exec(
        verdict.text,
      );
    const more = Number(found?.[1]);
    expect(verdict.comparisons[0]?.moreOutcomes).toBe(more);
    const isCertainAt = (outcomes: number): boolean =>
      betaBinomialDifference({
        arm: { n: outcomes / 2, sum: outcomes / 4 },
        baseline: { n: outcomes / 2, sum: 0.15 * outcomes },
        alpha: 0.05,
      }).lower > 0;
    expect(isCertainAt(100 + more * 1.05)).toBe(true);
    expect(isCertainAt(100 + more * 0.95)).toBe(false);
  });

  test.each([
    [25, 15, /\(v3 is behind v1 by 0\.20, -0\.\d\d to 0\.\d\d\)/],
    [25, 25, /too close to say how many more outcomes it takes \(v3 is level with v1, -0\.\d\d to 0\.\d\d\)/],
  ])('says who is behind, and when nothing can be forecast (%i to %i of 50)', async (base, arm, text) => {
    expect((await verdictOf({ totals: [armOf('v1', 50, base), armOf('v3', 50, arm)] })).text).toMatch(text);
  });

  test('concludes nothing while units do not arrive as they should', async () => {
    const report = await reportOf({
      totals: [armOf('v1', 2_000, 400), armOf('v3', 1_500, 900)],
      revisions: revisionOf(EVEN, { v1: 2_000, v3: 1_500 }),
    });

    expect(report.sampleRatio.alarm).toBe(true);
    expect(report.verdict).toMatchObject({ state: 'assignment_broken', arm: null, comparisons: [] });
    expect(report.verdict.text).toMatch(/^Assignment is broken: do not read the rewards\./);
  });

  test('sends whoever would act to the warnings first', async () => {
    const { text } = await verdictOf({
      totals: [armOf('v1', 2_000, 400), armOf('v3', 2_000, 900, { degraded: 500 })],
    });

    expect(text).toMatch(/; read the warnings before you act\.$/);
  });

  test('does not conclude from rewards off the scale', async () => {
    const verdict = await verdictOf({
      totals: [
        armOf('v1', 2_000, 400),
        armOf('v3', 2_000, 0, { outcomes: { n: 2_000, sum: 90_000, sumOfSquares: 9_000_000 } }),
      ],
    });

    expect(verdict).toMatchObject({
      state: 'no_difference_yet',
      comparisons: [{ arm: 'v3', state: 'no_difference_yet', moreOutcomes: null }],
    });
  });

  test.each([
    ['nothing is mature', [], 'No data: no outcome of completed is mature yet.'],
    [
      'only the baseline has rewards',
      [armOf('v1', 10, 2)],
      'No data to compare: of the arms only v1 has mature outcomes of completed.',
    ],
    [
      'the baseline has none',
      [armOf('v3', 10, 2)],
      'No data to compare with: the baseline v1 has no mature outcome of completed yet.',
    ],
  ])('says so when %s', async (_name, totals, text) => {
    expect(await verdictOf({ totals })).toEqual({ state: 'no_data', text, arm: null, comparisons: [] });
  });

  test('says when an experiment begins that has not', async () => {
    const startMs = NOW_MS + 1_000;

    expect(await verdictOf({ experiments: [experimentOf({ startMs })] })).toMatchObject({
      state: 'not_started',
      text: `Not started: every call gets v1 until ${new Date(startMs).toISOString()}.`,
    });
  });

  test('stands after the stop', async () => {
    expect(
      await verdictOf({
        experiments: [experimentOf({ stopMs: NOW_MS - 1 })],
        totals: [armOf('v1', 2_000, 400), armOf('v3', 2_000, 900)],
      }),
    ).toMatchObject({ state: 'better' });
  });
});
