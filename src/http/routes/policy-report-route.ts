import type { HttpServices } from '../http-services.ts';
import { pathParameter, readQuery } from '../read-query.ts';
import type { RouteDefinition } from '../route-definition.ts';
import { policyQuerySchema } from '../schemas/policy-report-schema.ts';
import { sendJson } from '../send-json.ts';
import { wireRecord } from '../wire-case.ts';

/** For admins: what a ranking policy did and earned, and what another would have earned. */
export function policyReportRoute({ policyReports }: HttpServices): RouteDefinition {
  return {
    method: 'get',
    path: '/analytics/policies/:name',
    access: 'read',
    async handle(request, response, scope) {
      const { policy: target } = readQuery(request, policyQuerySchema);
      const name = pathParameter(request, 'name');
      const report = await policyReports.policyReport(name, target ?? null, scope.abort.signal);
      sendJson(response, 200, wireRecord(report));
    },
  };
}
