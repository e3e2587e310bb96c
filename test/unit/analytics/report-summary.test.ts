import { describe, expect, test } from '@jest/globals';
import { betaBinomialDifference } from '../../../src/statistics/index.ts';
import { configOf, runReport, totalsOf, zeroOrOne } from './report-world.ts';

const arm = (version: string, n: number, sum: number) =>
  totalsOf(version, { delivered: n, outcomes: zeroOrOne(n, sum) });

async function summaryOf(
  totals: readonly ReturnType<typeof arm>[],
  options: { readonly optimize?: 'max' | 'min'; readonly from?: string } = {},
): Promise<string> {
  const { report } = await runReport(
    {
      totals,
      versions: totals.map(({ promptVersion }) => promptVersion),
      config: configOf({ metrics: { completed: { type: 'boolean', optimize: options.optimize ?? 'max' } } }),
    },
    { from: options.from ?? null },
  );
  return report.summary;
}

describe('the sentence', () => {
  test('names certain differences, the best version first', async () => {
    expect(await summaryOf([arm('v1', 500, 100), arm('v2', 500, 20), arm('v3', 500, 300)])).toMatch(
      /^v3 earns more than v1: \+0\.40 \(\+0\.\d\d to \+0\.\d\d\); v2 earns less than v1: -0\.16 \(-0\.\d\d to -0\.\d+\) \(completed\)\.$/,
    );
  });

  test('turns better around for a metric that should be small', async () => {
    expect(await summaryOf([arm('v1', 500, 300), arm('v2', 500, 100)], { optimize: 'min' })).toMatch(
      /^v2 is below v1, and less is better: -0\.40 \(/,
    );
    expect(await summaryOf([arm('v1', 500, 100), arm('v2', 500, 300)], { optimize: 'min' })).toMatch(
      /^v2 is above v1, and less is better: \+0\.40 \(/,
    );
  });

  test('claims nothing while 0 is inside, and says how far it is', async () => {
    const sentence = await summaryOf([arm('v1', 50, 15), arm('v2', 50, 25)]);

    const found =
      /^No difference from v1 is certain yet, the largest is v2 with \+0\.20 \(-0\.\d+ to \+0\.\d+\) \(completed\); if the means stay as they are, about (\d+) more outcomes of the two would settle it\.$/.exec(
        sentence,
      );
    const more = Number(found?.[1]);
    const excludesZero = (outcomes: number): boolean =>
      betaBinomialDifference({
        arm: { n: outcomes / 2, sum: outcomes / 4 },
        baseline: { n: outcomes / 2, sum: 0.15 * outcomes },
        alpha: 0.05,
      }).lower > 0;
    // Two significant digits: 5 % either way.
    expect(excludesZero(100 + more * 1.05)).toBe(true);
    expect(excludesZero(100 + more * 0.95)).toBe(false);
  });

  test('does not forecast what is too far away', async () => {
    const half = { n: 10, sum: 5 };
    const width = betaBinomialDifference({ arm: half, baseline: half, alpha: 0.05 }).upper.toFixed(2);

    expect(await summaryOf([arm('v1', 10, 5), arm('v2', 10, 5)])).toBe(
      `No difference from v1 is certain yet, the largest is v2 with 0.00 (-${width} to +${width}) (completed).`,
    );
  });

  test('says so when nothing is mature', async () => {
    expect(await summaryOf([arm('v1', 0, 0), arm('v2', 0, 0)])).toBe(
      'No outcome of completed is mature yet.',
    );
  });

  test('says which side is missing', async () => {
    expect(await summaryOf([arm('v1', 5, 1), arm('v2', 0, 0)])).toBe(
      'Only v1 has mature outcomes of completed so far, there is nothing to compare it with.',
    );
    expect(await summaryOf([arm('v1', 0, 0), arm('v2', 5, 1)])).toBe(
      'The baseline v1 has no mature outcome of completed yet, there is nothing to compare with.',
    );
  });

  test('calls a chosen window descriptive', async () => {
    expect(await summaryOf([arm('v1', 500, 100), arm('v2', 500, 300)], { from: '2026-11-01' })).toMatch(
      /^In the chosen window, descriptive only: v2 earns more than v1/,
    );
  });

  test('shows enough decimals to keep a small end on its side of 0', async () => {
    const sentence = await summaryOf([arm('v1', 1_000_000, 1_000), arm('v2', 1_000_000, 1_400)]);

    expect(sentence).toMatch(/^v2 earns more than v1: \+0\.00040 \(\+0\.0000[1-9] to \+0\.000\d\d\)/);
  });
});
