import { isMetadataHost, readNetwork } from '../kernel/index.ts';
import { METADATA_BASE_URL, suggestion } from './config-fault.ts';
import { readDatabaseUrl } from './database-url.ts';
import { experimentFaults, experimentWarnings } from './experiment-checks.ts';
import type { JsonPath } from './json-document.ts';
import { labelsFaults } from './labels-checks.ts';
import { policyFaults } from './policy-checks.ts';
import { retentionFaults } from './retention-checks.ts';
import { rolloutFaults } from './rollout-checks.ts';
import type { GatewayConfig, MetricConfig } from './schema.ts';
import { type PathFault, valueAt } from './schema-fault.ts';
import { shadowFaults } from './shadow-checks.ts';

export interface CrossCheckInput {
  /** Parsed, with defaults; where the file was faulty, those places hold defaults too. */
  readonly config: GatewayConfig;
  /** The document as written, to tell a default from a written value and to know every declared name. */
  readonly raw: unknown;
}

export interface CrossCheckFault extends PathFault {
  /** Every place the check looked at: a fault found there already makes this one moot. */
  readonly basedOn: readonly JsonPath[];
}

const REDACTABLE = ['variables', 'profile_features', 'metadata', 'features', 'context'];

/** What a schema cannot say: references between sections, order of limits, meaning of strings. */
export function crossCheck(input: CrossCheckInput): readonly CrossCheckFault[] {
  return [
    ...referenceFaults(input),
    ...metricFaults(input.config),
    ...providerFaults(input.config),
    ...limitFaults(input),
    ...textFaults(input.config),
    ...retentionFaults(input.config).map((found) => fault(found.path, found.message, [['metrics']])),
    ...experimentFaults(input.config, declared(input.raw, 'metrics', input.config.metrics)).map((found) =>
      fault(found.path, found.message),
    ),
    ...shadowFaults(
      input.config,
      declared(input.raw, 'routes', input.config.routes),
      declared(input.raw, 'policies', {}) ?? [],
    ).map((found) => fault(found.path, found.message)),
    ...rolloutFaults(input.config, {
      experiments: declared(input.raw, 'experiments', input.config.experiments) ?? [],
      policies: declared(input.raw, 'policies', {}) ?? [],
      metrics: declared(input.raw, 'metrics', input.config.metrics),
    }).map((found) => fault(found.path, found.message)),
    ...policyFaults(input.config, declared(input.raw, 'metrics', input.config.metrics)).map((found) =>
      fault(found.path, found.message),
    ),
    ...labelsFaults(input.config, declared(input.raw, 'experiments', input.config.experiments) ?? []).map(
      (found) => fault(found.path, found.message, [['experiments']]),
    ),
  ];
}

/** What works but is probably not meant. */
export function crossCheckWarnings(config: GatewayConfig): readonly PathFault[] {
  const used = new Set(
    Object.values(config.routes).flatMap((route) => route.targets.map((target) => target.provider)),
  );
  const warnings: PathFault[] = [...experimentWarnings(config)];
  for (const [name, provider] of Object.entries(config.providers)) {
    const path = ['providers', name];
    if (!used.has(name)) warnings.push({ path, message: 'no route has a target with this provider' });
    if (provider.kind !== 'openai' || provider.base_url !== undefined) continue;
    const variable = provider.base_url_env;
    if (variable !== undefined && !provider.requires_env.includes(variable)) {
      const message = `without ${variable} the provider has no base URL: add it to "requires_env"`;
      warnings.push({ path, message });
    }
  }
  for (const [name, metric] of Object.entries(config.metrics)) {
    if (metric.type !== 'categorical') continue;
    const rewards = new Set(Object.values(metric.values));
    if (rewards.size === 1 && Object.keys(metric.values).length > 1) {
      const message = 'every category has the same reward: versions cannot differ by this metric';
      warnings.push({ path: ['metrics', name, 'values'], message });
    }
  }
  return warnings;
}

