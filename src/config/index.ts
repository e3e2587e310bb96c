export { configJsonSchemaText, configMarkdown } from './config-documents.ts';
export type { ConfigFault } from './config-fault.ts';
export { describeConfig } from './describe-config.ts';
export type { DefaultPromptVersion, Environment } from './environment.ts';
export { experimentMetric } from './experiment-checks.ts';
export { type LoadedConfig, loadConfig } from './load-config.ts';
export { loadEnvironment, readEnvironment } from './load-environment.ts';
export { primaryMetricOf } from './primary-metric.ts';
export {
  configSchema,
  type GatewayConfig,
  type MetricConfig,
  type ProviderConfig,
  type RouteConfig,
} from './schema.ts';
