import { describe, expect, test } from '@jest/globals';
import { propensityTiltEvidence, sampleRatio } from '../../../src/analytics/experiment-sample-ratio.ts';
import type { RevisionUnits } from '../../../src/analytics/index.ts';
import { type Random, seededRandom } from '../../../src/kernel/index.ts';
import { chooseByWeights, foldCounts, sequentialSampleRatio } from '../../../src/statistics/index.ts';
import { revisionOf } from './experiment-world.ts';

const ARMS = ['a', 'b', 'c'] as const;

/** Chances that follow the units seen so far, as a policy's do: the more an arm came, the likelier it gets. */
function adaptiveChances(counts: readonly number[]): readonly number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => 0.1 + 0.7 * ((1 + count) / (3 + total)));
}

const named = (values: readonly number[]): Readonly<Record<string, number>> =>
  Object.fromEntries(ARMS.map((arm, index) => [arm, values[index] ?? 0]));

/** One unit, assigned under a policy revision of its own. */
const unitOf = (chances: readonly number[], arm: number): RevisionUnits => ({
  policyRevision: `r-${chances.join()}`,
  experimentRevision: 'sha256:one',
  arm: ARMS[arm] ?? '',
  units: 1,
  propensities: named(chances),
  firstAtMs: 0,
});

/** Sum over every way `units` units can be assigned: its probability times its evidence. */
function expectedEvidence(units: number, seen: readonly RevisionUnits[], probability: number): number {
  if (units === 0) return probability * Math.exp(propensityTiltEvidence(seen));
  const chances = adaptiveChances(ARMS.map((arm) => seen.filter((unit) => unit.arm === arm).length));
  return chances.reduce(
    (sum, chance, arm) =>
      sum + expectedEvidence(units - 1, [...seen, unitOf(chances, arm)], probability * chance),
    0,
  );
}

describe('fixed weights', () => {
  test('raise no more false alarms when they change often: the factors of all sets of weights multiply', () => {
    const random = seededRandom(23);
    const revisions = Array.from({ length: 40 }, (_, n) => {
      const share = 0.3 + n / 100;
      const units = Array.from({ length: 50 }, () =>
        unitOf([share, 1 - share, 0], random.next() < share ? 0 : 1),
      );
      return [0, 1].map((arm) => ({
        ...unitOf([share, 1 - share, 0], arm),
        units: units.filter((unit) => unit.arm === ARMS[arm]).length,
      }));
    });

    const together = sampleRatio('fixed', revisions.flat()).report.pValue;
    const each = revisions.map((revision) => sampleRatio('fixed', revision).report.pValue);

    expect(together).toBeGreaterThan(Math.min(...each));
    expect(together).toBe(1);
  });
});

describe('the propensity martingale', () => {
  test('is worth exactly 1 on average, over every assignment a changing policy can make', () => {
    expect(expectedEvidence(5, [], 1)).toBeCloseTo(1, 12);
  });

  test('does not depend on the order of units, nor on how revisions overlap', () => {
    const random = seededRandom(11);
    const units = Array.from({ length: 200 }, (_, n) => {
      const chances = n % 3 === 0 ? [0.2, 0.3, 0.5] : [0.6, 0.2, 0.2];
      return unitOf(chances, chooseByWeights(random.next(), chances) ?? 0);
    });
    const merged = new Map<string, RevisionUnits>();
    for (const unit of units) {
      const key = `${unit.policyRevision} ${unit.arm}`;
      merged.set(key, { ...unit, units: (merged.get(key)?.units ?? 0) + 1 });
    }

    const inOrder = propensityTiltEvidence(units);
    expect(propensityTiltEvidence([...units].reverse())).toBeCloseTo(inOrder, 9);
    expect(propensityTiltEvidence([...merged.values()])).toBeCloseTo(inOrder, 9);
  });

  test('raises hardly any alarm over sound assignments, whenever it is read', () => {
    const runs = 200;
    const alarmed = Array.from({ length: runs }, (_, run) => everAlarms(seededRandom(run), 0)).filter(
      Boolean,
    );

    // The binomial with this many runs and a share of 0.001 exceeds 3 in 1 of 20,000.
    expect(alarmed.length).toBeLessThanOrEqual(3);
  });

  test('finds an arm that loses half of its units', () => {
    const alarmed = Array.from({ length: 50 }, (_, run) => everAlarms(seededRandom(run), 0.5)).filter(
      Boolean,
    );

    expect(alarmed.length).toBeGreaterThanOrEqual(45);
  });

  /** Ten policy revisions of 100 units each, read after every 50; the arm `a` loses a share of its units. */
  function everAlarms(random: Random, lostShare: number): boolean {
    const revisions: RevisionUnits[] = [];
    const counts = [0, 0, 0];
    let isAlarmed = false;
    for (let revision = 0; revision < 10; revision += 1) {
      const chances = adaptiveChances(counts);
      const units = [0, 0, 0];
      for (let n = 1; n <= 100; n += 1) {
        const arm = chooseByWeights(random.next(), chances) ?? 0;
        const isLost = arm === 0 && random.next() < lostShare;
        units[arm] = (units[arm] ?? 0) + (isLost ? 0 : 1);
        if (n % 50 === 0) {
          const now = revisionOf(named(chances), named(units), { policyRevision: String(revision) });
          isAlarmed ||= sampleRatio('thompson', [...revisions, ...now]).report.alarm;
        }
      }
      units.forEach((count, arm) => {
        counts[arm] = (counts[arm] ?? 0) + count;
      });
      revisions.push(...revisionOf(named(chances), named(units), { policyRevision: String(revision) }));
    }
    return isAlarmed;
  }
});

