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
  readonly cost_per_reward_usd: number | null;
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
  /** A value that an outcome of the metric may have. */
  readonly example_value: boolean | number | string;
  readonly scale: { readonly min: number; readonly max: number };
  readonly from: string | null;
  readonly to: string | null;
  readonly generated_at: string;
  readonly baseline: string | null;
  readonly evidence: 'anytime-valid' | 'descriptive';
  /** What filters can name. */
  readonly choices: {
    readonly metrics: readonly string[];
    readonly models: readonly string[];
    readonly experiments: readonly string[];
  };
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

export interface OverviewVersion extends Interval {
  readonly prompt_version: string;
  readonly known: boolean;
  readonly retired: boolean;
  /** Some label or the default leads users to it, or a running experiment. */
  readonly live: boolean;
  readonly generations: number;
  readonly mature: number;
  readonly pending: number;
  readonly mean: number | null;
  readonly confidence: number;
  readonly lift: Lift | null;
}

interface ByWindow<T> {
  readonly last_24h: T;
  readonly last_7d: T;
}

export interface OverviewPrompt {
  readonly prompt: string;
  /** What callers get that name no version. */
  readonly serves: {
    readonly reference: string;
    readonly source: 'env' | 'default';
    readonly version: string | null;
    readonly experiment: string | null;
    readonly problem: string | null;
  };
  readonly labels: readonly Label[];
  readonly experiments: readonly { readonly experiment: string; readonly state: string }[];
  readonly metric: string | null;
  readonly optimize: 'max' | 'min' | null;
  readonly scale: { readonly min: number; readonly max: number } | null;
  readonly baseline: string | null;
  readonly summary: string | null;
  readonly versions: readonly OverviewVersion[];
  readonly generations: ByWindow<number>;
  readonly cost_usd: ByWindow<number | null>;
  readonly error_share: ByWindow<number | null>;
  readonly degraded_share: ByWindow<number | null>;
}

export interface Attention {
  readonly code: string;
  readonly severity: 'critical' | 'warning' | 'info';
  readonly message: string;
  readonly prompt: string | null;
  readonly experiment: string | null;
  /** Path below the root of the gateway. */
  readonly link: string | null;
}

export interface Overview {
  readonly generated_at: string;
  /** Worst first. */
  readonly attention: readonly Attention[];
  readonly prompts: readonly OverviewPrompt[];
}

export interface TimePoint {
  readonly at: string;
  readonly generations: number;
  readonly delivered: number;
  readonly errors: number;
  readonly outcomes: number;
  readonly mean: number | null;
  readonly mature: number;
  readonly cost_usd: number | null;
  readonly cost_known: number;
  readonly latency_ms: { readonly p50: number | null; readonly p95: number | null };
}

export interface TimeSeriesReport {
  readonly prompt: string;
  readonly metric: string;
  readonly by: 'hour' | 'day';
  readonly from: string;
  readonly to: string;
  readonly series: readonly { readonly prompt_version: string; readonly points: readonly TimePoint[] }[];
  readonly label_moves: readonly Label[];
}

interface NamedChange<T> {
  readonly name: string;
  readonly from: T;
  readonly to: T;
}

export interface PromptDiff {
  readonly prompt: string;
  readonly same: boolean;
  /** Unified diff of the files; empty when they are equal. */
  readonly text: string;
  readonly variables: readonly NamedChange<string | null>[];
  readonly defaults: readonly NamedChange<unknown>[];
  readonly parameters: readonly NamedChange<unknown>[];
  readonly input_schema: string;
  readonly output_schema: string;
}

export interface RenderAnswer {
  readonly prompt_version: string;
  readonly messages: readonly Message[];
}

export interface GenerateAnswer {
  readonly id: string;
  readonly text: string;
  readonly output: unknown;
  readonly prompt_version: string | null;
  readonly route: string;
  readonly provider: string;
  readonly model: string;
  readonly degraded: boolean;
  readonly finish_reason: string;
  readonly usage: { readonly input_tokens: number | null; readonly output_tokens: number | null };
  readonly cost_usd: number | null;
  readonly latency_ms: number;
}
