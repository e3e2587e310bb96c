import { assertDistribution } from './distribution.ts';

/** No hash and no generator of random numbers delivers less; weights stay below 1e12, so that their squares are numbers. */
const LEAST_PROPENSITY = 1e-12;

/** One decision of the log, with the policy that it is to be judged for. Arrays are indexed by arm, all of length K. */
export interface LoggedDecision {
  /** Probability of every arm at the moment of choosing, as assigned by; sums to 1. */
  readonly propensities: readonly number[];
  /** Index of the arm that was chosen. Its propensity is positive. */
  readonly chosen: number;
  readonly reward: number;
  /** Probability of every arm under the policy to be judged, decided without looking at this reward; sums to 1. */
  readonly target: readonly number[];
  /** Predicted reward of every arm, from data before this decision only. */
  readonly qHat?: readonly number[];
}

/** Throws a RangeError that names `where` and the field unless the decision is whole and consistent. O(K). */
export function assertLoggedDecision(decision: LoggedDecision, where: string): void {
  assertAssignment(decision, where);
  const { propensities, target, qHat } = decision;
  if (target.length !== propensities.length) {
    throw new RangeError(`${where}target must have ${propensities.length} arms, got ${target.length}.`);
  }
  assertDistribution(target, `${where}target`);
  if (qHat !== undefined) assertEstimates(qHat, propensities.length, where);
}

type Assignment = Pick<LoggedDecision, 'propensities' | 'chosen' | 'reward'>;

/** The part of {@link assertLoggedDecision} that needs no target. */
export function assertAssignment({ propensities, chosen, reward }: Assignment, where: string): void {
  assertDistribution(propensities, `${where}propensities`);
  if (!Number.isInteger(chosen) || chosen < 0 || chosen >= propensities.length) {
    throw new RangeError(`${where}chosen must be an arm in 0 … ${propensities.length - 1}, got ${chosen}.`);
  }
  if (!((propensities[chosen] ?? 0) >= LEAST_PROPENSITY)) {
    throw new RangeError(
      `${where}propensities[${chosen}] must be positive, at least ${LEAST_PROPENSITY}: that arm was chosen.`,
    );
  }
  if (!Number.isFinite(reward)) throw new RangeError(`${where}reward must be finite, got ${reward}.`);
}

/** Throws unless there is one finite estimate per arm. */
export function assertEstimates(qHat: readonly number[], count: number, where: string): void {
  if (qHat.length !== count)
    throw new RangeError(`${where}qHat must have ${count} arms, got ${qHat.length}.`);
  for (let arm = 0; arm < count; arm += 1) {
    if (!Number.isFinite(qHat[arm])) {
      throw new RangeError(`${where}qHat[${arm}] must be finite, got ${qHat[arm]}.`);
    }
  }
}

/** The sequences hold for rewards in [0, 1] only: throws on others. */
export function assertUnitReward(reward: number, where: string): void {
  if (!(reward >= 0 && reward <= 1)) {
    throw new RangeError(`${where}reward must be within [0, 1], got ${reward}.`);
  }
}
