import type { LabelTarget } from '../../experiments/index.ts';
import type { HttpServices } from '../http-services.ts';
import { readJsonBody } from '../json-body.ts';
import { labelToWire } from '../labels-wire.ts';
import { pathParameter, readQuery } from '../read-query.ts';
import { callContext } from '../request-scope.ts';
import type { RouteDefinition } from '../route-definition.ts';
import { type LabelMoveBody, labelMoveSchema, labelQuerySchema } from '../schemas/labels-schema.ts';
import { sendJson } from '../send-json.ts';
import { validateInput } from '../validate-input.ts';

/** For admins: where labels point, and moving them. */
export function labelsRoutes({ labels, settings }: HttpServices): readonly RouteDefinition[] {
  const path = '/prompts/:name/labels/:label';
  return [
    {
      method: 'get',
      path: '/prompts/:name/labels',
      access: 'read',
      handle(request, response) {
        const prompt = pathParameter(request, 'name');
        sendJson(response, 200, { prompt, labels: labels.list(prompt).map(labelToWire) });
      },
    },
    {
      method: 'get',
      path,
      access: 'read',
      async handle(request, response) {
        const { limit } = readQuery(request, labelQuerySchema);
        const prompt = pathParameter(request, 'name');
        const label = pathParameter(request, 'label');
        const history = await labels.history(prompt, label, limit);
        sendJson(response, 200, {
          ...labelToWire(labels.current(prompt, label)),
          history: history.map(labelToWire),
        });
      },
    },
    {
      method: 'put',
      path,
      access: 'admin',
      async handle(request, response, scope) {
        const json = await readJsonBody(request, settings);
        const body = validateInput(labelMoveSchema, json, 'The body');
        const event = await labels.move({
          prompt: pathParameter(request, 'name'),
          label: pathParameter(request, 'label'),
          to: targetOf(body),
          expectedSequence: body.expected_sequence ?? null,
          reason: body.reason,
          actor: callContext(scope).apiKeyId,
          overrideReason: body.override?.reason ?? null,
        });
        scope.logFields = { prompt: event.prompt, label: event.label, sequence: event.sequence };
        sendJson(response, 200, labelToWire(event));
      },
    },
  ];
}

/** The schema has checked that exactly one is named. */
function targetOf({ version, experiment }: LabelMoveBody): LabelTarget {
  return experiment == null
    ? { kind: 'version', version: version ?? '' }
    : { kind: 'experiment', experiment };
}
