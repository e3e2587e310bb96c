import { z } from 'zod';

const DEFAULT_PAGE_ROWS = 50;
const MAX_PAGE_ROWS = 200;

const statusSchema = z.enum(['ok', 'error', 'incomplete', 'client_closed']);
const name = z.string().min(1).max(128).optional();
const time = z.union([z.iso.datetime({ offset: true }), z.iso.date()], {
  error: 'must be an ISO 8601 date or time with offset, for example 2026-11-23T10:00:00Z',
});
const nullable = z.number().nullable();

export const generationListQuerySchema = z.strictObject({
  prompt: name,
  version: name.describe('As stored with the calls; a version of any prompt without `prompt`.'),
  status: statusSchema.optional(),
  experiment: name,
  arm: name,
  label: name.describe('Without the `@`.'),
  from: time.optional().describe('ISO 8601: calls since then.'),
  to: time.optional().describe('ISO 8601, excluded.'),
  external_id: z.string().min(1).max(256).optional().describe("The caller's own id of the call, whole."),
  user_id: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe(
      'As the caller sent it: its keyed hash is looked for. No index helps: narrow it by prompt or time.',
    ),
  q: z
    .string()
    .trim()
    .min(1)
    .max(256)
    .optional()
    .describe('The id of a call, its beginning, or a whole `external_id`. Texts are not searched.'),
  limit: z.coerce
    .number({ error: `must be an integer from 1 to ${MAX_PAGE_ROWS}` })
    .int()
    .min(1)
    .max(MAX_PAGE_ROWS)
    .default(DEFAULT_PAGE_ROWS),
  cursor: z.string().min(1).max(256).optional().describe('`next_cursor` of the page before.'),
});

export type GenerationListAsked = z.output<typeof generationListQuerySchema>;

const generationSummarySchema = z
  .object({
    id: z.string(),
    created_at: z.string(),
    surface: z.enum(['generate', 'chat']),
    external_id: z.string().nullable(),
    prompt: z.string().nullable().describe('Null for a pass-through call.'),
    prompt_version: z.string().nullable(),
    prompt_hash: z.string().nullable(),
    version_source: z.enum(['body', 'env', 'default']).nullable(),
    label: z.string().nullable(),
    experiment: z.string().nullable(),
    arm: z.string().nullable(),
    status: statusSchema,
    error_code: z.string().nullable(),
    route: z.string().nullable(),
    provider: z.string().nullable(),
    model: z.string().nullable(),
    forced: z.boolean(),
    degraded: z.boolean(),
    fell_back: z.boolean(),
    test: z.boolean(),
    replay: z.boolean(),
    shadow_of: z.string().nullable(),
    streamed: z.boolean(),
    attempts: z.number(),
    input_tokens: nullable,
    output_tokens: nullable,
    cost_usd: nullable.describe('Null when the price is not known.'),
    latency_ms: z.number(),
    text_start: z.string().nullable().describe('The first 160 characters of the answer.'),
    rewards: z
      .array(z.object({ metric: z.string(), reward: z.number() }))
      .describe('The outcomes that count, by metric.'),
  })
  .meta({ id: 'GenerationSummary' });

export const generationListSchema = z
  .object({
    generations: z.array(generationSummarySchema).describe('Newest first.'),
    next_cursor: z
      .string()
      .nullable()
      .describe('`cursor` of the next page; null: there is none. A page may be short, or empty, and go on.'),
    searched_until: z
      .string()
      .nullable()
      .describe('Time down to which calls were looked at; null with the last page.'),
    kept_from: z
      .string()
      .nullable()
      .describe('Earlier calls have been deleted by `ledger.retention`; null: none has.'),
    contents_kept_from: z
      .string()
      .nullable()
      .describe('Earlier calls have lost their texts, variables and attempts; null: none has.'),
  })
  .meta({ id: 'GenerationList' });
