import { describe, expect, test } from '@jest/globals';
import { HOUR_MS, hourOf } from '../../../src/kernel/index.ts';
import { betaBinomialDifference, betaBinomialInterval } from '../../../src/statistics/index.ts';
import { armOf, experimentOf, reportOf, reportsOf, revisionOf, snapshotOf } from './experiment-world.ts';
import { NOW_MS } from './report-world.ts';

const EVEN = { v1: 0.5, v3: 0.5 };

describe('an experiment report', () => {
  test('states every arm with its interval and its difference to the baseline', async () => {
    const report = await reportOf({
      totals: [armOf('v1', 100, 20), armOf('v3', 120, 60)],
      revisions: revisionOf(EVEN, { v1: 100, v3: 120 }),
      snapshot: snapshotOf({ v1: 0.1, v3: 0.9 }),
    });

    expect(report).toMatchObject({
      experiment: 'tips',
      prompt: 'tip',
      state: 'running',
      baseline: 'v1',
      policyRevision: 'tips-7',
      comparisons: 1,
      warnings: [],
    });
    expect(report.arms).toMatchObject([
      {
        arm: 'v1',
        promptVersion: 'v1',
        propensity: 0.1,
        units: 100,
        expectedUnits: 110,
        mature: 100,
        pending: 0,
        mean: 0.2,
        method: 'beta-binomial confidence sequence',
        confidence: 0.95,
        ...betaBinomialInterval({ n: 100, sum: 20, alpha: 0.05 }),
        difference: null,
      },
      {
        arm: 'v3',
        propensity: 0.9,
        expectedUnits: 110,
        mean: 0.5,
        difference: {
          difference: 0.3,
          method: 'union bound of two beta-binomial confidence sequences',
          ...betaBinomialDifference({
            baseline: { n: 100, sum: 20 },
            arm: { n: 120, sum: 60 },
            alpha: 0.05,
          }),
        },
      },
    ]);
  });

  test('splits alpha over the arms of the definition, with traffic or without', async () => {
    const arms = ['v1', 'v2', 'v3', 'v4'].map((name) => ({ name, version: name, weight: 1 }));
    const report = await reportOf({
      experiments: [experimentOf({ arms })],
      totals: [armOf('v1', 100, 20), armOf('v3', 100, 60)],
    });

    expect(report.comparisons).toBe(3);
    expect(report.arms.find(({ arm }) => arm === 'v3')?.difference).toMatchObject(
      betaBinomialDifference({
        baseline: { n: 100, sum: 20 },
        arm: { n: 100, sum: 60 },
        alpha: 0.05 / 3,
      }),
    );
    expect(report.arms.find(({ arm }) => arm === 'v2')).toMatchObject({ units: 0, mean: null, calls: 0 });
  });

  test('waits for the window where silence counts as 0, and takes observed rewards only where it does not', async () => {
    const totals = [
      armOf('v1', 100, 30, {
        outcomes: { n: 50, sum: 30, sumOfSquares: 30 },
        closedOutcomes: { n: 40, sum: 25, sumOfSquares: 25 },
        closedUnits: 80,
      }),
    ];

    const zero = await reportOf({ totals, metric: { missing: 'zero' } });
    const exclude = await reportOf({ totals });

    expect(zero.arms[0]).toMatchObject({ mature: 80, pending: 20, mean: 25 / 80 });
    expect(exclude.arms[0]).toMatchObject({ mature: 50, pending: 10, mean: 0.6 });
  });

  test('asks for hours whose window is closed at their end', async () => {
    const reports = reportsOf({ metric: { attribution_window_hours: 24 } });
    await reports.experimentReport('tips');

    expect(reports.queries).toEqual([
      { experiment: 'tips', metric: 'completed', closedBeforeMs: hourOf(NOW_MS - 24 * HOUR_MS) },
    ]);
  });

  test('shows shares of all calls, failures and repeats included', async () => {
    const { arms, warnings } = await reportOf({
      totals: [armOf('v1', 100, 20, { calls: 200, errors: 10, degraded: 30, fallbacks: 40 })],
      revisions: revisionOf(EVEN, { v1: 100 }),
    });

    expect(arms[0]).toMatchObject({ errorShare: 0.05, degradedShare: 0.15, fallbackShare: 0.2 });
    expect(warnings.map(({ code, arm }) => [code, arm])).toEqual([
      ['degraded_traffic', 'v1'],
      ['failed_traffic', 'v1'],
    ]);
  });

  test('shows traffic of arms the definition lacks, and compares them with nothing', async () => {
    const { arms, warnings, comparisons } = await reportOf({
      totals: [armOf('v1', 10, 2), armOf('gone', 10, 9)],
    });

    expect(arms.map(({ arm }) => arm)).toEqual(['v1', 'v3', 'gone']);
    expect(arms[2]).toMatchObject({ promptVersion: null, propensity: null, difference: null, mean: 0.9 });
    expect(comparisons).toBe(1);
    expect(warnings).toContainEqual(expect.objectContaining({ code: 'unknown_arm', arm: 'gone' }));
  });

  test('says that units of several definitions are mixed, and which were not checked', async () => {
    const { warnings, policyRevisions, sampleRatio } = await reportOf({
      totals: [armOf('v1', 20, 2), armOf('v3', 25, 2)],
      revisions: [
        ...revisionOf(EVEN, { v1: 10, v3: 10 }, { firstAtMs: 2, policyRevision: 'tips-2' }),
        ...revisionOf({ v1: 1 / 3, v3: 2 / 3 }, { v1: 5, v3: 10 }, { experimentRevision: 'sha256:zero' }),
        ...revisionOf({}, { v1: 5, v3: 5 }, { firstAtMs: 1, policyRevision: 'lost' }),
      ],
    });

    expect(warnings.map(({ code }) => code)).toEqual(['several_definitions', 'unchecked_units']);
    expect(warnings[1]?.message).toMatch(/^10 units /);
    expect(sampleRatio.units).toBe(35);
    expect(policyRevisions.map(({ policyRevision }) => policyRevision)).toEqual(['tips-1', 'lost', 'tips-2']);
    expect(policyRevisions[0]?.arms).toEqual([
      { arm: 'v1', propensity: 1 / 3, units: 5 },
      { arm: 'v3', propensity: 2 / 3, units: 10 },
    ]);
  });

  test('does not show the probabilities of another definition as in force', async () => {
    const { arms, policyRevision } = await reportOf({
      snapshot: { ...snapshotOf(EVEN), experimentRevision: 'sha256:zero' },
    });

    expect(policyRevision).toBeNull();
    expect(arms.map(({ propensity }) => propensity)).toEqual([null, null]);
  });

  test('refuses an unknown name and says which are known', async () => {
    await expect(reportsOf({}).experimentReport('tip')).rejects.toMatchObject({
      code: 'experiment_not_found',
      message: 'There is no experiment "tip". Did you mean tips? Known experiments: tips.',
      details: { known: ['tips'] },
    });
  });
});

describe('the list', () => {
  test('holds every experiment by name, with its state', () => {
    const experiments = [
      experimentOf({ name: 'later', startMs: NOW_MS + 1 }),
      experimentOf({ name: 'done', stopMs: NOW_MS }),
      experimentOf({ name: 'now', startMs: NOW_MS, stopMs: NOW_MS + 1 }),
    ];

    expect(reportsOf({ experiments }).list()).toMatchObject([
      { experiment: 'done', state: 'stopped', stop: new Date(NOW_MS).toISOString(), start: null },
      { experiment: 'later', state: 'not_started' },
      { experiment: 'now', state: 'running', arms: [{ arm: 'v1', promptVersion: 'v1', weight: 1 }, {}] },
    ]);
  });
});
