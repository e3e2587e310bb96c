import type { IncomingMessage, ServerResponse } from 'node:http';
import { createAuthentication } from './authentication.ts';
import type { AccessServices, HttpSettings } from './http-services.ts';
import { setLimitHeaders } from './limit-headers.ts';
import type { RequestScope } from './request-scope.ts';
import type { DirectRoute } from './route-definition.ts';
import { createSourceAddress } from './source-address.ts';

/** Lets a request in, or fails with `unauthorized` and `forbidden`. Nothing to wait for unless its key has limits. */
export type Admit = (
  route: Pick<DirectRoute, 'access' | 'isModelCall'>,
  request: IncomingMessage,
  response: ServerResponse,
  scope: RequestScope,
) => Promise<void> | null;

export function createAdmission(
  access: AccessServices,
  settings: Pick<HttpSettings, 'trustedProxies'>,
): Admit {
  const sourceOf = createSourceAddress(settings.trustedProxies);
  const authenticate = createAuthentication({ ...access, sourceOf });
  return (route, request, response, scope) => {
    scope.caller = authenticate(request, route.access);
    const { principal } = scope.caller;
    if (route.isModelCall !== true || principal === null) return null;
    const { requestsPerMinute, tokensPerMinute } = principal.limits;
    if (requestsPerMinute === null && tokensPerMinute === null) return null;
    return access.limits
      .standings(principal.keyId)
      .then((standings) => setLimitHeaders(response, standings, scope.isOpenAiSurface));
  };
}
