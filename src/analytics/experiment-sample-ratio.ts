import type { PolicyKind } from '../experiments/index.ts';
import { foldCounts, sequentialSampleRatio } from '../statistics/index.ts';
import type { RevisionUnits } from './experiment-reader.ts';
import type { SampleRatioReport } from './experiment-report.ts';

// Formulas read like their derivation this way.
const { exp, log, log1p } = Math;

/** One sound experiment in a thousand ever raises the alarm. */
const ALARM_BELOW = 0.001;

/** Pseudo-units: finds a split that is a tenth off within some hundred units. */
const CONCENTRATION = 100;

/** What logged propensities may be away from a sum of 1 by rounding. */
const SUM_TOLERANCE = 1e-6;

/**
 * Logarithms of the factors by which an arm may come too often or too rarely: from a hundredth, found within a million
 * units, to nearly four times.
 */
const LN_TILTS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28].flatMap((size) => [-size, size]);

interface SampleRatio {
  readonly report: SampleRatioReport;
  readonly expectedUnits: ReadonlyMap<string, number>;
}

/** Units that were assigned with the same propensities. */
interface SameChances {
  readonly propensities: ReadonlyMap<string, number>;
  readonly counts: Map<string, number>;
  units: number;
}

/**
 * Do units arrive in the arms as the logged propensities say? Both tests are anytime-valid and read counts per policy
 * revision only, never the order of the units: revisions overlap for as long as a process has not heard of the next
 * one.
 *
 * Fixed weights: the sequential Dirichlet test, the factors of all sets of weights multiplied. Else {@link propensityTiltEvidence}.
 */
export function sampleRatio(policy: PolicyKind, revisions: readonly RevisionUnits[]): SampleRatio {
  const groups = byRevision(revisions);
  const isFixed = policy === 'fixed';
  const lnEvidence = isFixed ? sumOf(merged(groups).map(dirichletEvidence)) : tiltEvidence(groups);
  const pValue = Math.min(1, exp(-lnEvidence));
  const expectedUnits = new Map<string, number>();
  for (const { propensities, units } of groups) {
    for (const [arm, propensity] of propensities) {
      expectedUnits.set(arm, (expectedUnits.get(arm) ?? 0) + units * propensity);
    }
  }
  const units = sumOf(groups.map((group) => group.units));
  return {
    report: {
      method: isFixed ? 'sequential Dirichlet-multinomial test' : 'propensity martingale',
      pValue,
      alarmBelow: ALARM_BELOW,
      alarm: pValue < ALARM_BELOW,
      alarmedAt: null,
      units,
    },
    expectedUnits,
  };
}

/** One group per policy revision; revisions whose propensities are not known are left out. */
function byRevision(revisions: readonly RevisionUnits[]): readonly SameChances[] {
  const groups = new Map<string, SameChances>();
  for (const { experimentRevision, policyRevision, arm, units, propensities } of revisions) {
    // There may be a revision for every minute of a year: the key has to be cheap.
    const key = `${experimentRevision} ${policyRevision}`;
    let group = groups.get(key);
    if (group === undefined) {
      group = { propensities: new Map(Object.entries(propensities)), counts: new Map(), units: 0 };
      groups.set(key, group);
    }
    group.counts.set(arm, (group.counts.get(arm) ?? 0) + units);
    group.units += units;
  }
  return [...groups.values()].filter(({ propensities }) => isDistribution([...propensities.values()]));
}

/** Revisions with the same propensities as one. */
function merged(groups: readonly SameChances[]): readonly SameChances[] {
  const byChances = new Map<string, SameChances>();
  for (const { propensities, counts, units } of groups) {
    const key = JSON.stringify([...propensities].sort(([a], [b]) => (a < b ? -1 : 1)));
    const group = byChances.get(key) ?? { propensities, counts: new Map<string, number>(), units: 0 };
    byChances.set(key, group);
    for (const [arm, count] of counts) group.counts.set(arm, (group.counts.get(arm) ?? 0) + count);
    group.units += units;
  }
  return [...byChances.values()];
}

/**
 * ln of the Bayes factor; infinite when a unit has an arm that the propensities call impossible. The factors of
 * different sets of weights multiply: each is a test martingale over its own units, so their product is one too, and no
 * number of changes of the weights adds false alarms.
 */
function dirichletEvidence(group: SameChances): number {
  if (hasImpossible(group)) return Number.POSITIVE_INFINITY;
  const possible = [...group.propensities].filter(([, propensity]) => propensity > 0);
  if (possible.length < 2) return 0;
  const test = sequentialSampleRatio(
    possible.map(([, propensity]) => propensity),
    CONCENTRATION,
  );
  return foldCounts(
    test,
    possible.map(([arm]) => group.counts.get(arm) ?? 0),
  ).lnBayesFactor;
}

/**
 * Logarithm of an e-value against "every unit t got its arm with the logged p_t", for propensities that change.
 *
 * Suppose arm a came exp(s) times too often: q_t(b) = p_t(b) exp(s 1{b = a}) / (1 + p_t(a)(exp(s) - 1)), which sums to 1
 * over the arms b. Under the log the expectation of q_t(A_t) / p_t(A_t) given the past is therefore sum_b q_t(b) = 1,
 * whatever p_t the policy came to: the product over the units is a test martingale. So is the average of these products
 * over arms and tilts s, and by Ville's inequality it ever reaches 1/alpha with probability at most alpha. (It is the
 * product of q'_t(A_t) / p_t(A_t) for the posterior mixture q' of the tilts, which is fixed before unit t.)
 *
 * A factor depends on the unit by its arm and its p_t(a) only. So the product is the same in every order, and for n_r
 * units under one set of propensities, x_ra of them in arm a, it is exp(s x_ra) / (1 + p_r(a)(exp(s) - 1))^n_r: counts
 * are enough, exactly. O(sets of propensities x arms).
 */
export function propensityTiltEvidence(revisions: readonly RevisionUnits[]): number {
  return tiltEvidence(byRevision(revisions));
}

function tiltEvidence(groups: readonly SameChances[]): number {
  if (groups.some(hasImpossible)) return Number.POSITIVE_INFINITY;
  const arms = [...new Set(groups.flatMap(({ propensities }) => [...propensities.keys()]))];
  const lnProducts = arms.flatMap((arm) => LN_TILTS.map((tilt) => lnTiltProduct(groups, arm, tilt)));
  return lnMean(lnProducts);
}

function lnTiltProduct(groups: readonly SameChances[], arm: string, tilt: number): number {
  let lnProduct = 0;
  for (const { propensities, counts, units } of groups) {
    const propensity = propensities.get(arm) ?? 0;
    lnProduct += tilt * (counts.get(arm) ?? 0) - units * log1p(propensity * Math.expm1(tilt));
  }
  return lnProduct;
}

/** ln of the mean of exp(x), without overflow; 0 for nothing. */
function lnMean(values: readonly number[]): number {
  if (values.length === 0) return 0;
  const greatest = Math.max(...values);
  return greatest + log(sumOf(values.map((value) => exp(value - greatest))) / values.length);
}

function hasImpossible({ propensities, counts }: SameChances): boolean {
  return [...counts].some(([arm, count]) => count > 0 && !((propensities.get(arm) ?? 0) > 0));
}

function isDistribution(shares: readonly number[]): boolean {
  return shares.every((share) => share >= 0) && Math.abs(sumOf(shares) - 1) <= SUM_TOLERANCE;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
