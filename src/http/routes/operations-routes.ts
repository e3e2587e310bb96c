import type { HttpServices } from '../http-services.ts';
import { readReadiness } from '../readiness.ts';
import type { RouteDefinition } from '../route-definition.ts';
import { sendJson, sendText } from '../send-json.ts';

/** For operators and their machines: alive, ready, counted; and the index. */
export function operationsRoutes(services: HttpServices): readonly RouteDefinition[] {
  const index = JSON.stringify({
    name: 'prompt-gateway',
    version: services.settings.gatewayVersion,
    links: {
      generate: '/generate',
      score: '/score',
      feedback: '/feedback',
      prompts: '/prompts',
      policies: '/policies',
      openai: '/v1',
      admin: '/admin',
      docs: '/docs',
      openapi: '/openapi.json',
      health: '/healthz',
      ready: '/readyz',
      metrics: '/metrics',
    },
  });
  return [
    {
      method: 'get',
      path: '/healthz',
      access: 'public',
      // No look at anything else: it says that the event loop turns.
      handle: (_request, response) => sendJson(response, 200, { status: 'ok' }),
    },
    {
      method: 'get',
      path: '/readyz',
      access: 'public',
      handle(_request, response) {
        const state = readReadiness(services);
        sendJson(response, state.status === 'not_ready' ? 503 : 200, state);
      },
    },
    {
      method: 'get',
      path: '/metrics',
      access: services.settings.publicMetrics ? 'public' : 'read',
      async handle(_request, response) {
        sendText(response, 200, await services.metrics.scrape(), services.metrics.contentType);
      },
    },
    {
      method: 'get',
      path: '/',
      access: 'public',
      handle: (_request, response) => sendText(response, 200, index, 'application/json; charset=utf-8'),
    },
  ];
}
