import type { Experiment } from '../experiments/index.ts';
import { differenceInterval, gammaExponentialInterval, type Interval } from '../statistics/index.ts';
import type { ArmDifference, DriftSafeReport, SequenceReport } from './experiment-report.ts';
import { differenceOnScale, type MetricScale, onScale } from './metric-scale.ts';
import { type SequenceState, STATE_FORMAT } from './sequence-state.ts';
import type { SequenceHead } from './sequence-store.ts';
import type { Metric } from './settled-rewards.ts';
import { foldedOutcomesToSettle } from './settling-forecast.ts';

const VALUE_METHOD = 'gamma-exponential confidence sequence on logged propensities';
const DIFFERENCE_METHOD = 'direct difference sequence on logged propensities';

/** Below this p-value the folded decisions do not come in the arms as logged: one sound experiment in a thousand. */
const UNBALANCED_BELOW = 0.001;

/** Why nothing is said of folded decisions: they do not fit their propensities, or the scale of the metric. */
type SequenceFault = 'unbalanced' | 'off_scale' | null;

export interface ExperimentSequences {
  /** Null: no hour is closed, or nothing was folded yet. */
  readonly report: SequenceReport | null;
  readonly fault: SequenceFault;
  /** Null: nothing to say (yet), or an arm the definition lacks. */
  driftSafeOf(arm: string): DriftSafeReport | null;
  /** Holds with `alpha` for this difference, and states the confidence of all of them. */
  differenceOf(arm: string, alpha: number): ArmDifference;
  /** More outcomes of the arm and the baseline together until the difference leaves out 0; null: too far away. */
  moreOutcomesOf(arm: string, alpha: number): number | null;
}

/** Which interval the verdict uses. Fixed by the declaration of the metric, never by what was seen. */
export function usesDirectDifference({ config }: Metric): boolean {
  // Where silent units are left out, arms whose users answer more often come more often than logged: the direct sequence
  // would take that for value, two means of answers do not.
  return config.missing === 'zero';
}

/** What the folded decisions say; reads the newest state alone, however many decisions there were. */
export function experimentSequences(
  experiment: Experiment,
  metric: Metric,
  head: SequenceHead | null,
  confidence: number,
): ExperimentSequences {
  const state = stateOf(head, experiment);
  const fault = faultOf(state);
  const usable = state !== null && state.decisions > 0 && fault === null ? state : null;
  const baseline = experiment.arms.findIndex(({ name }) => name === experiment.baseline);
  const indexOf = (arm: string): number => experiment.arms.findIndex(({ name }) => name === arm);
  const foldedUntil = head === null || head.foldedUntilMs === 0 ? null : iso(head.foldedUntilMs);

  const differenceSequenceOf = (arm: string) =>
    usable?.differences.find((sequence) => sequence.arm === indexOf(arm)) ?? null;

  return {
    fault,
    report:
      head === null || foldedUntil === null
        ? null
        : {
            foldedUntil,
            correctedThrough: iso(Math.min(head.soundUntilMs, head.foldedUntilMs)),
            corrections: head.corrections,
            decisions: state?.decisions ?? 0,
            unanswered: state?.unanswered ?? 0,
            unusable: state?.unusable ?? 0,
          },
    driftSafeOf: (arm) => {
      const index = indexOf(arm);
      const sequence = usable?.values[index];
      if (usable === null || sequence === undefined || foldedUntil === null) return null;
      const interval = gammaExponentialInterval(sequence, 1 - confidence);
      const estimate = (usable.estimates[index] ?? 0) / usable.decisions;
      return {
        ...shown(interval, estimate, (ends) => onScale(ends, metric.scale)),
        confidence,
        decisions: usable.decisions,
        foldedUntil,
        method: VALUE_METHOD,
      };
    },
    differenceOf: (arm, alpha) => {
      const sequence = differenceSequenceOf(arm);
      const named = { confidence, method: DIFFERENCE_METHOD };
      if (usable === null || sequence === null) return { difference: null, ...whole(metric.scale), ...named };
      const gap = (usable.estimates[indexOf(arm)] ?? 0) - (usable.estimates[baseline] ?? 0);
      const interval = differenceInterval(sequence, alpha);
      const { mean, lower, upper } = shown(interval, gap / usable.decisions, (ends) =>
        differenceOnScale(ends, metric.scale),
      );
      return { difference: mean, lower, upper, ...named };
    },
    moreOutcomesOf: (arm, alpha) => {
      const sequence = differenceSequenceOf(arm);
      if (usable === null || sequence === null) return null;
      const outcomes = (usable.rewards[indexOf(arm)]?.n ?? 0) + (usable.rewards[baseline]?.n ?? 0);
      return foldedOutcomesToSettle({ sequence, outcomes, alpha });
    },
  };
}

/** Null: none yet, or of another format, which is being folded anew. */
function stateOf(head: SequenceHead | null, { arms }: Experiment): SequenceState | null {
  const state = head?.checkpoint?.state;
  if (state === undefined || state.format !== STATE_FORMAT) return null;
  return state.arms.length === arms.length ? state : null;
}

function faultOf(state: SequenceState | null): SequenceFault {
  if (state === null) return null;
  if (state.offScale > 0) return 'off_scale';
  return state.balance.p < UNBALANCED_BELOW ? 'unbalanced' : null;
}

/** In numbers of the metric; an estimate that chance has put outside its interval is shown at its nearer end. */
function shown(
  interval: Interval,
  estimate: number,
  scaled: (ends: Interval) => Interval,
): Interval & { readonly mean: number } {
  const inside = Math.min(interval.upper, Math.max(interval.lower, estimate));
  return { ...scaled(interval), mean: scaled({ lower: inside, upper: inside }).lower };
}

function whole({ min, max }: MetricScale): Interval {
  return { lower: min - max, upper: max - min };
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
