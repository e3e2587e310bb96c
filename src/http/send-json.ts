import type { ServerResponse } from 'node:http';
import type { RequestScope } from './request-scope.ts';

const JSON_TYPE = 'application/json; charset=utf-8';

/** Writes a JSON answer in one piece: no etag, no second serialisation. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  contentType = JSON_TYPE,
): void {
  sendText(response, status, JSON.stringify(body), contentType);
}

export function sendText(response: ServerResponse, status: number, text: string, contentType: string): void {
  // The caller may be gone, or a stream may have begun: there is nothing to write then.
  if (response.headersSent || response.destroyed) return;
  response.statusCode = status;
  response.setHeader('Content-Type', contentType);
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(text);
}

/** The answer of a direct route, with its head in one list: Node then neither keeps nor merges headers. */
export function sendAnswer(response: ServerResponse, scope: RequestScope, body: unknown): void {
  if (response.headersSent || response.destroyed) return;
  const text = JSON.stringify(body);
  const { head } = scope;
  head.push('Content-Type', JSON_TYPE, 'Content-Length', String(Buffer.byteLength(text)));
  response.writeHead(200, head);
  response.end(text);
}