function referenceFaults({ config, raw }: CrossCheckInput): readonly CrossCheckFault[] {
  const faults: CrossCheckFault[] = [];
  const providers = declared(raw, 'providers', config.providers);
  const routes = declared(raw, 'routes', config.routes);
  const metrics = declared(raw, 'metrics', config.metrics);
  for (const [route, { targets }] of Object.entries(config.routes)) {
    for (const [index, target] of targets.entries()) {
      if (providers === null || providers.includes(target.provider)) continue;
      const path = ['routes', route, 'targets', index, 'provider'];
      const hint = suggestion(target.provider, providers, 'declared providers');
      faults.push(fault(path, `no provider is named "${target.provider}"${hint}`));
    }
  }
  if (routes !== null && !routes.includes(config.default_route)) {
    const hint = suggestion(config.default_route, routes, 'declared routes');
    const message = `no route is named "${config.default_route}"${hint}`;
    faults.push(fault(['default_route'], message));
  }
  for (const [prompt, settings] of Object.entries(config.prompts.settings)) {
    const metric = settings.primary_metric;
    if (metric === undefined || metrics === null || metrics.includes(metric)) continue;
    const hint = suggestion(metric, metrics, 'declared metrics');
    const path = ['prompts', 'settings', prompt, 'primary_metric'];
    faults.push(fault(path, `no metric is named "${metric}"${hint}`));
  }
  return faults;
}

function metricFaults(config: GatewayConfig): readonly CrossCheckFault[] {
  if (Object.keys(config.metrics).length === 0) {
    return [fault(['metrics'], 'declare at least one metric, or leave "metrics" out')];
  }
  return Object.entries(config.metrics).flatMap(([name, metric]) => metricFault(name, metric) ?? []);
}

function metricFault(name: string, metric: MetricConfig): CrossCheckFault | null {
  if (metric.type === 'categorical' && Object.keys(metric.values).length === 0) {
    return fault(['metrics', name, 'values'], 'needs at least one category');
  }
  if (metric.type === 'float' && !(metric.min < metric.max)) {
    const message = `"min" (${metric.min}) must be below "max" (${metric.max})`;
    return fault(['metrics', name, 'min'], message, [['metrics', name, 'max']]);
  }
  if (metric.type === 'float' && !Number.isFinite(metric.max - metric.min)) {
    const message = `${metric.min} to ${metric.max} is too wide a range to be measured`;
    return fault(['metrics', name, 'max'], message, [['metrics', name, 'min']]);
  }
  return null;
}

function providerFaults(config: GatewayConfig): readonly CrossCheckFault[] {
  const faults: CrossCheckFault[] = [];
  for (const [name, provider] of Object.entries(config.providers)) {
    if (provider.kind === 'offline') continue;
    const path = ['providers', name];
    if (
      provider.kind === 'openai' &&
      provider.base_url === undefined &&
      provider.base_url_env === undefined
    ) {
      const message = 'needs "base_url" or "base_url_env"';
      faults.push(
        fault(path, message, [
          [...path, 'base_url'],
          [...path, 'base_url_env'],
        ]),
      );
    }
    if (provider.base_url === undefined) continue;
    const url = new URL(provider.base_url);
    if (url.username !== '' || url.password !== '') {
      const message = 'holds a user or password: name the variable of the key in "api_key_env" instead';
      faults.push(fault([...path, 'base_url'], message));
    }
    if (!provider.allow_link_local && isMetadataHost(url.hostname)) {
      faults.push(fault([...path, 'base_url'], METADATA_BASE_URL));
    }
    if (url.search !== '' || url.hash !== '') {
      faults.push(fault([...path, 'base_url'], 'a base URL has neither "?" nor "#"'));
    }
  }
  return faults;
}

/** Pairs where the first may not exceed the second. */
const ORDERED_LIMITS = [
  ['timeout', 'first_token_ms', 'total_ms'],
  ['timeout', 'idle_ms', 'total_ms'],
  ['timeout', 'connect_ms', 'total_ms'],
  ['retries', 'attempts_per_target', 'max_attempts'],
  ['retries', 'backoff_ms', 'max_backoff_ms'],
] as const;