describe('the sample-ratio check', () => {
  test('is the sequential Dirichlet test where weights are fixed', () => {
    const { report } = sampleRatio('fixed', revisionOf({ a: 0.2, b: 0.8 }, { a: 130, b: 370 }));

    const reference = foldCounts(sequentialSampleRatio([0.2, 0.8], 100), [130, 370]).p;
    expect(report).toMatchObject({
      method: 'sequential Dirichlet-multinomial test',
      pValue: reference,
      units: 500,
      alarm: reference < 0.001,
    });
    expect(reference).toBeLessThan(0.05);
  });

  test('adds up what came with the same weights, and multiplies the evidence of other weights', () => {
    const halves = { a: 0.5, b: 0.5 };
    const together = sampleRatio('fixed', revisionOf(halves, { a: 300, b: 500 })).report;
    const inTwo = [
      ...revisionOf(halves, { a: 100, b: 250 }),
      ...revisionOf(halves, { a: 200, b: 250 }, { policyRevision: 'tips-2' }),
    ];
    const sound = revisionOf({ a: 0.9, b: 0.1 }, { a: 900, b: 100 }, { policyRevision: 'tips-3' });
    const split = sampleRatio('fixed', [...inTwo, ...sound]).report;

    expect(together.alarm).toBe(true);
    expect(sampleRatio('fixed', inTwo).report.pValue).toBe(together.pValue);
    // A split that is as declared speaks against a fault: its factor is below 1.
    expect(split.pValue).toBeGreaterThan(together.pValue);
    expect(split.alarm).toBe(true);
    expect(split.units).toBe(1_800);
  });

  test.each(['fixed', 'thompson'] as const)(
    'is certain of a fault when a unit has an impossible arm: %s',
    (kind) => {
      for (const arm of ['b', 'gone']) {
        const { report } = sampleRatio(kind, revisionOf({ a: 1, b: 0 }, { a: 10, [arm]: 1 }));
        expect(report).toMatchObject({ pValue: 0, alarm: true });
      }
    },
  );

  test.each(['fixed', 'thompson'] as const)('finds nothing where there is nothing: %s', (kind) => {
    expect(sampleRatio(kind, []).report).toMatchObject({ pValue: 1, alarm: false, units: 0 });
    expect(sampleRatio(kind, revisionOf({ a: 1 }, { a: 10 })).report).toMatchObject({
      pValue: 1,
      alarm: false,
    });
  });

  test('keeps its head with billions of units', () => {
    const sound = sampleRatio('thompson', revisionOf({ a: 0.5, b: 0.5 }, { a: 1e9, b: 1e9 }));
    const broken = sampleRatio('thompson', revisionOf({ a: 0.5, b: 0.5 }, { a: 1e9, b: 1.1e9 }));

    expect(sound.report.pValue).toBe(1);
    expect(broken.report.pValue).toBe(0);
  });
});
