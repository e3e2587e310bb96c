import { describe, expect, test } from '@jest/globals';
import type { ArmCell } from '../../../src/analytics/index.ts';
import { HOUR_MS } from '../../../src/kernel/index.ts';
import { betaBinomialDifference, betaBinomialInterval } from '../../../src/statistics/index.ts';
import { reportsOf } from './experiment-world.ts';
import { NOW_MS } from './report-world.ts';

const DAY_MS = 24 * HOUR_MS;

/** Units of one step, all of them with a reward. */
function cellOf(arm: string, beginMs: number, units: number, sum: number): ArmCell {
  const rewards = { n: units, sum, sumOfSquares: sum };
  return { arm, beginMs, units, closedUnits: units, outcomes: rewards, closedOutcomes: rewards };
}

describe('the history of an experiment', () => {
  test('adds up the units step by step, with the interval of each total', async () => {
    const first = NOW_MS - 10 * DAY_MS;
    const cells = [
      cellOf('v1', first, 40, 8),
      cellOf('v3', first, 40, 20),
      cellOf('v3', first + DAY_MS, 60, 30),
    ];

    const history = await reportsOf({ cells: () => cells }).experimentHistory('tips', 'day');

    expect(history).toMatchObject({ by: 'day', baseline: 'v1', confidence: 0.95 });
    expect(history.arms.map(({ arm, points }) => [arm, points.map(({ units }) => units)])).toEqual([
      ['v1', [40, 40]],
      ['v3', [40, 100]],
    ]);
    expect(history.arms[1]?.points[1]).toEqual({
      until: new Date(first + 2 * DAY_MS).toISOString(),
      units: 100,
      mature: 100,
      mean: 0.5,
      ...betaBinomialInterval({ n: 100, sum: 50, alpha: 0.05 }),
      difference: {
        difference: 0.3,
        confidence: 0.95,
        ...betaBinomialDifference({ baseline: { n: 40, sum: 8 }, arm: { n: 100, sum: 50 }, alpha: 0.05 }),
      },
    });
  });

  test('ends where the report stands: the same mean and the same interval', async () => {
    const totals = { errors: 0, degraded: 0, fallbacks: 0 };
    const cells = [cellOf('v1', NOW_MS - 3 * HOUR_MS, 30, 6), cellOf('v1', NOW_MS - 2 * HOUR_MS, 50, 9)];
    const rewards = { n: 80, sum: 15, sumOfSquares: 15 };
    const reports = reportsOf({
      totals: [
        {
          arm: 'v1',
          units: 80,
          calls: 80,
          closedUnits: 80,
          outcomes: rewards,
          closedOutcomes: rewards,
          ...totals,
        },
      ],
      cells: () => cells,
    });

    const [reported] = (await reports.experimentReport('tips')).arms;
    const last = (await reports.experimentHistory('tips', 'hour')).arms[0]?.points.at(-1);

    expect(last).toMatchObject({ mean: reported?.mean, lower: reported?.lower, upper: reported?.upper });
  });

  test.each([
    [7, 'hour'],
    [8, 'day'],
  ])('shows %i days by the %s unless asked otherwise', async (days, by) => {
    const cells = (stepMs: number) =>
      Array.from({ length: (days * DAY_MS) / stepMs }, (_, index) =>
        cellOf('v1', NOW_MS - days * DAY_MS + index * stepMs, 1, 1),
      );

    const history = await reportsOf({ cells }).experimentHistory('tips', null);

    expect(history.by).toBe(by);
  });

  test('answers at most 200 points, the newest among them', async () => {
    const beginMs = NOW_MS - 999 * HOUR_MS;
    const cells = Array.from({ length: 999 }, (_, index) => cellOf('v1', beginMs + index * HOUR_MS, 1, 0));

    const points = (await reportsOf({ cells: () => cells }).experimentHistory('tips', 'hour')).arms[0]
      ?.points;

    expect(points?.length).toBeLessThanOrEqual(200);
    expect(points?.at(-1)).toMatchObject({ units: 999, until: new Date(NOW_MS).toISOString() });
  });

  test('never promises the future: the running step ends now', async () => {
    const history = await reportsOf({
      cells: () => [cellOf('v1', NOW_MS - HOUR_MS, 5, 1)],
    }).experimentHistory('tips', 'day');

    expect(history.arms[0]?.points[0]?.until).toBe(new Date(NOW_MS).toISOString());
  });

  test('waits for closed windows where silence counts as zero', async () => {
    const open: ArmCell = {
      ...cellOf('v1', NOW_MS - HOUR_MS, 20, 10),
      closedUnits: 0,
      closedOutcomes: { n: 0, sum: 0, sumOfSquares: 0 },
    };

    const history = await reportsOf({
      metric: { missing: 'zero' },
      cells: () => [cellOf('v1', NOW_MS - 30 * DAY_MS, 10, 4), open],
    }).experimentHistory('tips', 'day');

    expect(history.arms[0]?.points.at(-1)).toMatchObject({ units: 30, mature: 10, mean: 0.4 });
  });

  test('shows an arm that only traffic knows, after the others and compared with nothing', async () => {
    const cells = [cellOf('old', NOW_MS - 2 * DAY_MS, 9, 3), cellOf('v1', NOW_MS - 2 * DAY_MS, 9, 3)];

    const { arms } = await reportsOf({ cells: () => cells }).experimentHistory('tips', 'day');

    expect(arms.map(({ arm, promptVersion }) => [arm, promptVersion])).toEqual([
      ['v1', 'v1'],
      ['v3', 'v3'],
      ['old', null],
    ]);
    expect(arms[2]?.points[0]?.difference).toBeNull();
  });

  test('refuses an experiment that does not exist, naming the known ones', async () => {
    await expect(reportsOf({}).experimentHistory('nope', null)).rejects.toMatchObject({
      code: 'experiment_not_found',
      details: { known: ['tips'] },
    });
  });
});
