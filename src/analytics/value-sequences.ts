import {
  foldDecision,
  type GammaExponentialSequence,
  gammaExponentialInterval,
  gammaExponentialSequence,
  type LoggedDecision,
} from '../statistics/index.ts';
import { type MetricScale, onScale } from './metric-scale.ts';
import type { OffPolicyInterval } from './off-policy-report.ts';

/** Cut of the reward model in the interval, as the evaluation over [0, 1] has it. */
export const DOUBLY_ROBUST_K = 0.5;

/** Share of evaluations whose interval may ever miss the value. */
const ALPHA = 0.05;

const METHOD = 'gamma-exponential confidence sequence';

/** The intervals of a target and of what was earned in truth, folded together. */
export interface ValueSequences {
  /** In decision order, each decision once, in the metric's own numbers; `qHat` known before the reward. */
  fold(decision: LoggedDecision): void;
  intervals(truncated: boolean): {
    /** Null without a decision, or when a reward was off the scale. */
    readonly target: OffPolicyInterval | null;
    readonly onPolicy: OffPolicyInterval | null;
  };
}

export function createValueSequences(scale: MetricScale): ValueSequences {
  let target = gammaExponentialSequence(DOUBLY_ROBUST_K);
  let onPolicy = gammaExponentialSequence(0);
  let isOnScale = scale.max > scale.min;

  const intervalOf = (sequence: GammaExponentialSequence, truncated: boolean): OffPolicyInterval | null => {
    if (!isOnScale || sequence.t === 0) return null;
    const interval = onScale(gammaExponentialInterval(sequence, ALPHA), scale);
    return { ...interval, confidence: 1 - ALPHA, method: METHOD, decisions: sequence.t, truncated };
  };

  return {
    fold: (decision) => {
      if (!isOnScale) return;
      if (decision.reward < scale.min || decision.reward > scale.max) {
        isOnScale = false;
        return;
      }
      const unit = rescaledDecision(decision, scale);
      target = foldDecision(target, unit);
      onPolicy = foldDecision(onPolicy, { ...unit, target: unit.propensities });
    },
    intervals: (truncated) => ({
      target: intervalOf(target, truncated),
      onPolicy: intervalOf(onPolicy, truncated),
    }),
  };
}

/** The sequence holds for rewards on [0, 1]. */
export function rescaledDecision(decision: LoggedDecision, { min, max }: MetricScale): LoggedDecision {
  const onUnit = (value: number): number => Math.min(1, Math.max(0, (value - min) / (max - min)));
  const { qHat } = decision;
  return {
    ...decision,
    reward: onUnit(decision.reward),
    ...(qHat === undefined ? {} : { qHat: qHat.map(onUnit) }),
  };
}
