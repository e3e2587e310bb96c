import express, { type Express } from 'express';
import { createAdmission } from './create-admission.ts';
import { createErrorMiddleware } from './error-middleware.ts';
import type { HttpServices } from './http-services.ts';
import { mountRoutes } from './mount-routes.ts';
import { createOpenRequest } from './open-request.ts';
import type { RouteDefinition } from './route-definition.ts';
import { dashboardRoutes } from './routes/dashboard-routes.ts';
import { docsRoutes } from './routes/docs-routes.ts';
import { experimentRoutes } from './routes/experiment-routes.ts';
import { feedbackRoutes } from './routes/feedback-route.ts';
import { generateRoutes } from './routes/generate-route.ts';
import { generationRoutes } from './routes/generation-routes.ts';
import { keyRoutes } from './routes/key-routes.ts';
import { labelsRoutes } from './routes/labels-routes.ts';
import { openAiRoutes } from './routes/openai-routes.ts';
import { operationsRoutes } from './routes/operations-routes.ts';
import { policyReportRoute } from './routes/policy-report-route.ts';
import { policyRoutes } from './routes/policy-routes.ts';
import { promptRoutes } from './routes/prompt-routes.ts';
import { reportRoutes } from './routes/report-routes.ts';
import { rolloutRoutes } from './routes/rollout-routes.ts';
import { scoreRoutes } from './routes/score-routes.ts';
import { sessionRoutes } from './routes/session-routes.ts';
import { shadowRoutes } from './routes/shadow-routes.ts';

/** The whole HTTP surface over its services. Listens to nothing: see {@link startServer}. */
export function createApp(services: HttpServices): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  // Query values are read as plain text or lists, never as nested objects.
  app.set('query parser', 'simple');
  app.use(createOpenRequest(services));
  mountRoutes(app, routeDefinitions(services), createAdmission(services.access, services.settings));
  app.use(createErrorMiddleware(services.logger));
  return app;
}

/** Every route. The hot path first: the router tries patterns in order. */
export function routeDefinitions(services: HttpServices): readonly RouteDefinition[] {
  return [
    ...generateRoutes(services),
    ...scoreRoutes(services),
    ...feedbackRoutes(services),
    ...openAiRoutes(services),
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
