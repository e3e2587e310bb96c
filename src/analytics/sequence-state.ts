import type { MetricConfig } from '../config/index.ts';
import type { Experiment } from '../experiments/index.ts';
import {
  type DifferenceSequence,
  differenceSequence,
  foldAssignment,
  foldDecision,
  foldDifference,
  type GammaExponentialSequence,
  gammaExponentialSequence,
  type PropensityMartingale,
  propensityMartingale,
} from '../statistics/index.ts';
import { type MetricScale, metricScale } from './metric-scale.ts';

/** Of the state below: a checkpoint of another one is not resumed but folded anew. */
export const STATE_FORMAT = 1;

/**
 * How far doubly robust pseudo-outcomes of values may fall below 0 (`pseudoOutcome`); with every propensity at the floor
 * or above they never fall further than 1/floor - 1. In simulated experiments 4 is as narrow as smaller numbers for an
 * arm with traffic, and narrower for one that a policy starves.
 */
const LARGEST_FALL = 4;

/** Sums of logged propensities may be away from 1, and a propensity below its floor, by rounding. */
const SUM_TOLERANCE = 1e-6;
const FLOOR_SLACK = 1e-9;

/** A unit's first delivered call, with its reward by the metric. */
export interface SequenceDecision {
  readonly createdAtMs: number;
  readonly generationId: string;
  readonly arm: string | null;
  /** Arm → probability at the assignment of the unit. */
  readonly propensities: Readonly<Record<string, number>> | null;
  /** Null: no outcome counts. */
  readonly reward: number | null;
}

/** What of a definition the fold depends on. All of it is part of the revision. */
export interface SequencePlan {
  readonly arms: readonly string[];
  /** Index of the arm that the others are compared with. */
  readonly baseline: number;
  readonly floor: number;
  readonly missing: MetricConfig['missing'];
  readonly scale: MetricScale;
}

/** Plain data, kept as JSON: doubles come back to the last bit. Arrays are indexed by arm. */
export interface SequenceState {
  readonly format: number;
  readonly arms: readonly string[];
  /** Folded. */
  readonly decisions: number;
  /** Left out because no outcome counts (`missing: exclude`). */
  readonly unanswered: number;
  /** Left out because their propensities are missing or cannot be true. */
  readonly unusable: number;
  /** Rewards off the declared scale, cut to it. */
  readonly offScale: number;
  /** Of folded decisions, on [0, 1]: the estimates of the next decision. */
  readonly rewards: readonly { readonly n: number; readonly sum: number }[];
  /** Sums of augmented inverse-propensity estimates of the value of each arm. */
  readonly estimates: readonly number[];
  /** "Everybody gets this arm". */
  readonly values: readonly GammaExponentialSequence[];
  /** Each arm but the baseline against it, in the order of the arms. */
  readonly differences: readonly DifferenceSequence[];
  /** Do the folded decisions come in the arms as logged? With `missing: exclude` they need not. */
  readonly balance: PropensityMartingale;
}

export function sequencePlan(experiment: Experiment, metric: MetricConfig): SequencePlan {
  return {
    arms: experiment.arms.map(({ name }) => name),
    baseline: experiment.arms.findIndex(({ name }) => name === experiment.baseline),
    floor: experiment.policy.floor,
    missing: metric.missing,
    scale: metricScale(metric),
  };
}

/** Nothing folded yet. */
export function emptySequenceState({ arms, baseline, floor }: SequencePlan): SequenceState {
  // The promise is about two arms: with more than a half each they would have more than all.
  const minPropensity = Math.min(0.5, floor);
  return {
    format: STATE_FORMAT,
    arms,
    decisions: 0,
    unanswered: 0,
    unusable: 0,
    offScale: 0,
    rewards: arms.map(() => ({ n: 0, sum: 0 })),
    estimates: arms.map(() => 0),
    values: arms.map(() => gammaExponentialSequence(Math.min(LARGEST_FALL, 1 / minPropensity - 1))),
    differences: arms.flatMap((_name, arm) =>
      arm === baseline ? [] : [differenceSequence({ arm, baseline, minPropensity })],
    ),
    balance: propensityMartingale(arms.length),
  };
}

/**
 * The state after one more decision, folded once its reward is settled, in decision order. What is left out is left out
 * by a rule that was fixed beforehand: a decision without reward by `missing`, one without sound propensities always. The
 * estimates are the means of the decisions folded before, so that they are known before the reward. O(arms^2).
 */
export function foldSequenceDecision(
  state: SequenceState,
  plan: SequencePlan,
  decision: SequenceDecision,
): SequenceState {
  const chosen = decision.arm === null ? -1 : plan.arms.indexOf(decision.arm);
  const propensities = propensitiesOf(plan, decision);
  if (chosen < 0 || propensities === null) return { ...state, unusable: state.unusable + 1 };
  const reward = decision.reward ?? (plan.missing === 'zero' ? 0 : null);
  if (reward === null) return { ...state, unanswered: state.unanswered + 1 };
  const { value, isOffScale } = rescaled(reward, plan.scale);
  const qHat = state.rewards.map(({ n, sum }) => (sum + 0.5) / (n + 1));
  const logged = { propensities, chosen, reward: value, qHat };
  return {
    ...state,
    decisions: state.decisions + 1,
    offScale: state.offScale + (isOffScale ? 1 : 0),
    rewards: state.rewards.map((total, arm) =>
      arm === chosen ? { n: total.n + 1, sum: total.sum + value } : total,
    ),
    estimates: state.estimates.map((sum, arm) => {
      const estimate = qHat[arm] ?? 0;
      const correction = arm === chosen ? (value - estimate) / (propensities[arm] ?? 1) : 0;
      return sum + estimate + correction;
    }),
    values: state.values.map((sequence, arm) =>
      foldDecision(sequence, { ...logged, target: plan.arms.map((_name, other) => (other === arm ? 1 : 0)) }),
    ),
    differences: state.differences.map((sequence) => foldDifference(sequence, logged)),
    balance: foldAssignment(state.balance, propensities, chosen),
  };
}

/** In the order of the arms; null unless they are probabilities of just these arms that keep the floor. */
function propensitiesOf(plan: SequencePlan, decision: SequenceDecision): readonly number[] | null {
  const logged = new Map(Object.entries(decision.propensities ?? {}));
  const propensities = plan.arms.map((arm) => logged.get(arm) ?? 0);
  const sum = propensities.reduce((total, propensity) => total + propensity, 0);
  const isSound =
    propensities.every((propensity) => propensity >= plan.floor * (1 - FLOOR_SLACK) && propensity <= 1) &&
    Math.abs(sum - 1) <= SUM_TOLERANCE;
  return isSound ? propensities : null;
}

function rescaled(reward: number, { min, max }: MetricScale): { value: number; isOffScale: boolean } {
  // All values of the metric are the same one: nothing can be told, and nothing is wrong.
  if (max === min) return { value: 0, isOffScale: reward !== min };
  const value = (reward - min) / (max - min);
  return { value: Math.min(1, Math.max(0, value)), isOffScale: value < 0 || value > 1 };
}
