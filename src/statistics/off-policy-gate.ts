/** Fewer than that many rows' worth of evidence decide nothing. */
const LEAST_EFFECTIVE_SAMPLE_SIZE = 100;

/** Below this share a few rows with great weights are the estimate. */
const LEAST_EFFECTIVE_SHARE = 0.01;

/** Target probability on arms that could not be chosen, as a share: what it may move the value by, at most. */
const MOST_WITHOUT_SUPPORT = 0.01;

/** The mean weight is 1 if the propensities are true; standard errors that it may be off by. */
const MOST_DEVIATIONS = 4;

/** A target equal to the logging policy has weights of 1 up to rounding, and no standard error to compare with. */
const ROUNDING = 1e-6;

export type OffPolicyFault =
  | 'support_missing'
  | 'small_effective_sample'
  | 'small_effective_share'
  | 'mean_weight_off';

export interface OffPolicyGate {
  /** False: refuse a verdict. */
  readonly ok: boolean;
  readonly reasons: readonly { readonly fault: OffPolicyFault; readonly message: string }[];
}

interface GateInput {
  readonly n: number;
  readonly effectiveSampleSize: number;
  readonly meanWeight: { readonly value: number; readonly standardError: number | null } | null;
  readonly shareWithoutSupport: number;
}

/** Whether a log can speak about a target at all, and every reason why not. */
export function gateOf(input: GateInput): OffPolicyGate {
  const { n, effectiveSampleSize, meanWeight, shareWithoutSupport } = input;
  const reasons: { fault: OffPolicyFault; message: string }[] = [];
  // The mean weight shows it too, but only once there are many decisions.
  if (shareWithoutSupport > MOST_WITHOUT_SUPPORT) {
    reasons.push({
      fault: 'support_missing',
      message: `${(100 * shareWithoutSupport).toFixed(1)} % of the target's probability lies on arms that could not be chosen (propensity 0): nothing is known of their reward.`,
    });
  }
  if (!(effectiveSampleSize >= LEAST_EFFECTIVE_SAMPLE_SIZE)) {
    reasons.push({
      fault: 'small_effective_sample',
      message: `The log is worth ${effectiveSampleSize.toFixed(1)} decisions of the target; ${LEAST_EFFECTIVE_SAMPLE_SIZE} are needed.`,
    });
  }
  if (!(effectiveSampleSize >= LEAST_EFFECTIVE_SHARE * n)) {
    reasons.push({
      fault: 'small_effective_share',
      message: `Only ${((100 * effectiveSampleSize) / n).toFixed(2)} % of the log speaks for the target; ${100 * LEAST_EFFECTIVE_SHARE} % is needed.`,
    });
  }
  if (meanWeight !== null) {
    const deviation = Math.abs(meanWeight.value - 1);
    if (deviation > MOST_DEVIATIONS * (meanWeight.standardError ?? 0) + ROUNDING) {
      reasons.push({
        fault: 'mean_weight_off',
        message: `The mean weight is ${meanWeight.value.toFixed(4)} instead of 1: the logged propensities are not true, or the target uses arms that were never possible.`,
      });
    }
  }
  return { ok: reasons.length === 0, reasons };
}
