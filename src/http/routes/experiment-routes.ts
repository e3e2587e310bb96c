import { experimentReportCsv } from '../../analytics/index.ts';
import type { HttpServices } from '../http-services.ts';
import { pathParameter, readQuery } from '../read-query.ts';
import type { RouteDefinition } from '../route-definition.ts';
import { experimentHistoryQuerySchema, experimentQuerySchema } from '../schemas/experiment-schema.ts';
import { sendJson, sendText } from '../send-json.ts';
import { wireRecord } from '../wire-case.ts';

/** For admins: what experiments there are, and what each has shown. */
export function experimentRoutes(services: HttpServices): readonly RouteDefinition[] {
  return [
    {
      method: 'get',
      path: '/analytics/experiments',
      access: 'read',
      handle(_request, response) {
        sendJson(response, 200, { experiments: wireRecord(services.experimentReports.list()) });
      },
    },
    {
      method: 'get',
      path: '/analytics/experiments/:name',
      access: 'read',
      async handle(request, response, scope) {
        const query = readQuery(request, experimentQuerySchema);
        const report = await services.experimentReports.experimentReport(pathParameter(request, 'name'));
        response.setHeader('Vary', 'Accept');
        const format = query.format ?? (request.accepts(['json', 'csv']) === 'csv' ? 'csv' : 'json');
        if (format === 'csv') {
          // Names are of `a-z 0-9 . _ -` by contract, so they need no quoting in the header.
          response.setHeader('Content-Disposition', `attachment; filename="${report.experiment}-arms.csv"`);
          sendText(response, 200, experimentReportCsv(report), 'text/csv; charset=utf-8; header=present');
          return;
        }
        if (query.policy === undefined) {
          sendJson(response, 200, wireRecord(report));
          return;
        }
        const { signal } = scope.abort;
        const offPolicy = await services.experimentOffPolicy.evaluate(report, query.policy, signal);
        sendJson(response, 200, wireRecord({ ...report, offPolicy }));
      },
    },
    {
      method: 'get',
      path: '/analytics/experiments/:name/history',
      access: 'read',
      async handle(request, response) {
        const { by } = readQuery(request, experimentHistoryQuerySchema);
        const name = pathParameter(request, 'name');
        const history = await services.experimentReports.experimentHistory(name, by ?? null);
        sendJson(response, 200, wireRecord(history));
      },
    },
  ];
}
