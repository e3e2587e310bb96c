import type { Random } from '../kernel/index.ts';
import {
  betaBinomialDifference,
  betaBinomialLogEvidence,
  type RewardTotal,
  sampleBeta,
  withFloor,
} from '../statistics/index.ts';

/** Reads and policy snapshots come once in so many per cent more outcomes: finer steps cost time and tell no more. */
const STEP_SHARE = 0.02;

/** Floor of the bandit when none is given, as a share of 1/K. */
const DEFAULT_FLOOR_SHARE = 0.1;

/** Draws of the posteriors that stand for a snapshot's propensities: a step of fewer outcomes draws once for each. */
const MOST_DRAWS = 200;

/** Two-sided, 95 %: how far a quantile of simulated runs may be off. */
const NORMAL_QUANTILE = 1.96;

export interface PlanOptions {
  /** Mean reward of the baseline, within [0, 1]. */
  readonly baseline: number;
  /** Mean of the better (or worse) arm minus that of the baseline; all further arms equal the baseline. */
  readonly lift: number;
  readonly arms: number;
  readonly policy: 'fixed' | 'thompson';
  /** Least propensity of an arm under `thompson`; null: 0.1/K. */
  readonly floor: number | null;
  /** Share of experiments that may ever name a difference that is none. */
  readonly alpha: number;
  /** Share of experiments that should have found the difference. */
  readonly power: number;
  /** Simulated experiments. */
  readonly runs: number;
  /** An experiment that has not found the difference by then is given up. */
  readonly mostOutcomes: number;
}

/** A quantile of the runs, with the range that the number of runs leaves open. Null: beyond `mostOutcomes`. */
export interface PlannedOutcomes {
  readonly outcomes: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
}

export interface Plan {
  readonly options: Omit<PlanOptions, 'floor'> & { readonly floor: number | null };
  /** By so many outcomes, over all arms, half of the runs are certain. */
  readonly median: PlannedOutcomes;
  /** By so many outcomes the share `power` of the runs is certain. */
  readonly atPower: PlannedOutcomes;
  /** Share of the runs that were certain within `mostOutcomes`. */
  readonly certainShare: number;
  /** Share of the runs that named a difference that is none, or the wrong way round. */
  readonly wrongShare: number;
  /** Mean share of the outcomes that the arm with the lift got. */
  readonly liftedShare: number;
}

interface Run {
  /** Outcomes over all arms when the difference became certain; null: not within `mostOutcomes`. */
  readonly certainAt: number | null;
  readonly isWrong: boolean;
  readonly liftedShare: number;
}

/**
 * How many outcomes an experiment needs, by simulation of what the report does: rewards 0 or 1 (no reward within [0, 1] with
 * the same mean varies more), assignment by the policy, and after every step the beta-binomial difference to the baseline
 * at alpha over the number of comparisons. The same random numbers give the same plan. `onRun` hears of every run done.
 */
