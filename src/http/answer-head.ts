import type { ServerResponse } from 'node:http';
import type { RequestScope } from './request-scope.ts';

/** Puts the headers so far on the response one by one, for answers whose route may still replace them. */
export function applyHead(scope: RequestScope, response: ServerResponse): void {
  const { head } = scope;
  scope.head = [];
  for (let index = 0; index < head.length; index += 2) {
    response.setHeader(head[index] ?? '', head[index + 1] ?? '');
  }
}
