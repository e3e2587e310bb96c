import type { Request, Response } from 'express';
import type { RouteAccess } from './authentication.ts';
import type { RequestScope } from './request-scope.ts';

type HttpMethod = 'get' | 'post' | 'put';

/** One method of one path. `path` is Express' pattern and the label of logs and metrics. */
export interface RouteDefinition {
  readonly method: HttpMethod;
  readonly path: string;
  readonly access: RouteAccess;
  /** Calls a model: counts against the limits of its key, and says where they stand. */
  readonly isModelCall?: true;
  handle(request: Request, response: Response, scope: RequestScope): Promise<void> | void;
}
