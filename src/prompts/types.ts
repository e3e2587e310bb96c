import type { ChatMessage, Fault, JsonSchema, ModelParameters, Random } from '../kernel/index.ts';

export interface RenderInput {
  readonly variables: Readonly<Record<string, unknown>>;
  /** `profile_features` of the request: becomes `profile` in the template. Keys the schema does not declare are dropped. */
  readonly profile: Readonly<Record<string, unknown>> | null;
  /** Earlier turns for `{{history}}`. */
  readonly history: readonly ChatMessage[];
  /** Makes the boundaries of `{{fence}}`. */
  readonly random: Random;
}

export interface RenderedPrompt {
  readonly messages: readonly ChatMessage[];
  /** The variables as rendered: given values, then defaults. What the ledger stores. */
  readonly variables: Readonly<Record<string, unknown>>;
}

export type OutputCheck =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/** One immutable version of a prompt, compiled. */
export interface PromptVersion {
  readonly prompt: string;
  readonly version: string;
  /** `sha256:<64 hex>` over the LF-normalised file and, transitively, its partials. */
  readonly hash: string;
  /** Path relative to the prompts directory, `tip/v3.prompt`. */
  readonly file: string;
  readonly description: string | null;
  readonly retired: boolean;
  readonly locked: boolean;
  /** Model of the front matter; null: the route decides. */
  readonly model: string | null;
  readonly parameters: ModelParameters;
  /** Input as JSON Schema (Picoschema already expanded); null when the file declares none. */
  readonly inputSchema: JsonSchema | null;
  readonly inputDefaults: Readonly<Record<string, unknown>>;
  readonly outputFormat: 'text' | 'json';
  readonly outputSchema: JsonSchema | null;
  /** Lines of last resort (`gateway.fallback`); empty when the file has none. */
  readonly fallbackLines: readonly string[];
  /** The file's text, LF line ends. */
  readonly source: string;
  /**
   * Validates the variables and renders. Fails with `template_input_invalid` (422, all faults at once) and
   * `template_limit_exceeded` (422: loop steps or output size).
   */
  render(input: RenderInput): RenderedPrompt;
  /** Parses and validates a model's answer by `output`. Text formats always pass with the text itself. */
  checkOutput(text: string): OutputCheck;
}

export interface PromptFamily {
  readonly name: string;
  /** In natural order of the version names: v2 before v10. */
  readonly versions: readonly PromptVersion[];
}

/** One whole, consistent state of the prompts directory. Immutable; a reload makes a new one. */
export interface PromptRegistry {
  /** SHA-256 over all names, versions and hashes. */
  readonly hash: string;
  readonly prompts: readonly PromptFamily[];
  /** Warnings of the load: unused variables, differing input contracts. */
  readonly warnings: readonly Fault[];
  /** Fails with `prompt_not_found`, listing the known ones. */
  family(name: string): PromptFamily;
  /** Any version, retired ones too. Fails with `prompt_not_found` or `version_not_found`, listing the known ones. */
  version(name: string, version: string): PromptVersion;
}

export interface ReloadReport {
  readonly at: string;
  /** `name@version` */
  readonly reloaded: readonly string[];
  readonly unchanged: readonly string[];
  /** Faults by file. Not empty means: nothing was swapped, the last good registry stays. */
  readonly failed: readonly Fault[];
}

/** Holds the registry in force and swaps it whole. */
export interface PromptStore {
  current(): PromptRegistry;
  /** Reads the directory again. Never throws for faulty files: the report names them. */
  reload(): Promise<ReloadReport>;
  lastReload(): ReloadReport | null;
  /** Reloads when files change, until closed. */
  watch(): void;
  close(): Promise<void>;
}
