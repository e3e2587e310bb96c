import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { evidenceBand } from '../../../src/dashboard/experiments/evidence-band.ts';
import { timeAxis, timePercent } from '../../../src/dashboard/experiments/time-axis.ts';
import { weightBars } from '../../../src/dashboard/experiments/weight-bars.ts';

const BEGIN_MS = Date.UTC(2026, 10, 20);
const HOUR_MS = 3_600_000;
const at = (hours: number): string => new Date(BEGIN_MS + hours * HOUR_MS).toISOString();

describe('the axis of time', () => {
  test('goes from the first moment to the last, whatever their order', () => {
    const axis = timeAxis([BEGIN_MS + 4 * HOUR_MS, BEGIN_MS, BEGIN_MS + 2 * HOUR_MS]);

    expect(axis).toMatchObject({ beginMs: BEGIN_MS, endMs: BEGIN_MS + 4 * HOUR_MS });
    expect(axis?.ticks.map(({ atMs }) => atMs)).toEqual([0, 2, 4].map((hours) => BEGIN_MS + hours * HOUR_MS));
    expect(axis?.ticks[0]?.text).toContain('00:00');
  });

  test('names days where there are many', () => {
    expect(timeAxis([BEGIN_MS, BEGIN_MS + 10 * 24 * HOUR_MS])?.ticks.map(({ text }) => text)).toEqual([
      '20 Nov',
      '25 Nov',
      '30 Nov',
    ]);
  });

  test.each([[[]], [[BEGIN_MS]], [[BEGIN_MS, BEGIN_MS]], [[Number.NaN, Number.NaN]]])(
    'is none where time does not pass: %j',
    (moments) => {
      expect(timeAxis(moments)).toBeNull();
    },
  );
});

/** Four hours from the begin. */
const AXIS = { beginMs: BEGIN_MS, endMs: BEGIN_MS + 4 * HOUR_MS, ticks: [] };

describe('chances of arms over time', () => {
  test('stand one upon the other, each until the next revision', () => {
    const revisions = [
      {
        first_unit_at: at(0),
        arms: [
          { arm: 'b', propensity: 0.75 },
          { arm: 'a', propensity: 0.25 },
        ],
      },
      { first_unit_at: at(1), arms: [{ arm: 'a', propensity: 1 }] },
    ];

    expect(weightBars(revisions, ['a', 'b'], AXIS)).toEqual([
      { arm: 'a', left: 0, width: 25, top: 0, height: 25, share: 0.25 },
      { arm: 'b', left: 0, width: 25, top: 25, height: 75, share: 0.75 },
      { arm: 'a', left: 25, width: 75, top: 0, height: 100, share: 1 },
    ]);
  });

  test('leave out revisions that no time passed under, and unknown chances', () => {
    const revisions = [
      { first_unit_at: at(1), arms: [{ arm: 'a', propensity: 1 }] },
      { first_unit_at: at(1), arms: [{ arm: 'a', propensity: null }] },
    ];

    expect(weightBars(revisions, ['a'], AXIS)).toEqual([]);
  });

  test('never leave the picture', () => {
    const moment = fc.nat(4 * HOUR_MS).map((ms) => new Date(BEGIN_MS + ms).toISOString());

    fc.assert(
      fc.property(
        fc.array(moment, { minLength: 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (moments, share) => {
          const arms = [
            { arm: 'a', propensity: share },
            { arm: 'b', propensity: 1 - share },
          ];
          const revisions = moments.sort().map((first_unit_at) => ({ first_unit_at, arms }));
          for (const bar of weightBars(revisions, ['a', 'b'], AXIS)) {
            expect(bar.left).toBeGreaterThanOrEqual(0);
            expect(bar.left + bar.width).toBeLessThanOrEqual(100 + 1e-9);
            expect(bar.top + bar.height).toBeLessThanOrEqual(100 + 1e-9);
          }
        },
      ),
    );
  });
});

describe('the band of an arm', () => {
  const percent = (value: number): number => value * 100;

  test('runs along the upper ends and back along the lower ones', () => {
    const points = [
      { until: at(0), mean: 0.5, lower: 0.1, upper: 0.9 },
      { until: at(4), mean: 0.5, lower: 0.4, upper: 0.6 },
    ];

    expect(evidenceBand(points, AXIS, percent)).toEqual({
      area: 'M0 10L100 40L100 60L0 90Z',
      line: 'M0 50L100 50',
    });
  });

  test('is none without two means', () => {
    const silent = { until: at(0), mean: null, lower: 0, upper: 1 };

    expect(evidenceBand([silent, { ...silent, until: at(4), mean: 0.5 }], AXIS, percent)).toBeNull();
  });
});

test('a moment stands where it belongs', () => {
  expect(timePercent(BEGIN_MS + HOUR_MS, AXIS)).toBe(25);
});
