import type { HttpServices } from '../http-services.ts';
import { readJsonBody } from '../json-body.ts';
import { pathParameter, readQuery } from '../read-query.ts';
import { callContext } from '../request-scope.ts';
import { rolloutToWire } from '../rollout-wire.ts';
import type { RouteDefinition } from '../route-definition.ts';
import { rolloutQuerySchema, stopBodySchema } from '../schemas/rollout-schema.ts';
import { sendJson } from '../send-json.ts';
import { validateInput } from '../validate-input.ts';

/** For admins: what was about to reach users, and stopping what does. */
export function rolloutRoutes({ rollouts, stops, settings }: HttpServices): readonly RouteDefinition[] {
  return [
    {
      method: 'get',
      path: '/analytics/rollouts',
      access: 'read',
      async handle(request, response) {
        const { subject, kind, before, limit } = readQuery(request, rolloutQuerySchema);
        const events = await rollouts.page({
          subject: subject ?? null,
          subjectKind: kind ?? null,
          beforeSequence: before ?? null,
          limit,
        });
        sendJson(response, 200, {
          rollouts: events.map(rolloutToWire),
          next_before: events.length < limit ? null : (events.at(-1)?.sequence ?? null),
        });
      },
    },
    {
      method: 'post',
      path: '/experiments/:name/stop',
      access: 'admin',
      async handle(request, response, scope) {
        const body = validateInput(stopBodySchema, await readJsonBody(request, settings), 'The body');
        const experiment = pathParameter(request, 'name');
        const { apiKeyId: actor } = callContext(scope);
        const { by, atMs, reason, guardrail, ...stop } = await stops.stop({ experiment, actor, ...body });
        scope.logFields = { experiment };
        const at = new Date(atMs).toISOString();
        sendJson(response, 200, { experiment, stopped: { by, at, reason, actor: stop.actor, guardrail } });
      },
    },
    {
      method: 'post',
      path: '/experiments/:name/resume',
      access: 'admin',
      async handle(request, response, scope) {
        const body = validateInput(stopBodySchema, await readJsonBody(request, settings), 'The body');
        const experiment = pathParameter(request, 'name');
        const { apiKeyId: actor } = callContext(scope);
        const { waived } = await stops.resume({ experiment, actor, ...body });
        scope.logFields = { experiment };
        sendJson(response, 200, { experiment, stopped: null, waived });
      },
    },
  ];
}
