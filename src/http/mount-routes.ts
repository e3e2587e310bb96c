import type { Express, Request, Response } from 'express';
import { AppError, nearestName } from '../kernel/index.ts';
import { scopeOf } from './request-scope.ts';
import type { RouteDefinition } from './route-definition.ts';
import type { ServeRoute } from './serve-route.ts';

/** Longest piece of a path that an error repeats. */
const MAX_ECHO_CHARACTERS = 100;

/** Mounts every route, and for each path the answer to methods it does not have. */
export function mountRoutes(app: Express, definitions: readonly RouteDefinition[], serve: ServeRoute): void {
  for (const definition of definitions) {
    app[definition.method](definition.path, (request: Request, response: Response) =>
      serve(definition, request, response, scopeOf(request)),
    );
  }
  const paths = [...new Set(definitions.map((definition) => definition.path))];
  for (const path of paths) {
    const methods = definitions.filter((definition) => definition.path === path).map(({ method }) => method);
    app.all(path, createOtherMethods(path, allowedMethods(methods)));
  }
  app.use((request: Request) => {
    throw notFound(request, paths);
  });
}

function allowedMethods(methods: readonly string[]): string {
  const upper = methods.map((method) => method.toUpperCase());
  return [...upper, ...(upper.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
}

function createOtherMethods(path: string, allow: string) {
  return (request: Request, response: Response): void => {
    scopeOf(request).route = path;
    response.setHeader('Allow', allow);
    if (request.method !== 'OPTIONS') {
      throw new AppError('method_not_allowed', `This route answers ${allow} only.`);
    }
    // No CORS headers: a page of another origin gets no further than this.
    response.statusCode = 204;
    response.end();
  };
}

function notFound(request: Request, paths: readonly string[]): AppError {
  const path = request.path.slice(0, MAX_ECHO_CHARACTERS);
  const nearest = nearestName(path, paths);
  const hint = nearest === null ? 'See /docs for all routes.' : `Did you mean ${nearest}?`;
  return new AppError('not_found', `There is no route ${path}. ${hint}`);
}
