import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Request, Response } from 'express';
import type { RouteAccess } from './authentication.ts';
import type { RequestScope } from './request-scope.ts';

type HttpMethod = 'get' | 'post' | 'put';

/** One method of one path. */
export interface Route<Req extends IncomingMessage, Res extends ServerResponse> {
  readonly method: HttpMethod;
  /** Express' pattern and the label of logs and metrics. */
  readonly path: string;
  readonly access: RouteAccess;
  /** Calls a model: counts against the limits of its key, and says where they stand. */
  readonly isModelCall?: true;
  handle(request: Req, response: Res, scope: RequestScope): Promise<void> | void;
}

export type RouteDefinition = Route<Request, Response>;

/** A route that needs nothing of Express: its path has no parameters, and the front door calls it without a router. */
export type DirectRoute = Route<IncomingMessage, ServerResponse>;
