import { versionReportCsv } from '../../analytics/index.ts';
import type { HttpServices } from '../http-services.ts';
import { labelToWire } from '../labels-wire.ts';
import { overviewToWire } from '../overview-wire.ts';
import { pathParameter, readQuery } from '../read-query.ts';
import type { RouteDefinition } from '../route-definition.ts';
import { timeSeriesQuerySchema } from '../schemas/dashboard-schema.ts';
import { type ReportFiltersAsked, reportQuerySchema } from '../schemas/report-schema.ts';
import { sendJson, sendText } from '../send-json.ts';
import { wireKeys, wireRecord } from '../wire-case.ts';

/** For admins: what each version earned, in all and over time. */
export function reportRoutes(services: HttpServices): readonly RouteDefinition[] {
  return [
    {
      method: 'get',
      path: '/analytics/overview',
      access: 'read',
      async handle(_request, response) {
        sendJson(response, 200, overviewToWire(await services.overview.overview()));
      },
    },
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
          filters: filtersOf(query),
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
      path: '/analytics/prompts/:name/timeseries',
      access: 'read',
      async handle(request, response) {
        const query = readQuery(request, timeSeriesQuerySchema);
        const { labelMoves, ...series } = await services.timeSeries.timeSeries({
          prompt: pathParameter(request, 'name'),
          metric: query.metric ?? null,
          by: query.by,
          from: query.from ?? null,
          to: query.to ?? null,
          versions: query.version === undefined ? null : namesIn(query.version),
          filters: filtersOf(query),
        });
        sendJson(response, 200, {
          ...wireKeys({ ...series, series: wireRecord(series.series) }),
          label_moves: labelMoves.map(labelToWire),
        });
      },
    },
  ];
}

function filtersOf({ model, source, segment }: ReportFiltersAsked) {
  return { model: model ?? null, source: source ?? null, segment: segment ?? null };
}

/** Twice the same is once; empty pieces are a comma too many. */
function namesIn(list: string): readonly string[] {
  return [...new Set(list.split(',').map((name) => name.trim()))].filter((name) => name !== '');
}
