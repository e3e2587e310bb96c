import { isMetadataHost, LOG_LEVELS, type LogLevel } from '../kernel/index.ts';
import { type ConfigFault, environmentFault, METADATA_BASE_URL, suggestion } from './config-fault.ts';
import { readDatabaseUrl } from './database-url.ts';
import type { Environment } from './environment.ts';
import { formatJsonPath, type JsonPath } from './json-document.ts';
import type { GatewayConfig } from './schema.ts';
import { valueAt } from './schema-fault.ts';

/** Where a value of the configuration in force came from. */
export type ConfigOrigin = 'default' | 'file' | `environment ${string}`;

/** Faults of the variables that override the file. */
export function overrideFaults(environment: Environment): readonly ConfigFault[] {
  const faults: ConfigFault[] = [];
  const { logLevel, databaseUrl, host } = environment;
  if (logLevel !== null && !isLogLevel(logLevel)) {
    const hint = suggestion(logLevel, LOG_LEVELS, 'known levels');
    faults.push(environmentFault('LOG_LEVEL', `there is no level ${JSON.stringify(logLevel)}${hint}`));
  }
  const database = databaseUrl === null ? null : readDatabaseUrl(databaseUrl);
  if (database?.kind === 'refused') faults.push(environmentFault('DATABASE_URL', database.message));
  if (host !== null && /[\s/]/.test(host)) {
    faults.push(environmentFault('HOST', 'expected an address or a host name, such as 127.0.0.1 or 0.0.0.0'));
  }
  return faults;
}

/** Faults of the variables that hold base URLs. Never repeats a value: it may hold a password. */
export function baseUrlFaults(config: GatewayConfig, environment: Environment): readonly ConfigFault[] {
  // By variable: several providers may share one, and one of them may be allowed more than the others.
  const allowedBy = new Map<string, boolean>();
  for (const provider of Object.values(config.providers)) {
    if (provider.kind === 'offline' || provider.base_url_env === undefined) continue;
    const isAllowed = allowedBy.get(provider.base_url_env) ?? true;
    allowedBy.set(provider.base_url_env, isAllowed && provider.allow_link_local);
  }
  return [...allowedBy].flatMap(([variable, mayBeLinkLocal]) => {
    const value = environment.secret(variable);
    if (value === null) return [];
    if (!/^https?:\/\//i.test(value) || !URL.canParse(value)) {
      return environmentFault(variable, 'expected a URL that begins with http:// or https://');
    }
    const isRefused = !mayBeLinkLocal && isMetadataHost(new URL(value).hostname);
    return isRefused ? environmentFault(variable, METADATA_BASE_URL) : [];
  });
}

/** The configuration with the environment's values in place, and where each value came from. */
export function applyOverrides(
  fromFile: GatewayConfig,
  raw: unknown,
  environment: Environment,
): { readonly config: GatewayConfig; readonly origins: ReadonlyMap<string, ConfigOrigin> } {
  const config = structuredClone(fromFile);
  const origins = new Map<string, ConfigOrigin>();
  for (const path of leafPaths(config, [])) {
    origins.set(formatJsonPath(path), valueAt(raw, path) === undefined ? 'default' : 'file');
  }
  if (environment.port !== null) {
    config.server.port = environment.port;
    origins.set('server.port', 'environment PORT');
  }
  if (environment.host !== null) {
    config.server.host = environment.host;
    origins.set('server.host', 'environment HOST');
  }
  if (environment.databaseUrl !== null) {
    config.ledger.database_url = environment.databaseUrl;
    origins.set('ledger.database_url', 'environment DATABASE_URL');
  }
  if (environment.logLevel !== null && isLogLevel(environment.logLevel)) {
    config.log.level = environment.logLevel;
    origins.set('log.level', 'environment LOG_LEVEL');
  }
  return { config, origins };
}

/** Paths of everything that is not itself an object or list with entries. */
export function leafPaths(value: unknown, path: JsonPath): readonly JsonPath[] {
  if (value === null || typeof value !== 'object') return [path];
  const entries: readonly (readonly [string | number, unknown])[] = Array.isArray(value)
    ? value.map((inner, index) => [index, inner] as const)
    : Object.entries(value);
  if (entries.length === 0) return [path];
  return entries.flatMap(([step, inner]) => leafPaths(inner, [...path, step]));
}

function isLogLevel(level: string): level is LogLevel {
  return LOG_LEVELS.some((known) => known === level);
}
