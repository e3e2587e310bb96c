import { AppError, usdFromNanoUsd } from '../../kernel/index.ts';
import type { GenerationListQuery, StoredGeneration } from '../../ledger/index.ts';
import { renderAgain } from '../../serving/index.ts';
import { pageToWire, placeOfCursor } from '../generation-list-wire.ts';
import { messageToWire } from '../generation-wire.ts';
import type { HttpServices } from '../http-services.ts';
import { outcomeToWire } from '../outcome-wire.ts';
import { pathParameter, readQuery } from '../read-query.ts';
import type { RouteDefinition } from '../route-definition.ts';
import { type GenerationListAsked, generationListQuerySchema } from '../schemas/generation-schema.ts';
import { sendJson } from '../send-json.ts';
import { wireKeys, wireRecord } from '../wire-case.ts';

/** For admins: which calls there were, and one call whole. */
export function generationRoutes(services: HttpServices): readonly RouteDefinition[] {
  const { ledgerReader, retention, prompts, hashUnit } = services;
  return [
    {
      method: 'get',
      path: '/generations',
      access: 'read',
      async handle(request, response) {
        const query = listQuery(readQuery(request, generationListQuerySchema), hashUnit);
        const page = await ledgerReader.listGenerations(query);
        sendJson(response, 200, pageToWire(page, retention.status().horizons));
      },
    },
    {
      method: 'get',
      path: '/generations/:id',
      access: 'read',
      async handle(request, response, scope) {
        const id = pathParameter(request, 'id');
        const generation = await ledgerReader.findGeneration(id);
        if (generation === null) {
          throw new AppError(
            'generation_not_found',
            unknownGeneration(id, retention.status().horizons.rowsMs),
          );
        }
        scope.logFields = { generation_id: generation.id };
        const { source, messages, missing } = renderAgain(generation, prompts.current());
        sendJson(response, 200, {
          ...generationToWire(generation),
          contents_erased: generation.createdAtMs <= (retention.status().horizons.contentsMs ?? -1),
          rendered: messages === null ? null : { source, messages: messages.map(messageToWire) },
          rendered_missing: missing,
        });
      },
    },
  ];
}

function unknownGeneration(id: string, keptFromMs: number | null): string {
  const gone =
    keptFromMs === null ? '' : ` Calls before ${new Date(keptFromMs).toISOString()} have been deleted.`;
  return `There is no generation ${id.slice(0, 100)}.${gone}`;
}

function listQuery(asked: GenerationListAsked, hashUnit: HttpServices['hashUnit']): GenerationListQuery {
  const fromMs = asked.from === undefined ? null : Date.parse(asked.from);
  const toMs = asked.to === undefined ? null : Date.parse(asked.to);
  if (fromMs !== null && toMs !== null && fromMs >= toMs) {
    throw new AppError('invalid_request', '`from` must be before `to`.', {
      faults: [{ path: 'from', message: 'must be before `to`' }],
    });
  }
  return {
    prompt: asked.prompt ?? null,
    promptVersion: asked.version ?? null,
    status: asked.status ?? null,
    experiment: asked.experiment ?? null,
    arm: asked.arm ?? null,
    label: asked.label ?? null,
    externalId: asked.external_id ?? null,
    unitKey: asked.user_id === undefined ? null : hashUnit('user_id', asked.user_id),
    search: asked.q ?? null,
    fromMs,
    toMs,
    limit: asked.limit,
    after: asked.cursor === undefined ? null : placeOfCursor(asked.cursor),
  };
}

/** Wire names on the first level only: variables, metadata and raw usage hold the caller's and the provider's keys. */
function generationToWire(generation: StoredGeneration): Record<string, unknown> {
  const { createdAtMs, finishedAtMs, costNanoUsd, parameters, attempts, outcomes, assignment, ...rest } =
    generation;
  return {
    ...wireKeys(rest),
    created_at: new Date(createdAtMs).toISOString(),
    finished_at: new Date(finishedAtMs).toISOString(),
    cost_usd: usdFromNanoUsd(costNanoUsd),
    assignment: wireRecord(assignment),
    parameters: storedParameters(parameters),
    attempts: wireRecord(attempts),
    outcomes: outcomes.map(outcomeToWire),
  };
}

/** By the names of the request. */
function storedParameters(parameters: StoredGeneration['parameters']): Record<string, unknown> {
  const { stopSequences: stop, ...others } = parameters;
  return { ...wireKeys(others), ...(stop === undefined ? {} : { stop }) };
}