export function planExperiment(
  options: PlanOptions,
  random: Random,
  onRun: (runsDone: number) => void = () => {},
): Plan {
  const floor = options.policy === 'thompson' ? (options.floor ?? DEFAULT_FLOOR_SHARE / options.arms) : null;
  const runs: Run[] = [];
  while (runs.length < options.runs) {
    runs.push(simulateRun({ ...options, floor }, random));
    onRun(runs.length);
  }
  const certainAt = runs.map((run) => run.certainAt ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
  const shareOf = (isCounted: (run: Run) => boolean): number => runs.filter(isCounted).length / runs.length;
  return {
    options: { ...options, floor },
    median: quantileOf(certainAt, 0.5),
    atPower: quantileOf(certainAt, options.power),
    certainShare: shareOf((run) => run.certainAt !== null),
    wrongShare: shareOf((run) => run.isWrong),
    liftedShare: runs.reduce((sum, run) => sum + run.liftedShare, 0) / runs.length,
  };
}

function simulateRun(options: PlanOptions, random: Random): Run {
  const { arms, mostOutcomes, lift, alpha } = options;
  const means = Array.from({ length: arms }, (_, arm) => options.baseline + (arm === 1 ? lift : 0));
  const totals = Array.from({ length: arms }, () => ({ n: 0, sum: 0 }));
  const alphaPerComparison = alpha / (arms - 1);
  let outcomes = 0;
  let isWrong = false;
  let certainAt: number | null = null;
  while (certainAt === null && outcomes < mostOutcomes) {
    const step = Math.min(Math.ceil(outcomes * STEP_SHARE) || 1, mostOutcomes - outcomes);
    assignAndReward(step, propensitiesOf(options, totals, { step, random }), { means, totals, random });
    outcomes += step;
    for (let arm = 1; arm < arms; arm += 1) {
      const sign = certainSign(totals[arm], totals[0], alphaPerComparison);
      if (sign === 0) continue;
      if (arm === 1 && sign === Math.sign(lift)) certainAt ??= outcomes;
      else isWrong = true;
    }
  }
  return { certainAt, isWrong, liftedShare: (totals[1]?.n ?? 0) / Math.max(1, outcomes) };
}

/**
 * Thompson's propensity of an arm is its chance to have the greatest of independent draws. How often it had says the same
 * on average, and a hundred times faster than integrating in every step of every run.
 */
function propensitiesOf(
  { policy, arms, floor }: PlanOptions,
  totals: readonly RewardTotal[],
  { step, random }: { readonly step: number; readonly random: Random },
): readonly number[] {
  if (policy === 'fixed') return new Array<number>(arms).fill(1 / arms);
  const draws = Math.min(step, MOST_DRAWS);
  const wins = new Array<number>(arms).fill(0);
  for (let draw = 0; draw < draws; draw += 1) {
    let best = 0;
    let bestValue = -1;
    for (let arm = 0; arm < arms; arm += 1) {
      const { n, sum } = totals[arm] ?? { n: 0, sum: 0 };
      const value = sampleBeta(random, 1 + sum, 1 + n - sum);
      if (value <= bestValue) continue;
      best = arm;
      bestValue = value;
    }
    wins[best] = (wins[best] ?? 0) + 1;
  }
  return withFloor(
    wins.map((count) => count / draws),
    floor ?? 0,
  );
}

interface Experiment {
  readonly means: readonly number[];
  /** Added to. */
  readonly totals: readonly { n: number; sum: number }[];
  readonly random: Random;
}

function assignAndReward(
  outcomes: number,
  propensities: readonly number[],
  { means, totals, random }: Experiment,
): void {
  const last = propensities.length - 1;
  for (let index = 0; index < outcomes; index += 1) {
    let arm = 0;
    let rest = random.next() - (propensities[0] ?? 0);
    while (rest >= 0 && arm < last) {
      arm += 1;
      rest -= propensities[arm] ?? 0;
    }
    const total = totals[arm];
    if (total === undefined) continue;
    total.n += 1;
    if (random.next() < (means[arm] ?? 0)) total.sum += 1;
  }
}

/** 1 or -1 where the interval of the difference lies wholly above or below 0, else 0. */
function certainSign(
  arm: RewardTotal | undefined,
  baseline: RewardTotal | undefined,
  alpha: number,
): -1 | 0 | 1 {
  if (arm === undefined || baseline === undefined || arm.n === 0 || baseline.n === 0) return 0;
  // Two intervals that do not meet leave out each other's mean: one logarithm tells that most do, without bisections.
  const needed = -Math.log(alpha / 2);
  if (betaBinomialLogEvidence(baseline.sum / baseline.n, arm) < needed) return 0;
  if (betaBinomialLogEvidence(arm.sum / arm.n, baseline) < needed) return 0;
  const { lower, upper } = betaBinomialDifference({ arm, baseline, alpha });
  return lower > 0 ? 1 : upper < 0 ? -1 : 0;
}

/** Order statistics, and those a binomial deviation of the rank away (Conover, Practical Nonparametric Statistics, 3.2). */
function quantileOf(sorted: readonly number[], share: number): PlannedOutcomes {
  const runs = sorted.length;
  const deviation = NORMAL_QUANTILE * Math.sqrt(runs * share * (1 - share));
  const at = (rank: number): number | null => {
    const outcomes = sorted[Math.min(runs, Math.max(1, Math.ceil(rank))) - 1] ?? Number.POSITIVE_INFINITY;
    return Number.isFinite(outcomes) ? outcomes : null;
  };
  return {
    outcomes: at(runs * share),
    lower: at(runs * share - deviation),
    upper: at(runs * share + deviation + 1),
  };
}
