export { configJsonSchemaText, configMarkdown } from './config-documents.ts';
export type { ConfigFault } from './config-fault.ts';
export type { ConfigOrigin } from './config-overrides.ts';
export {
  type ConfigDescription,
  type DescribedValue,
  type DescribedVariable,
  describeConfig,
} from './describe-config.ts';
export type { DefaultPromptVersion, Environment } from './environment.ts';
export { type LoadConfigOptions, type LoadedConfig, loadConfig } from './load-config.ts';
export { type EnvironmentReading, loadEnvironment, readEnvironment } from './load-environment.ts';
export {
  configSchema,
  type GatewayConfig,
  type MetricConfig,
  type ProviderConfig,
  type RouteConfig,
} from './schema.ts';
