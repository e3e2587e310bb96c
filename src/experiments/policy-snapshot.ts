import type { MetricConfig } from '../config/index.ts';
import {
  bucketedPropensities,
  discounted,
  epsilonGreedyPropensities,
  fixedPropensities,
  type Posterior,
  thompsonPropensities,
  topTwoPropensities,
  withFloor,
} from '../statistics/index.ts';
import { armBelief, beliefKind, effectiveTotal, parametersOf, withEffectiveTotal } from './arm-belief.ts';
import type { ArmPosterior, Experiment, PolicySnapshot, RewardTotals } from './experiment-types.ts';
import { dueRewards, possibleTotal, rewardsOnScale } from './reward-scale.ts';

type Total = RewardTotals['outcomes'];

/** What is known of an arm: as a snapshot stores it, and as a policy reads it. */
interface Known {
  readonly stored: ArmPosterior;
  readonly belief: Posterior;
}

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
  const known = knownOf(input, previous);
  const beliefs = known.map(({ belief }) => belief);
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
    posteriors: byArm(
      experiment,
      known.map(({ stored }) => stored),
    ),
  };
}

/**
 * Probability of every arm, in their order, given the belief about each one's mean on [0, 1] (1 is best; all of one
 * kind): the policy's own, lifted to the floor, in whole buckets of the assignment hash, so that what is logged is what is
 * assigned. Sums to 1.
 */
export function policyPropensities(
  experiment: Pick<Experiment, 'arms' | 'policy'>,
  beliefs: readonly Posterior[],
): readonly number[] {
  const { kind, epsilon, beta, floor } = experiment.policy;
  switch (kind) {
    case 'fixed':
      return bucketedPropensities(fixedPropensities(experiment.arms.map((arm) => arm.weight)));
    case 'epsilon_greedy': {
      return floored(epsilonGreedyPropensities(beliefs.map(meanOf), epsilon), floor);
    }
    case 'thompson':
      return floored(thompsonPropensities(beliefs), floor);
    case 'top_two_thompson':
      return floored(topTwoPropensities(thompsonPropensities(beliefs), beta), floor);
    default:
      return kind satisfies never;
  }
}

function floored(propensities: readonly number[], floor: number): readonly number[] {
  return bucketedPropensities(withFloor(propensities, floor), floor);
}

function meanOf(belief: Posterior): number {
  return belief.kind === 'beta' ? belief.a / (belief.a + belief.b) : belief.mean;
}

/** What each arm has earned, in their order, and the belief that follows from it. */
function knownOf(
  { experiment, metric, totals }: SnapshotInput,
  previous: PolicySnapshot | null,
): readonly Known[] {
  const due = experiment.arms.map((arm): Total => {
    const found = totals.find((candidate) => candidate.arm === arm.name);
    return found === undefined ? { n: 0, sum: 0, sumOfSquares: 0 } : dueRewards(found, metric);
  });
  const { kind: policy, discount } = experiment.policy;
  const kind = beliefKind(metric);
  const before = experiment.arms.map((arm) => previous?.posteriors[arm.name]);
  // Time alone forgets nothing: a quiet night must not undo what was learnt.
  const hasNews = due.some(({ n, sum }, arm) => n !== before[arm]?.n || sum !== before[arm]?.sum);
  return due.map((total, arm): Known => {
    const earned = rewardsOnScale(total, metric);
    if (policy === 'fixed') return { stored: { ...total, parameters: {} }, belief: armBelief(earned, kind) };
    const earlier = before[arm];
    const kept = effectiveTotal(earlier?.parameters, kind);
    if (discount === 1) {
      return {
        stored: { ...total, parameters: parametersOf(earned, metric) },
        belief: armBelief(earned, kind),
      };
    }
    const effective =
      earlier === undefined || kept === null
        ? earned
        : keptTotal(kept, rewardsOnScale(earlier, metric), earned, hasNews ? discount : 1);
    return {
      stored: { ...total, parameters: withEffectiveTotal(parametersOf(effective, metric), effective) },
      belief: armBelief(effective, kind),
    };
  });
}

/** What was kept, discounted, and what has come since the earlier total. */
function keptTotal(kept: Total, earlier: Total, now: Total, retention: number): Total {
  const batch = { n: now.n - earlier.n, sum: now.sum - earlier.sum };
  const past = discounted(kept, { n: 0, sum: 0 }, retention);
  return possibleTotal({
    n: past.n + batch.n,
    sum: past.sum + batch.sum,
    sumOfSquares: retention * kept.sumOfSquares + now.sumOfSquares - earlier.sumOfSquares,
  });
}

function byArm<Value>(experiment: Experiment, values: readonly Value[]): Readonly<Record<string, Value>> {
  return Object.fromEntries(
    experiment.arms.flatMap((arm, index) => {
      const value = values[index];
      return value === undefined ? [] : [[arm.name, value] as const];
    }),
  );
}
