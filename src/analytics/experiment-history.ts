import type { Experiment } from '../experiments/index.ts';
import { HOUR_MS } from '../kernel/index.ts';
import { ALPHA, CONFIDENCE, MEAN_METHOD } from './experiment-arms.ts';
import type { ArmCell, ArmTotals } from './experiment-reader.ts';
import { usesDirectDifference } from './experiment-sequences.ts';
import {
  liftOver,
  type Metric,
  meanInterval,
  meanReward,
  type SettledRewards,
  settleRewards,
} from './settled-rewards.ts';
import type { Lift } from './version-report.ts';

export type HistoryStep = 'hour' | 'day';

export const STEP_MS: Readonly<Record<HistoryStep, number>> = { hour: HOUR_MS, day: 24 * HOUR_MS };

/** Points that are answered: more than a chart can show, and each costs an arm two intervals (some 60 µs). */
const MAX_POINTS = 200;

/**
 * How the evidence grew, by the time of the calls: each point is over all units that were first served before it, with
 * the rewards known today. It is not what a report of that moment said: rewards come later than calls.
 */
export interface ExperimentHistory {
  readonly experiment: string;
  readonly metric: string;
  readonly optimize: 'max' | 'min';
  readonly missing: 'exclude' | 'zero';
  readonly scale: { readonly min: number; readonly max: number };
  readonly baseline: string;
  readonly by: HistoryStep;
  /** ISO 8601. */
  readonly generatedAt: string;
  readonly confidence: number;
  readonly method: string;
  /** In the order of the definition; arms that only traffic knows come last, ones without traffic have no point. */
  readonly arms: readonly ArmHistory[];
}

export interface ArmHistory {
  readonly arm: string;
  /** Null for an arm that the definition lacks. */
  readonly promptVersion: string | null;
  /** Oldest first; of many steps evenly chosen ones, the newest among them. */
  readonly points: readonly ArmHistoryPoint[];
}

export interface ArmHistoryPoint {
  /** ISO 8601: units first served before this are counted. */
  readonly until: string;
  readonly units: number;
  readonly mature: number;
  readonly mean: number | null;
  readonly lower: number;
  readonly upper: number;
  /** To the baseline; null for the baseline, for a strange arm, and where differences come from folded decisions only. */
  readonly difference: Lift | null;
}

type Counts = Pick<ArmTotals, 'outcomes' | 'closedOutcomes'> & {
  readonly delivered: number;
  readonly closedDelivered: number;
};

const NO_REWARDS = { n: 0, sum: 0, sumOfSquares: 0 };
const NOTHING: Counts = {
  delivered: 0,
  closedDelivered: 0,
  outcomes: NO_REWARDS,
  closedOutcomes: NO_REWARDS,
};

/** Cells of one step each, in any order. */
export function experimentHistory(
  experiment: Experiment,
  metric: Metric,
  options: { readonly cells: readonly ArmCell[]; readonly by: HistoryStep; readonly nowMs: number },
): ExperimentHistory {
  const { cells, by, nowMs } = options;
  const steps = [...new Set(cells.map(({ beginMs }) => beginMs))].sort((a, b) => a - b);
  const shown = evenlyChosen(steps.length);
  const defined = experiment.arms.map(({ name }) => name);
  const strangers = [...new Set(cells.map(({ arm }) => arm))].filter((arm) => !defined.includes(arm)).sort();
  const comparisons = defined.filter((name) => name !== experiment.baseline).length;
  const alpha = ALPHA / Math.max(1, comparisons);
  const totalsOf = (arm: string): readonly SettledTotals[] =>
    cumulated(
      steps,
      cells.filter((cell) => cell.arm === arm),
    ).map((counts) => ({ units: counts.delivered, settled: settleRewards(counts, metric) }));
  const baseline = totalsOf(experiment.baseline);

  const historyOf = (arm: string, promptVersion: string | null): ArmHistory => {
    const totals = arm === experiment.baseline ? baseline : totalsOf(arm);
    const isCompared = promptVersion !== null && arm !== experiment.baseline && !usesDirectDifference(metric);
    const points = shown.flatMap((index): readonly ArmHistoryPoint[] => {
      const [total, reference, beginMs] = [totals[index], baseline[index], steps[index]];
      // Before its first unit an arm has nothing to show.
      if (total === undefined || beginMs === undefined || total.units === 0) return [];
      const { units, settled } = total;
      const difference =
        isCompared && reference !== undefined
          ? liftOver(reference.settled, settled, { scale: metric.scale, alpha, confidence: CONFIDENCE })
          : null;
      return [
        {
          until: new Date(Math.min(nowMs, beginMs + STEP_MS[by])).toISOString(),
          units,
          mature: settled.mature,
          mean: meanReward(settled),
          ...meanInterval(settled, metric.scale, ALPHA),
          difference,
        },
      ];
    });
    return { arm, promptVersion, points };
  };

  return {
    experiment: experiment.name,
    metric: metric.name,
    optimize: metric.config.optimize,
    missing: metric.config.missing,
    scale: metric.scale,
    baseline: experiment.baseline,
    by,
    generatedAt: new Date(nowMs).toISOString(),
    confidence: CONFIDENCE,
    method: MEAN_METHOD,
    arms: [
      ...experiment.arms.map(({ name, version }) => historyOf(name, version)),
      ...strangers.map((name) => historyOf(name, null)),
    ],
  };
}

interface SettledTotals {
  readonly units: number;
  readonly settled: SettledRewards;
}

/** Indices of the points to show; the last one always. */
function evenlyChosen(count: number): readonly number[] {
  const stride = Math.ceil(count / MAX_POINTS);
  return Array.from({ length: count }, (_, index) => index).filter(
    (index) => (count - 1 - index) % stride === 0,
  );
}

/** Totals up to the end of each step. */
function cumulated(steps: readonly number[], cells: readonly ArmCell[]): readonly Counts[] {
  const cellByStep = new Map(cells.map((cell) => [cell.beginMs, cell]));
  let total = NOTHING;
  return steps.map((beginMs) => {
    const cell = cellByStep.get(beginMs);
    if (cell !== undefined) {
      total = {
        delivered: total.delivered + cell.units,
        closedDelivered: total.closedDelivered + cell.closedUnits,
        outcomes: added(total.outcomes, cell.outcomes),
        closedOutcomes: added(total.closedOutcomes, cell.closedOutcomes),
      };
    }
    return total;
  });
}

type Rewards = ArmTotals['outcomes'];

function added(a: Rewards, b: Rewards): Rewards {
  return { n: a.n + b.n, sum: a.sum + b.sum, sumOfSquares: a.sumOfSquares + b.sumOfSquares };
}
