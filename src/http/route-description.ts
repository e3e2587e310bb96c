import type { RouteConfig } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import type { ErrorCode } from '../kernel/index.ts';
import type { RouteAccess } from './authentication.ts';

export interface RouteDescription {
  readonly method: 'get' | 'post' | 'put';
  readonly path: string;
  /** What a caller's key must have. */
  readonly access: RouteAccess;
  readonly tag: string;
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly answers: RouteConfig['responses'];
  readonly codes: readonly ErrorCode[];
}

/** What every route with a body can answer. */
export const WITH_BODY: readonly ErrorCode[] = [
  'invalid_request',
  'payload_too_large',
  'unsupported_media_type',
];

export const json = (description: string, schema: z.ZodType) => ({
  description,
  content: { 'application/json': { schema } },
});

export const idempotencyHeader = z.object({
  'Idempotency-Key': z
    .string()
    .max(255)
    .regex(/^[!-~]+$/)
    .optional()
    .describe('Makes a retry safe: the same key and body are answered from the ledger.'),
});