/** A default that exceeds a written bound is lowered to it in place; two written values that disagree are a fault. */
export function lowerDefaultsToBounds({ config, raw }: CrossCheckInput): void {
  for (const { section, lower, upper, isWritten } of limitPairs(config, raw)) {
    const bound = section[upper];
    if (!isWritten(lower) && (section[lower] ?? 0) > (bound ?? 0)) Object.assign(section, { [lower]: bound });
  }
}

function limitFaults({ config, raw }: CrossCheckInput): readonly CrossCheckFault[] {
  const faults: CrossCheckFault[] = [];
  for (const { path, section, lower, upper, isWritten } of limitPairs(config, raw)) {
    const value = section[lower] ?? 0;
    const bound = section[upper] ?? 0;
    if (!isWritten(lower) || value <= bound) continue;
    const origin = isWritten(upper) ? '' : ', its default';
    const message = `${value} is more than "${upper}" (${bound}${origin}): lower this one or raise that one`;
    faults.push(fault([...path, lower], message, [[...path, upper]]));
  }
  return faults;
}

function limitPairs(config: GatewayConfig, raw: unknown) {
  return Object.entries(config.routes).flatMap(([name, route]) =>
    ORDERED_LIMITS.map(([group, lower, upper]) => {
      const path = ['routes', name, group];
      const section: Readonly<Record<string, number>> = route[group];
      const isWritten = (key: string): boolean => valueAt(raw, [...path, key]) !== undefined;
      return { path, section, lower, upper, isWritten };
    }),
  );
}

function textFaults(config: GatewayConfig): readonly CrossCheckFault[] {
  const faults: CrossCheckFault[] = [];
  const database = readDatabaseUrl(config.ledger.database_url);
  if (database.kind === 'refused') faults.push(fault(['ledger', 'database_url'], database.message));
  for (const [index, host] of config.server.allowed_hosts.entries()) {
    if (isHostName(host)) continue;
    const message = `${JSON.stringify(host)} is not a host name: write it without scheme, port and path`;
    faults.push(fault(['server', 'allowed_hosts', index], message));
  }
  for (const [index, network] of config.server.trusted_proxies.entries()) {
    if (readNetwork(network) !== null) continue;
    const message = `${JSON.stringify(network)} is neither an address nor a network: write 10.0.0.7 or 10.0.0.0/8`;
    faults.push(fault(['server', 'trusted_proxies', index], message));
  }
  for (const [index, path] of config.ledger.redact.entries()) {
    const [root = '', ...steps] = path.split('.');
    const place = ['ledger', 'redact', index];
    if (!REDACTABLE.includes(root)) {
      const message = `${JSON.stringify(path)} must begin with ${REDACTABLE.map((root) => `${root}.`).join(', ')}`;
      faults.push(fault(place, message));
    } else if (steps.length === 0 || steps.includes('')) {
      faults.push(
        fault(
          place,
          `${JSON.stringify(path)} names nothing below "${root}": write ${root}.email or ${root}.*`,
        ),
      );
    }
  }
  return faults;
}

/** A name or address as in a `Host` header, without port: `gateway.internal`, `10.0.0.7`, `[::1]`. */
function isHostName(host: string): boolean {
  return /^(?:[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]+\]|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+)$/.test(
    host,
  );
}

/**
 * Names as written, so that a fault inside one entry does not also make every reference to it one. Null when the
 * section itself is missing or no object: then nothing can be said about references to it.
 */
function declared(
  raw: unknown,
  section: string,
  defaults: Readonly<Record<string, unknown>>,
): readonly string[] | null {
  const written = valueAt(raw, [section]);
  if (written === undefined) return Object.keys(defaults).length === 0 ? null : Object.keys(defaults);
  return written !== null && typeof written === 'object' ? Object.keys(written) : null;
}

function fault(path: JsonPath, message: string, alsoBasedOn: readonly JsonPath[] = []): CrossCheckFault {
  return { path, message, basedOn: [path, ...alsoBasedOn] };
}
