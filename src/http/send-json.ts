import type { Response } from 'express';

/** Writes a JSON answer in one piece: no etag, no second serialisation. */
export function sendJson(
  response: Response,
  status: number,
  body: unknown,
  contentType = 'application/json; charset=utf-8',
): void {
  sendText(response, status, JSON.stringify(body), contentType);
}

export function sendText(response: Response, status: number, text: string, contentType: string): void {
  // The caller may be gone, or a stream may have begun: there is nothing to write then.
  if (response.headersSent || response.destroyed) return;
  response.statusCode = status;
  response.setHeader('Content-Type', contentType);
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(text);
}
