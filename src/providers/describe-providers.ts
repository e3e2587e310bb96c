import type { Environment, GatewayConfig, ProviderConfig } from '../config/index.ts';
import { normaliseBaseUrl } from './transport/index.ts';

/** One configured provider as found at start. */
export interface ProviderDescription {
  readonly name: string;
  readonly kind: ProviderConfig['kind'];
  readonly inUse: boolean;
  /** Which variables were found or are missing, by name; never a value. */
  readonly reason: string;
  /** Variables that would bring it into use. */
  readonly missing: readonly string[];
}

const ANTHROPIC_BASE_URL = 'https://api.anthropic.com';

/** What the start banner says of each provider: in use or not, and why. */
export function describeProviders(
  config: GatewayConfig,
  environment: Environment,
): readonly ProviderDescription[] {
  return Object.entries(config.providers).map(([name, provider]) =>
    describeProvider(name, provider, environment),
  );
}

export function describeProvider(
  name: string,
  provider: ProviderConfig,
  environment: Environment,
): ProviderDescription {
  const { kind } = provider;
  if (provider.kind === 'offline') {
    return { name, kind, inUse: true, reason: 'authored lines of the prompts', missing: [] };
  }
  const missing = provider.requires_env.filter((variable) => environment.secret(variable) === null);
  if (missing.length === 0) {
    const { base_url_env: urlVariable, api_key_env: keyVariable } = provider;
    if (provider.kind === 'openai' && provider.base_url === undefined) {
      if (urlVariable === undefined) {
        return { name, kind, inUse: false, reason: 'it has neither base_url nor base_url_env', missing: [] };
      }
      if (environment.secret(urlVariable) === null) missing.push(urlVariable);
    }
    if (
      provider.kind === 'anthropic' &&
      keyVariable !== undefined &&
      environment.secret(keyVariable) === null &&
      baseUrlOf(name, provider, environment) === ANTHROPIC_BASE_URL
    ) {
      missing.push(keyVariable);
    }
  }
  if (missing.length > 0) {
    return { name, kind, inUse: false, reason: `${missing.join(' and ')} not set`, missing };
  }
  const found = [provider.base_url_env, provider.api_key_env, ...provider.requires_env].filter(
    (variable) => variable !== undefined && environment.secret(variable) !== null,
  );
  const reason = found.length === 0 ? 'configured' : `${[...new Set(found)].join(' and ')} set`;
  return { name, kind, inUse: true, reason, missing: [] };
}

/** The base URL of a provider in use. Fails with `config_invalid` naming where the bad one stands. */
export function baseUrlOf(
  name: string,
  provider: Exclude<ProviderConfig, { kind: 'offline' }>,
  environment: Environment,
): string {
  const variable = provider.base_url_env;
  const fromEnvironment = variable === undefined ? null : environment.secret(variable);
  const source = fromEnvironment === null ? `providers.${name}.base_url` : `the environment's ${variable}`;
  const text = fromEnvironment ?? provider.base_url;
  if (provider.kind === 'anthropic') {
    // The SDK adds /v1/messages on its own.
    return normaliseBaseUrl(text ?? ANTHROPIC_BASE_URL, source, '').replace(/\/v1$/, '');
  }
  return normaliseBaseUrl(text ?? '', source, '/v1');
}
