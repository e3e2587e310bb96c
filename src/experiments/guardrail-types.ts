import type { Experiment, Guardrail } from './experiment-types.ts';

/** What an arm costs users compared with the baseline, as a guardrail sees it. */
export interface GuardrailArm {
  readonly arm: string;
  /** Mean of the baseline less that of the arm where more is better, else the reverse; null without data of both. */
  readonly loss: number | null;
  /** Confidence sequence of the loss. */
  readonly lower: number;
  readonly upper: number;
  /** The whole interval lies beyond the limit. */
  readonly breached: boolean;
}

export interface GuardrailFinding {
  /** {@link guardrailKey} */
  readonly key: string;
  /** Metric, or `error_rate`. */
  readonly guardrail: string;
  /** Loss that is tolerated. */
  readonly limit: number;
  /** Of all arms and guardrails of the experiment together. */
  readonly confidence: number;
  readonly method: string;
  readonly breached: boolean;
  /** Somebody resumed the experiment without it: it stops nothing. */
  readonly waived: boolean;
  readonly arms: readonly GuardrailArm[];
}

export interface SampleRatioFinding {
  readonly alarm: boolean;
  readonly pValue: number;
  readonly units: number;
}

/** Looks after a running experiment: reads rollups only. */
export interface ExperimentHealth {
  /** Fails with `storage_unavailable`. */
  guardrails(experiment: Experiment): Promise<readonly GuardrailFinding[]>;
  /** Fails with `storage_unavailable`. */
  sampleRatio(experiment: Experiment): Promise<SampleRatioFinding>;
}

/** Names a limit: another number makes another guardrail. */
export function guardrailKey(guardrail: Guardrail): string {
  return guardrail.kind === 'error_rate'
    ? `error_rate:${guardrail.maxIncrease}`
    : `metric:${guardrail.metric}:${guardrail.maxLoss}`;
}
