export { configJsonSchemaText, configMarkdown } from './config-documents.ts';
export type { ConfigFault } from './config-fault.ts';
export { type ConfigStore, createConfigStore } from './config-store.ts';
export type { ConfigReloadReport } from './config-types.ts';
export { describeConfig } from './describe-config.ts';
export type { DefaultPromptVersion, Environment } from './environment.ts';
export { experimentMetric } from './experiment-checks.ts';
export { type LoadedConfig, loadConfig } from './load-config.ts';
export { loadEnvironment, readEnvironment } from './load-environment.ts';
export { policyMetric } from './policy-checks.ts';
export { primaryMetricOf } from './primary-metric.ts';
export {
  configSchema,
  type GatewayConfig,
  type MetricConfig,
  type ProviderConfig,
  type RouteConfig,
} from './schema.ts';
