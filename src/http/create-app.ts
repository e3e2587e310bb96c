import type { RequestListener } from 'node:http';
import express, { type NextFunction, type Request, type Response } from 'express';
import { type AnswerError, createAnswerError } from './answer-error.ts';
import { createAdmission } from './create-admission.ts';
import { createFrontDoor } from './front-door.ts';
import { createHostCheck } from './host-allow-list.ts';
import type { HttpServices } from './http-services.ts';
import { mountRoutes } from './mount-routes.ts';
import { createOpenRequest } from './open-request.ts';
import { scopeOf } from './request-scope.ts';
import type { DirectRoute, RouteDefinition } from './route-definition.ts';
import { dashboardRoutes } from './routes/dashboard-routes.ts';
import { docsRoutes } from './routes/docs-routes.ts';
import { experimentRoutes } from './routes/experiment-routes.ts';
import { feedbackRoute } from './routes/feedback-route.ts';
import { generateRoute } from './routes/generate-route.ts';
import { generationRoutes } from './routes/generation-routes.ts';
import { keyRoutes } from './routes/key-routes.ts';
import { labelsRoutes } from './routes/labels-routes.ts';
import { chatRoute, modelRoutes } from './routes/openai-routes.ts';
import { operationsRoutes } from './routes/operations-routes.ts';
import { policyReportRoute } from './routes/policy-report-route.ts';
import { policyRoutes } from './routes/policy-routes.ts';
import { promptRoutes } from './routes/prompt-routes.ts';
import { reportRoutes } from './routes/report-routes.ts';
import { rolloutRoutes } from './routes/rollout-routes.ts';
import { scoreRoute, storedScoreRoute } from './routes/score-routes.ts';
import { sessionRoutes } from './routes/session-routes.ts';
import { shadowRoutes } from './routes/shadow-routes.ts';
import { createServeRoute, type ServeRoute } from './serve-route.ts';

/** The whole HTTP surface over its services. Listens to nothing: see {@link startServer}. */
export function createApp(services: HttpServices): RequestListener {
  const serve = createServeRoute(createAdmission(services.access, services.settings));
  const answerError = createAnswerError(services.logger);
  const direct = directRoutes(services);
  return createFrontDoor({
    open: createOpenRequest(services),
    checkHost: createHostCheck(services.settings.allowedHosts),
    serve,
    answerError,
    direct,
    router: createRouter([...direct, ...routedRoutes(services)], serve, answerError),
  });
}

function createRouter(
  routes: readonly RouteDefinition[],
  serve: ServeRoute,
  answerError: AnswerError,
): RequestListener {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  // Query values are read as plain text or lists, never as nested objects.
  app.set('query parser', 'simple');
  mountRoutes(app, routes, serve);
  // Express tells an error middleware by its four parameters.
  app.use((thrown: unknown, request: Request, response: Response, _next: NextFunction) => {
    answerError(thrown, request, response, scopeOf(request));
  });
  return app;
}

/** Every route, the direct ones included: another spelling of their path (a query, a trailing slash) is routed. */
export function routeDefinitions(services: HttpServices): readonly RouteDefinition[] {
  return [...directRoutes(services), ...routedRoutes(services)];
}

/** The hot paths: one call each per call of a model, ranking or report of an outcome. */
function directRoutes(services: HttpServices): readonly DirectRoute[] {
  return [generateRoute(services), scoreRoute(services), feedbackRoute(services), chatRoute(services)];
}

function routedRoutes(services: HttpServices): readonly RouteDefinition[] {
  return [
    storedScoreRoute(services),
    ...modelRoutes(services),
    ...promptRoutes(services),
    ...labelsRoutes(services),
    ...reportRoutes(services),
    ...generationRoutes(services),
    ...experimentRoutes(services),
    ...rolloutRoutes(services),
    ...policyRoutes(services),
    policyReportRoute(services),
    ...shadowRoutes(services),
    ...operationsRoutes(services),
    ...docsRoutes(services),
    ...keyRoutes(services),
    ...sessionRoutes(services),
    // The last below `/admin`: it answers every path there.
    ...dashboardRoutes(services),
  ];
}
