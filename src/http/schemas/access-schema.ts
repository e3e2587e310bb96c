import { z } from 'zod';

import { SCOPES } from '../../access/index.ts';

const scope = z.enum(SCOPES as readonly ['generate', 'feedback', 'read', 'admin']);
const limit = (description: string) => z.int().positive().nullish().describe(description);

export const keySchema = z
  .object({
    id: z.string().describe('The middle part of `pgw_<id>_<secret>`.'),
    name: z.string(),
    scopes: z.array(scope),
    requests_per_minute: z.number().nullable(),
    tokens_per_minute: z.number().nullable(),
    usd_per_day: z.number().nullable(),
    created_at: z.string(),
    created_by: z.string().describe('Key id; `local`: made at the machine.'),
    expires_at: z.string().nullable(),
    revoked_at: z.string().nullable(),
    revoked_reason: z.string().nullable(),
    last_used_at: z.string().nullable().describe('To the minute.'),
    state: z.enum(['active', 'expired', 'revoked']),
  })
  .meta({ id: 'ApiKey' });

export const keyListSchema = z.object({ keys: z.array(keySchema) }).meta({ id: 'ApiKeyList' });

export const keyCreateSchema = z
  .strictObject({
    name: z.string().min(1).max(80).describe('For people.'),
    scopes: z.array(scope).min(1).describe('What it may do; `admin` includes the others.'),
    expires_at: z.iso
      .datetime({ offset: true, error: 'must be a time with its zone, such as 2026-11-23T10:00:00Z' })
      .nullish()
      .describe('When it stops working; absent: never.'),
    requests_per_minute: limit('Calls of a model per minute.'),
    tokens_per_minute: limit('Input and output tokens per minute.'),
    usd_per_day: z.number().positive().nullish().describe('Cost per UTC day.'),
  })
  .meta({ id: 'ApiKeyCreate', example: { name: 'recommender', scopes: ['generate', 'feedback'] } });

export const keyCreatedSchema = keySchema
  .extend({ key: z.string().describe('The whole key. It is shown this once.') })
  .meta({ id: 'ApiKeyCreated' });

export const keyRevokeSchema = z
  .strictObject({ reason: z.string().min(1).max(500).describe('Why, for the history.') })
  .meta({ id: 'ApiKeyRevoke' });

export const signInSchema = z
  .strictObject({
    key: z.string().max(200).nullish().describe('An API key with the scope `read` or `admin`; or'),
    token: z.string().max(200).nullish().describe('the token of a one-time link.'),
  })
  .refine((body) => (body.key == null) !== (body.token == null), {
    message: 'name either `key` or `token`',
    path: ['key'],
  })
  .meta({ id: 'SignIn' });

export const sessionSchema = z
  .object({
    signed_in: z.boolean(),
    open: z.boolean().describe('The gateway has no keys: everybody who reaches it may do everything.'),
    key_id: z.string().nullable(),
    key_name: z.string().nullable(),
    scopes: z.array(scope).describe('What this session may do.'),
    csrf_token: z.string().nullable().describe('Goes into `x-csrf-token` of every change.'),
    expires_at: z.string().nullable(),
  })
  .meta({ id: 'Session' });
