import { formatJsonPath, type JsonPath } from './json-document.ts';
import type { GatewayConfig } from './schema.ts';

export interface EnvironmentVariable {
  readonly name: string;
  readonly description: string;
}

/** Variables with a fixed name. Those that the configuration names itself come from {@link variablesNamedBy}. */
export const FIXED_VARIABLES: readonly EnvironmentVariable[] = [
  {
    name: 'GATEWAY_CONFIG',
    description:
      'Path of the configuration file. Default: `gateway.config.json` in the working directory. `--config` wins over it.',
  },
  { name: 'HOST', description: 'Overrides `server.host`.' },
  { name: 'PORT', description: 'Overrides `server.port`: a whole number from 0 (any free port) to 65535.' },
  {
    name: 'DATABASE_URL',
    description:
      'Overrides `ledger.database_url`: `sqlite:PATH`, relative to the folder of the configuration file.',
  },
  {
    name: 'DEFAULT_PROMPT_VERSION',
    description:
      'Version of a call that names none: `v2` for every prompt, `tip=v2,digest=@live` by prompt, or both mixed (`v1,tip=v2`). ' +
      'A version or a label (`@live`). Unset: `v1`.',
  },
  { name: 'LOG_LEVEL', description: 'Overrides `log.level`: `silent`, `error`, `warn`, `info` or `debug`.' },
  { name: 'HTTPS_PROXY', description: 'Proxy for upstreams with `https:` URLs.' },
  { name: 'HTTP_PROXY', description: 'Proxy for upstreams with `http:` URLs.' },
  { name: 'NO_PROXY', description: 'Comma-separated hosts that are reached without proxy.' },
];

export interface NamedVariable {
  readonly name: string;
  /** What the variable sets, by path in the file. Empty for one that only decides whether a provider is in use. */
  readonly sets: readonly string[];
  /** Names of the providers that are in use only when it is set. */
  readonly requiredBy: readonly string[];
}

/** Every variable the configuration names, in the order of the file. */
export function variablesNamedBy(config: GatewayConfig): readonly NamedVariable[] {
  const sets = new Map<string, string[]>();
  const requiredBy = new Map<string, string[]>();
  const note = (variable: string | undefined, path: JsonPath): void => {
    if (variable !== undefined) sets.set(variable, [...(sets.get(variable) ?? []), formatJsonPath(path)]);
  };
  for (const [name, provider] of Object.entries(config.providers)) {
    if (provider.kind === 'offline') continue;
    note(provider.base_url_env, ['providers', name, 'base_url']);
    note(provider.api_key_env, ['providers', name, 'api_key']);
    for (const variable of provider.requires_env) {
      requiredBy.set(variable, [...(requiredBy.get(variable) ?? []), name]);
    }
  }
  for (const [name, route] of Object.entries(config.routes)) {
    for (const [index, target] of route.targets.entries()) {
      note(target.model_env, ['routes', name, 'targets', index, 'model']);
    }
  }
  note(config.ledger.unit_hash_key_env, ['ledger', 'unit_hash_key']);
  return [...new Set([...sets.keys(), ...requiredBy.keys()])].map((name) => ({
    name,
    sets: sets.get(name) ?? [],
    requiredBy: requiredBy.get(name) ?? [],
  }));
}
