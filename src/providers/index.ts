export { type CreatedRoutes, createRoutes } from './create-routes.ts';
export { describeProviders, type ProviderDescription } from './describe-providers.ts';
export {
  type FinishReason,
  type LanguageModel,
  type ModelRequest,
  type ModelResult,
  type ModelStreamEvent,
  type ResponseFormat,
  type ToolChoice,
  type ToolDefinition,
  UNKNOWN_USAGE,
  type UnifiedFinishReason,
  type Usage,
} from './language-model.ts';
export { type FailureClass, ProviderFailure } from './provider-failure.ts';
export type {
  AttemptRecord,
  Route,
  RouteAnswer,
  RouteCall,
  RouteOutcome,
  RouteRefusal,
  RouteStreamEvent,
  Routes,
  TargetHealth,
} from './route-types.ts';
