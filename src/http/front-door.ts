import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { AnswerError } from './answer-error.ts';
import { applyHead } from './answer-head.ts';
import type { HostCheck } from './host-allow-list.ts';
import type { OpenRequest } from './open-request.ts';
import { keepScope, type RequestScope } from './request-scope.ts';
import type { DirectRoute } from './route-definition.ts';
import type { ServeRoute } from './serve-route.ts';

export interface FrontDoorParts {
  readonly open: OpenRequest;
  readonly checkHost: HostCheck;
  readonly serve: ServeRoute;
  readonly answerError: AnswerError;
  /** Called without a router when method and path are theirs to the letter. */
  readonly direct: readonly DirectRoute[];
  /** Routes everything else, the same routes in other spellings included (a query, a trailing slash). */
  readonly router: RequestListener;
}

/**
 * Where every request comes in. The few routes that carry the load are called from here: a router that tries patterns
 * and gives request and response another prototype costs as much per call as Node's own HTTP.
 */
export function createFrontDoor(parts: FrontDoorParts): RequestListener {
  const { open, checkHost, serve, answerError, router } = parts;
  const directByPath = new Map(parts.direct.map((route) => [route.path, route]));

  const call = (
    route: DirectRoute,
    request: IncomingMessage,
    response: ServerResponse,
    scope: RequestScope,
  ): void => {
    serve(route, request, response, scope)?.catch((thrown: unknown) =>
      answerError(thrown, request, response, scope),
    );
  };

  return (request, response) => {
    const scope = open(request, response);
    try {
      checkHost(request);
      const route = directByPath.get(request.url ?? '');
      if (route !== undefined && route.method.toUpperCase() === request.method) {
        call(route, request, response, scope);
        return;
      }
      keepScope(request, scope);
      applyHead(scope, response);
      router(request, response);
    } catch (thrown) {
      answerError(thrown, request, response, scope);
    }
  };
}
