/**
 * The environment as the gateway understands it: the only place beside `main.ts` that reads it. Empty means unset.
 */
export interface Environment {
  readonly port: number | null;
  readonly host: string | null;
  readonly databaseUrl: string | null;
  /** Path of the configuration file. */
  readonly configPath: string | null;
  readonly defaultPromptVersion: DefaultPromptVersion;
  readonly logLevel: string | null;
  /** Value of any variable the configuration names (`api_key_env` and the like); null when unset or empty. */
  secret(name: string): string | null;
}

/** `DEFAULT_PROMPT_VERSION`: `v2` for every prompt, `tip=v2,digest=@live` by prompt, or both mixed. */
export interface DefaultPromptVersion {
  readonly everywhere: string | null;
  readonly byPrompt: ReadonlyMap<string, string>;
}
