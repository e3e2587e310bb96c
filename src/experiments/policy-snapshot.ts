import type { MetricConfig } from '../config/index.ts';
import {
  betaPosterior,
  bucketedPropensities,
  discounted,
  epsilonGreedyPropensities,
  fixedPropensities,
  type RewardTotal,
  thompsonPropensities,
  topTwoPropensities,
  withFloor,
} from '../statistics/index.ts';
import type { ArmPosterior, Experiment, PolicySnapshot, RewardTotals } from './experiment-types.ts';
import { dueRewards, rewardsOnScale } from './reward-scale.ts';

export interface SnapshotInput {
  readonly experiment: Experiment;
  readonly metric: MetricConfig;
  /** The latest snapshot of the experiment, of whichever definition; null: there is none. */
  readonly latest: PolicySnapshot | null;
  /** Rewards under this definition; arms without a unit are absent. */
  readonly totals: readonly RewardTotals[];
  readonly nowMs: number;
}

/**
 * The snapshot after `latest`, or null when the probabilities stay as they are. Depends on the totals and on the latest
 * snapshot alone: every process that has both gets the same one.
 */
export function nextSnapshot(input: SnapshotInput): PolicySnapshot | null {
  const { experiment, latest, nowMs } = input;
  const previous = latest?.experimentRevision === experiment.revision ? latest : null;
  const posteriors = posteriorsOf(input, previous);
  const beliefs = experiment.arms.map((arm) => beliefOf(posteriors[arm.name]));
  const propensities = byArm(experiment, policyPropensities(experiment, beliefs));
  const isChanged = experiment.arms.some(
    (arm) => propensities[arm.name] !== previous?.propensities[arm.name],
  );
  if (!isChanged) return null;
  const sequence = (latest?.sequence ?? 0) + 1;
  return {
    experiment: experiment.name,
    revision: `${experiment.name}-${sequence}`,
    sequence,
    experimentRevision: experiment.revision,
    policy: experiment.policy.kind,
    computedAtMs: nowMs,
    propensities,
    posteriors,
  };
}

/**
 * Probability of every arm, in their order, given rewards on [0, 1] (1 is best): the policy's own, lifted to the floor,
 * in whole buckets of the assignment hash, so that what is logged is what is assigned. Sums to 1.
 */
export function policyPropensities(
  experiment: Pick<Experiment, 'arms' | 'policy'>,
  rewards: readonly RewardTotal[],
): readonly number[] {
  const { kind, epsilon, beta, floor } = experiment.policy;
  const posteriors = rewards.map((total) => betaPosterior(total));
  switch (kind) {
    case 'fixed':
      return bucketedPropensities(fixedPropensities(experiment.arms.map((arm) => arm.weight)));
    case 'epsilon_greedy': {
      const means = posteriors.map(({ a, b }) => a / (a + b));
      return floored(epsilonGreedyPropensities(means, epsilon), floor);
    }
    case 'thompson':
      return floored(thompsonPropensities(posteriors), floor);
    case 'top_two_thompson':
      return floored(topTwoPropensities(thompsonPropensities(posteriors), beta), floor);
    default:
      return kind satisfies never;
  }
}

function floored(propensities: readonly number[], floor: number): readonly number[] {
  return bucketedPropensities(withFloor(propensities, floor), floor);
}

/** What each arm has earned, and the belief that follows from it. */
function posteriorsOf(
  { experiment, metric, totals }: SnapshotInput,
  previous: PolicySnapshot | null,
): Readonly<Record<string, ArmPosterior>> {
  const due = experiment.arms.map((arm) => {
    const found = totals.find((candidate) => candidate.arm === arm.name);
    return found === undefined ? { n: 0, sum: 0, sumOfSquares: 0 } : dueRewards(found, metric);
  });
  const { kind, discount } = experiment.policy;
  const before = experiment.arms.map((arm) => previous?.posteriors[arm.name]);
  // Time alone forgets nothing: a quiet night must not undo what was learnt.
  const hasNews = due.some(({ n, sum }, arm) => n !== before[arm]?.n || sum !== before[arm]?.sum);
  return byArm(
    experiment,
    due.map((total, arm): ArmPosterior => {
      if (kind === 'fixed') return { ...total, parameters: {} };
      const earned = rewardsOnScale(total.n, total.sum, metric);
      const known = before[arm];
      if (discount === 1 || known === undefined) return { ...total, parameters: parametersOf(earned) };
      const earlier = rewardsOnScale(known.n, known.sum, metric);
      const batch = { n: earned.n - earlier.n, sum: earned.sum - earlier.sum };
      return {
        ...total,
        parameters: parametersOf(keptTotal(beliefOf(known), batch, hasNews ? discount : 1)),
      };
    }),
  );
}

/** Corrections make a batch negative: the result is cut to a total that can be. */
function keptTotal(earlier: RewardTotal, batch: RewardTotal, retention: number): RewardTotal {
  const past = discounted(earlier, { n: 0, sum: 0 }, retention);
  const n = Math.max(0, past.n + batch.n);
  return { n, sum: Math.min(n, Math.max(0, past.sum + batch.sum)) };
}

/** Beta(alpha, beta) under the uniform prior. */
function parametersOf(total: RewardTotal): ArmPosterior['parameters'] {
  const { a, b } = betaPosterior(total);
  return { alpha: a, beta: b };
}

function beliefOf(posterior: ArmPosterior | undefined): RewardTotal {
  const { alpha = 1, beta = 1 } = posterior?.parameters ?? {};
  return { n: alpha + beta - 2, sum: alpha - 1 };
}

function byArm<Value>(experiment: Experiment, values: readonly Value[]): Readonly<Record<string, Value>> {
  return Object.fromEntries(
    experiment.arms.flatMap((arm, index) => {
      const value = values[index];
      return value === undefined ? [] : [[arm.name, value] as const];
    }),
  );
}
