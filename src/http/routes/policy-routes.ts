import type { HttpServices } from '../http-services.ts';
import { policyDetailToWire, policyToWire } from '../policy-wire.ts';
import { pathParameter } from '../read-query.ts';
import type { RouteDefinition } from '../route-definition.ts';
import { sendJson } from '../send-json.ts';

/** For admins: the ranking policies in force, and what each has learnt. */
export function policyRoutes({ scorePolicies }: HttpServices): readonly RouteDefinition[] {
  return [
    {
      method: 'get',
      path: '/policies',
      access: 'read',
      handle(_request, response) {
        sendJson(response, 200, { policies: scorePolicies.list().map(policyToWire) });
      },
    },
    {
      method: 'get',
      path: '/policies/:name',
      access: 'read',
      handle(request, response) {
        const policy = scorePolicies.find(pathParameter(request, 'name'));
        const snapshot = scorePolicies.current(policy.name);
        sendJson(response, 200, policyDetailToWire({ policy, snapshot }));
      },
    },
  ];
}
