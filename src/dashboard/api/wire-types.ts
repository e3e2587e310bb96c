/** Answers of the gateway that several pages read. The whole of each is in `/openapi.json`. */

export type Scope = 'generate' | 'feedback' | 'read' | 'admin';

export interface Session {
  readonly signed_in: boolean;
  /** The gateway has no keys: everybody who reaches it may do everything. */
  readonly open: boolean;
  readonly key_id: string | null;
  readonly key_name: string | null;
  readonly scopes: readonly Scope[];
  readonly csrf_token: string | null;
  readonly expires_at: string | null;
}

export type LabelTarget = { readonly version: string } | { readonly experiment: string };

export interface Label {
  readonly prompt: string;
  readonly label: string;
  readonly target: LabelTarget;
  readonly previous: LabelTarget | null;
  readonly sequence: number;
  readonly moved_at: string;
  readonly reason: string;
  readonly actor: string;
  readonly seeded: boolean;
}

export interface VersionSummary {
  readonly version: string;
  readonly hash: string;
  readonly description: string | null;
  readonly retired: boolean;
  readonly locked: boolean;
}

export interface Prompt {
  readonly name: string;
  readonly versions: readonly VersionSummary[];
  readonly labels: readonly Label[];
}

export interface PromptVersion extends VersionSummary {
  readonly prompt: string;
  readonly file: string;
  readonly model: string | null;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly input_schema: Readonly<Record<string, unknown>> | null;
  readonly input_defaults: Readonly<Record<string, unknown>>;
  readonly output_format: 'text' | 'json';
  readonly output_schema: Readonly<Record<string, unknown>> | null;
  readonly fallback_lines: readonly string[];
  readonly source: string;
}

export interface Interval {
  readonly lower: number;
  readonly upper: number;
}

export interface Lift extends Interval {
  readonly difference: number | null;
  readonly confidence: number;
}

export interface VersionReportRow extends Interval {
  readonly prompt_version: string;
  readonly known: boolean;
  readonly retired: boolean;
  readonly generations: number;
  readonly delivered: number;
  readonly outcomes: number;
  readonly mature: number;
  readonly pending: number;
  readonly mean: number | null;
  readonly confidence: number;
  readonly method: string;
  readonly lift: Lift | null;
  readonly latency_ms: { readonly p50: number | null; readonly p95: number | null };
  readonly cost_usd: number | null;
  readonly cost_known: number;
  readonly mean_cost_usd: number | null;
  readonly cost_per_reward_usd?: number | null;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly error_share: number;
  readonly fallback_share: number;
  readonly degraded_share: number;
  readonly client_closed_share: number;
  readonly sum: number;
}

export interface VersionReport {
  readonly prompt: string;
  readonly metric: string;
  readonly optimize: 'max' | 'min';
  readonly missing: 'exclude' | 'zero';
  readonly attribution_window_hours: number;
  readonly scale: { readonly min: number; readonly max: number };
  readonly from: string | null;
  readonly to: string | null;
  readonly generated_at: string;
  readonly baseline: string | null;
  readonly evidence: 'anytime-valid' | 'descriptive';
  readonly summary: string;
  readonly warnings: readonly {
    readonly code: string;
    readonly prompt_version: string;
    readonly message: string;
  }[];
  readonly versions: readonly VersionReportRow[];
}

export interface Message {
  readonly role: string;
  readonly content: unknown;
}
