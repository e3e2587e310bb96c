import { versionReportCsv } from '../../analytics/index.ts';
import { AppError, usdFromNanoUsd } from '../../kernel/index.ts';
import type { StoredGeneration } from '../../ledger/index.ts';
import type { HttpServices } from '../http-services.ts';
import { outcomeToWire } from '../outcome-wire.ts';
import { pathParameter, readQuery } from '../read-query.ts';
import type { RouteDefinition } from '../route-definition.ts';
import { reportQuerySchema } from '../schemas/report-schema.ts';
import { sendJson, sendText } from '../send-json.ts';
import { wireKeys, wireRecord } from '../wire-case.ts';

/** For admins: what each version earned, and one call whole. */
export function reportRoutes(services: HttpServices): readonly RouteDefinition[] {
  return [
    {
      method: 'get',
      path: '/analytics/prompts/:name/versions',
      access: 'read',
      async handle(request, response) {
        const query = readQuery(request, reportQuerySchema);
        const report = await services.reports.versionReport({
          prompt: pathParameter(request, 'name'),
          metric: query.metric ?? null,
          baseline: query.baseline ?? null,
          from: query.from ?? null,
          to: query.to ?? null,
        });
        response.setHeader('Vary', 'Accept');
        const format = query.format ?? (request.accepts(['json', 'csv']) === 'csv' ? 'csv' : 'json');
        if (format === 'csv') {
          // Names are of `a-z 0-9 . _ -` by contract, so they need no quoting in the header.
          response.setHeader('Content-Disposition', `attachment; filename="${report.prompt}-versions.csv"`);
          sendText(response, 200, versionReportCsv(report), 'text/csv; charset=utf-8; header=present');
          return;
        }
        sendJson(response, 200, wireRecord(report));
      },
    },
    {
      method: 'get',
      path: '/generations/:id',
      access: 'read',
      async handle(request, response, scope) {
        const id = pathParameter(request, 'id');
        const generation = await services.ledgerReader.findGeneration(id);
        if (generation === null) {
          throw new AppError('generation_not_found', `There is no generation ${id.slice(0, 100)}.`);
        }
        scope.logFields = { generation_id: generation.id };
        sendJson(response, 200, generationToWire(generation));
      },
    },
  ];
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
