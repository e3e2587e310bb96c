export { type CreatedRoutes, createRoutes } from './create-routes.ts';
export { describeProviders, type ProviderDescription } from './describe-providers.ts';
export type {
  LanguageModel,
  ModelRequest,
  ModelResult,
  ModelStreamEvent,
  ResponseFormat,
  ToolChoice,
  ToolDefinition,
  Usage,
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
