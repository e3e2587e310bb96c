import type { Arm, Experiment } from '../experiments/index.ts';
import type { ArmTotals } from './experiment-reader.ts';
import type { ArmDifference, ExperimentArmReport } from './experiment-report.ts';
import { type ExperimentSequences, usesDirectDifference } from './experiment-sequences.ts';
import type { SettledRewards } from './settled-rewards.ts';
import { liftOver, type Metric, meanInterval, meanReward, settleRewards } from './settled-rewards.ts';
import { outcomesToSettle } from './settling-forecast.ts';

/** Share of experiments whose report ever misses a given mean, and any of the differences to the baseline. */
export const ALPHA = 0.05;
export const CONFIDENCE = 1 - ALPHA;

export const MEAN_METHOD = 'beta-binomial confidence sequence';
const DIFFERENCE_METHOD = 'union bound of two beta-binomial confidence sequences';

const NOTHING = { n: 0, sum: 0, sumOfSquares: 0 };

/** An arm of the report, and what a verdict needs beyond it. */
export interface ArmEvidence {
  readonly row: ExperimentArmReport;
  readonly settled: SettledRewards;
  /** Outcomes of the arm and the baseline that are likely still needed; null: too far away to say. */
  readonly moreOutcomes: () => number | null;
}

export interface ExperimentEvidence {
  readonly arms: readonly ArmEvidence[];
  /** Arms compared with the baseline. */
  readonly comparisons: number;
  /** Alpha of one comparison. */
  readonly alpha: number;
}

export interface ArmChances {
  /** Chance of a new unit to get the arm; null when it is not known. */
  propensityOf(arm: string): number | null;
  expectedUnitsOf(arm: string): number;
}

/**
 * What each arm earned, with the difference to the baseline. Alpha is split over the arms of the definition, with
 * traffic or without: then it changes with the definition only.
 */
export function experimentEvidence(
  experiment: Experiment,
  totals: readonly ArmTotals[],
  metric: Metric,
  chances: ArmChances,
  sequences: ExperimentSequences,
): ExperimentEvidence {
  const comparisons = experiment.arms.filter(({ name }) => name !== experiment.baseline).length;
  const alpha = ALPHA / Math.max(1, comparisons);
  const totalsByArm = new Map(totals.map((arm) => [arm.arm, arm]));
  const defined = new Set(experiment.arms.map(({ name }) => name));
  const strangers = [...totalsByArm.keys()].filter((name) => !defined.has(name)).sort();
  const settledOf = (name: string): SettledRewards => settleArm(totalsByArm.get(name), metric);
  const baseline = settledOf(experiment.baseline);

  const isDirect = usesDirectDifference(metric);
  const differenceOf = (name: string, settled: SettledRewards): ArmDifference =>
    isDirect
      ? sequences.differenceOf(name, alpha)
      : {
          ...liftOver(baseline, settled, { scale: metric.scale, alpha, confidence: CONFIDENCE }),
          method: DIFFERENCE_METHOD,
        };

  const evidenceOf = (name: string, arm: Arm | null): ArmEvidence => {
    const settled = settledOf(name);
    const interval = meanInterval(settled, metric.scale, ALPHA);
    const isCompared = arm !== null && name !== experiment.baseline;
    return {
      settled,
      moreOutcomes: () =>
        isDirect
          ? sequences.moreOutcomesOf(name, alpha)
          : outcomesToSettle({ arm: settled.rescaled, baseline: baseline.rescaled, alpha }),
      row: {
        arm: name,
        promptVersion: arm?.version ?? null,
        propensity: chances.propensityOf(name),
        expectedUnits: chances.expectedUnitsOf(name),
        ...trafficOf(totalsByArm.get(name)),
        mature: settled.mature,
        pending: settled.pending,
        sum: settled.sum,
        mean: meanReward(settled),
        lower: interval.lower,
        upper: interval.upper,
        confidence: CONFIDENCE,
        method: MEAN_METHOD,
        driftSafe: sequences.driftSafeOf(name),
        difference: isCompared ? differenceOf(name, settled) : null,
      },
    };
  };
  return {
    arms: [
      ...experiment.arms.map((arm) => evidenceOf(arm.name, arm)),
      ...strangers.map((name) => evidenceOf(name, null)),
    ],
    comparisons,
    alpha,
  };
}

function settleArm(totals: ArmTotals | undefined, metric: Metric): SettledRewards {
  return settleRewards(
    {
      delivered: totals?.units ?? 0,
      closedDelivered: totals?.closedUnits ?? 0,
      outcomes: totals?.outcomes ?? NOTHING,
      closedOutcomes: totals?.closedOutcomes ?? NOTHING,
    },
    metric,
  );
}

function trafficOf(
  totals: ArmTotals | undefined,
): Pick<ExperimentArmReport, 'units' | 'calls' | 'errorShare' | 'degradedShare' | 'fallbackShare'> {
  const calls = totals?.calls ?? 0;
  const share = (count: number | undefined): number => (calls === 0 ? 0 : (count ?? 0) / calls);
  return {
    units: totals?.units ?? 0,
    calls,
    errorShare: share(totals?.errors),
    degradedShare: share(totals?.degraded),
    fallbackShare: share(totals?.fallbacks),
  };
}
