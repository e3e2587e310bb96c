import { z } from 'zod';

import { stopSchema } from './experiment-schema.ts';
import { gateSchema } from './labels-schema.ts';

const DEFAULT_EVENTS = 50;
const MAX_EVENTS = 500;
const MAX_REASON_CHARACTERS = 500;

const wholeNumber = (max: number) =>
  z.coerce
    .number({ error: `must be an integer from 1 to ${max}` })
    .int()
    .min(1)
    .max(max);

export const rolloutQuerySchema = z.strictObject({
  subject: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('Only of this one: `tip@live`, or the name of an experiment or a policy.'),
  kind: z.enum(['label', 'experiment', 'policy']).optional().describe('Only of subjects of this kind.'),
  before: wholeNumber(Number.MAX_SAFE_INTEGER)
    .optional()
    .describe('Only events before this `sequence`: `next_before` of the page before.'),
  limit: wholeNumber(MAX_EVENTS).default(DEFAULT_EVENTS).describe('Most events to answer.'),
});

export const rolloutPageSchema = z
  .object({
    rollouts: z
      .array(
        z.object({
          sequence: z.number(),
          at: z.string(),
          subject_kind: z.enum(['label', 'experiment', 'policy']),
          subject: z.string(),
          from: z.string().nullable(),
          to: z.string(),
          revision: z.string().nullable().describe('Definition that it is about; null for a label.'),
          decision: z.enum(['allowed', 'exempt', 'overridden', 'refused', 'stopped', 'resumed', 'alarmed']),
          reason: z.string(),
          actor: z.string().describe('API key id; `config` the configuration; `gateway` nobody.'),
          gate: gateSchema,
          facts: z.record(z.string(), z.unknown()).nullable().describe('Numbers behind a stop or an alarm.'),
        }),
      )
      .describe('Newest first.'),
    next_before: z.number().nullable().describe('`before` of the next page; null: this is the last one.'),
  })
  .meta({ id: 'RolloutPage' });

export const stopBodySchema = z
  .strictObject({ reason: z.string().min(1).max(MAX_REASON_CHARACTERS).describe('Why, for the history.') })
  .meta({ id: 'StopReason', example: { reason: 'users complain about arm v3' } });

export const stopAnswerSchema = z.object({ experiment: z.string(), stopped: stopSchema.nullable() });

export const resumeAnswerSchema = stopAnswerSchema.extend({
  waived: z.array(z.string()).describe('Guardrails that stop this definition no more.'),
});
