import type { HttpServices } from '../http-services.ts';
import { pathParameter } from '../read-query.ts';
import type { RouteDefinition } from '../route-definition.ts';
import { sendJson } from '../send-json.ts';
import { wireRecord } from '../wire-case.ts';

/** For admins: which candidates run in shadow, and what their runs have shown. */
export function shadowRoutes(services: HttpServices): readonly RouteDefinition[] {
  return [
    {
      method: 'get',
      path: '/analytics/shadow',
      access: 'read',
      async handle(_request, response) {
        sendJson(response, 200, { shadow: wireRecord(await services.shadowReports.list()) });
      },
    },
    {
      method: 'get',
      path: '/analytics/shadow/:name',
      access: 'read',
      async handle(request, response) {
        const report = await services.shadowReports.shadowReport(pathParameter(request, 'name'));
        sendJson(response, 200, wireRecord(report));
      },
    },
  ];
}
