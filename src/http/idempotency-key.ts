import type { IncomingMessage } from 'node:http';
import { AppError, canonicalJson, sha256Hex } from '../kernel/index.ts';
import type { IdempotentCall } from '../serving/index.ts';

/** Printable ASCII without spaces; the draft (draft-ietf-httpapi-idempotency-key-header) leaves the length to us. */
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/** The call's key with the hash of what it is for: the route is part of it, the order of keys in the body is not. */
export function idempotencyOf(request: IncomingMessage, path: string, json: unknown): IdempotentCall | null {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key !== 'string' || !IDEMPOTENCY_KEY.test(key)) {
    throw new AppError('invalid_request', 'The Idempotency-Key header is not valid.', {
      faults: [
        { path: 'Idempotency-Key', message: 'must be 1 to 255 printable ASCII characters without spaces' },
      ],
    });
  }
  return { key, requestHash: sha256Hex(`${path}\n${canonicalJson(json)}`) };
}
