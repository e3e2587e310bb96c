import { z } from 'zod';

const faultSchema = z.object({
  path: z.string().describe('JSON path of the fault, empty for the whole body.'),
  message: z.string(),
});

export const problemSchema = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.number(),
    code: z.string().describe('One of docs/errors.md; stable, made for programs.'),
    detail: z.string().describe('For people: what is wrong and what to do.'),
    instance: z.string(),
    request_id: z.string(),
    errors: z.array(faultSchema),
  })
  .meta({ id: 'Problem' });

/** What never became a request has no path and no id. */
export const socketProblemSchema = problemSchema
  .omit({ instance: true, request_id: true })
  .meta({ id: 'SocketProblem' });

export const openAiErrorSchema = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable(),
      code: z.string(),
    }),
  })
  .meta({ id: 'OpenAiError' });

const partSchema = z.object({
  status: z.enum(['ok', 'degraded', 'failed']),
  detail: z.string().nullable(),
});

export const readinessSchema = z
  .object({
    status: z.enum(['ready', 'degraded', 'not_ready']),
    draining: z.boolean(),
    parts: z.object({
      database: partSchema,
      retention: partSchema,
      config: partSchema,
      prompts: partSchema,
      providers: partSchema,
    }),
  })
  .meta({ id: 'Readiness' });

/** The main columns; the record holds everything that was written of the call. */
export const generationSchema = z
  .looseObject({
    id: z.string(),
    created_at: z.string(),
    finished_at: z.string(),
    surface: z.enum(['generate', 'chat']),
    prompt: z.string().nullable(),
    prompt_version: z.string().nullable(),
    status: z.enum(['ok', 'error', 'incomplete', 'client_closed']),
    cost_usd: z.number().nullable(),
    text: z.string().nullable(),
    contents_erased: z
      .boolean()
      .describe('Text, variables, metadata and attempts went by `ledger.retention`.'),
    attempts: z.array(z.looseObject({ provider: z.string(), model: z.string(), outcome: z.string() })),
    outcomes: z.array(
      z.looseObject({
        outcome_id: z.string(),
        metric: z.string(),
        reward: z.number(),
        counts: z.boolean(),
      }),
    ),
    rendered: z
      .object({
        source: z
          .enum(['recorded', 'reconstructed'])
          .describe('`reconstructed`: rendered again from the recorded variables with the recorded version.'),
        messages: z.array(z.unknown()),
      })
      .nullable()
      .describe('What the model was sent; null when `rendered_missing` says why not.'),
    rendered_missing: z
      .enum(['version_gone', 'content_changed', 'redacted', 'not_recorded', 'render_failed'])
      .nullable(),
  })
  .meta({ id: 'Generation' });
