import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Admit } from './create-admission.ts';
import type { RequestScope } from './request-scope.ts';
import type { Route } from './route-definition.ts';

/** Admits a request to its route and handles it, whoever found the route. */
export type ServeRoute = <Req extends IncomingMessage, Res extends ServerResponse>(
  route: Route<Req, Res>,
  request: Req,
  response: Res,
  scope: RequestScope,
) => Promise<void> | void;

export function createServeRoute(admit: Admit): ServeRoute {
  return (route, request, response, scope) => {
    scope.route = route.path;
    const admission = admit(route, request, response, scope);
    if (admission === null) return route.handle(request, response, scope);
    return admission.then(() => route.handle(request, response, scope));
  };
}
