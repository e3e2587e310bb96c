import type { Message } from './wire-types.ts';

/** Calls as the gateway answers them. The whole of each is in `/openapi.json`. */

export type GenerationStatus = 'ok' | 'error' | 'incomplete' | 'client_closed';

export interface GenerationSummary {
  readonly id: string;
  readonly created_at: string;
  readonly external_id: string | null;
  readonly prompt: string | null;
  readonly prompt_version: string | null;
  readonly label: string | null;
  readonly experiment: string | null;
  readonly arm: string | null;
  readonly status: GenerationStatus;
  readonly error_code: string | null;
  readonly provider: string | null;
  readonly model: string | null;
  readonly forced: boolean;
  readonly degraded: boolean;
  readonly fell_back: boolean;
  readonly test: boolean;
  readonly replay: boolean;
  readonly shadow_of: string | null;
  readonly cost_usd: number | null;
  readonly latency_ms: number;
  readonly text_start: string | null;
  readonly rewards: readonly { readonly metric: string; readonly reward: number }[];
}

export interface GenerationList {
  readonly generations: readonly GenerationSummary[];
  readonly next_cursor: string | null;
  /** Time down to which calls were looked at; null with the last page. */
  readonly searched_until: string | null;
}

export interface GenerationAttempt {
  readonly provider: string;
  readonly model: string;
  readonly started_ms: number;
  readonly duration_ms: number;
  readonly outcome: string;
  readonly status: number | null;
  readonly error: string | null;
}

export interface GenerationOutcome {
  readonly outcome_id: string;
  readonly metric: string;
  readonly value: unknown;
  readonly reward: number;
  /** This one is the reward of the call. */
  readonly counts: boolean;
  readonly voided: boolean;
  readonly test: boolean;
  readonly source: string;
  readonly api_key_id: string;
  readonly occurred_at: string | null;
  readonly received_at: string;
}

export interface Generation extends Omit<GenerationSummary, 'latency_ms' | 'text_start' | 'rewards'> {
  readonly surface: 'generate' | 'chat';
  readonly finished_at: string;
  readonly api_key_id: string;
  readonly request_id: string;
  readonly prompt_hash: string | null;
  readonly version_source: string | null;
  readonly propensity: number | null;
  readonly propensities: Readonly<Record<string, number>> | null;
  readonly assigned_policy_revision: string | null;
  readonly delivered: boolean;
  readonly streamed: boolean;
  readonly variables: Readonly<Record<string, unknown>> | null;
  readonly profile_features: Readonly<Record<string, unknown>> | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly tags: readonly string[];
  readonly route: string | null;
  readonly finish_reason: string | null;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly total_ms: number;
  readonly provider_ms: number;
  readonly overhead_ms: number;
  readonly first_token_ms: number | null;
  readonly commit_wait_ms: number;
  readonly text: string | null;
  readonly output: unknown;
  readonly tool_calls: readonly unknown[];
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly attempts: readonly GenerationAttempt[];
  readonly outcomes: readonly GenerationOutcome[];
  readonly rendered?: {
    readonly source: 'recorded' | 'reconstructed';
    readonly messages: readonly Message[];
  } | null;
  readonly rendered_missing?: RenderedMissing | null;
}

export type RenderedMissing =
  | 'version_gone'
  | 'content_changed'
  | 'redacted'
  | 'not_recorded'
  | 'render_failed';
