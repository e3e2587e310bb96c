import { relative } from 'node:path';
import { type GatewayConfig, type MetricConfig, primaryMetricOf } from '../config/index.ts';
import { gatewayVersion } from '../version.ts';
import type { RunningGateway } from './start-gateway.ts';

/** What a person sees at the start: at most 20 lines, with two commands to copy that work with this configuration. */
export function startBanner(gateway: RunningGateway): string {
  const { url, config, prompts, providers } = gateway;
  const inUse = providers.filter((provider) => provider.inUse && provider.kind !== 'offline');
  const families = prompts
    .current()
    .prompts.map((family) => `${family.name} ${family.versions.map((version) => version.version).join(' ')}`);
  const key = gateway.isOpen ? '' : `-H "authorization: Bearer $PROMPT_GATEWAY_KEY" `;
  const json = `${key}-H 'content-type: application/json'`;
  const prompt = config.config.prompts.default;
  const call = { prompt, variables: {}, external_id: `${prompt}-1` };
  const outcome = exampleOutcome(config.config, prompt);
  return [
    `prompt-gateway ${gatewayVersion()} listens on ${url}`,
    `  docs       ${url}/docs`,
    `  metrics    ${url}/metrics`,
    `  store      ${relative(process.cwd(), config.databaseFile)} (SQLite, durability: ${config.config.ledger.durability})`,
    `  prompts    ${families.join(', ')}`,
    `  providers  ${inUse.length === 0 ? 'offline' : inUse.map((provider) => provider.name).join(', ')}`,
    `  access     ${gateway.isOpen ? 'open, because it listens on loopback only' : 'API keys'}`,
    `  sign in    ${gateway.signInUrl === null ? 'with a key: the database takes no writes' : `${gateway.signInUrl} (once, within 10 minutes)`}`,
    ...gateway.warnings.map((warning) => `  warning    ${warning.path}: ${warning.message}`),
    '',
    gateway.isOpen ? 'Try it:' : 'Try it, with a key in PROMPT_GATEWAY_KEY:',
    `  curl -s ${url}/generate ${json} -d '${JSON.stringify(call)}'`,
    ...(outcome === null ? [] : [`  curl -s ${url}/feedback ${json} -d '${JSON.stringify(outcome)}'`]),
    '',
  ].join('\n');
}

/** The best a user could say, by the metric that the prompt's report shows first. */
function exampleOutcome(config: GatewayConfig, prompt: string): Record<string, unknown> | null {
  const name = primaryMetricOf(config, prompt);
  const metric = name === null ? undefined : config.metrics[name];
  if (metric === undefined) return null;
  return { external_id: `${prompt}-1`, metric: name, value: exampleValue(metric) };
}

function exampleValue(metric: MetricConfig): unknown {
  switch (metric.type) {
    case 'boolean':
      return metric.optimize === 'max';
    case 'float':
      return metric.optimize === 'max' ? metric.max : metric.min;
    case 'categorical':
      return Object.keys(metric.values)[0];
    default: {
      const never: never = metric;
      return never;
    }
  }
}
