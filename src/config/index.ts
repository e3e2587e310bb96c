export type { DefaultPromptVersion, Environment } from './environment.ts';
export {
  configSchema,
  type GatewayConfig,
  type MetricConfig,
  type ProviderConfig,
  type RouteConfig,
} from './schema.ts';
