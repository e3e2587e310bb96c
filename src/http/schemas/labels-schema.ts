import { z } from 'zod';

const DEFAULT_MOVES = 50;
const MAX_MOVES = 500;
const MAX_REASON_CHARACTERS = 500;
const name = z.string().min(1).max(64);

const conditionSchema = z.object({
  condition: z.string().describe('Key of the gate.'),
  required: z.number(),
  actual: z.number().nullable().describe('Null: the shadow runs do not say.'),
  holds: z.boolean(),
});

export const gateSchema = z
  .object({
    state: z.enum(['none', 'exempt', 'held', 'overridden', 'closed']),
    override_reason: z.string().nullable(),
    targets: z
      .array(
        z.object({
          prompt_version: z.string().nullable(),
          definition: z.string().nullable().describe('Hash of the definition of a policy.'),
          state: z.enum(['exempt', 'held', 'closed', 'unread']),
          conditions: z.array(conditionSchema),
        }),
      )
      .describe('What it looked at, with the numbers it saw.'),
  })
  .meta({ id: 'RolloutGate' });

const labelTargetSchema = z.union([z.object({ version: z.string() }), z.object({ experiment: z.string() })]);

export const labelSchema = z
  .object({
    prompt: z.string(),
    label: z.string().describe('Without the `@`.'),
    target: labelTargetSchema.describe('Where the label points.'),
    previous: labelTargetSchema.nullable().describe('Where it pointed before; null for its first value.'),
    hash: z.string().nullable().describe('Content hash of the version; null for an experiment.'),
    sequence: z.number().describe('Of the move; what `expected_sequence` is compared with.'),
    moved_at: z.string(),
    reason: z.string(),
    actor: z.string().describe('API key id; `config` for first values.'),
    seeded: z.boolean().describe('First value from the configuration.'),
    gate: gateSchema.describe('What the rollout gate said to the move.'),
  })
  .meta({ id: 'Label' });

export const labelListSchema = z
  .object({ prompt: z.string(), labels: z.array(labelSchema) })
  .meta({ id: 'LabelList' });

export const labelWithHistorySchema = labelSchema
  .extend({ history: z.array(labelSchema).describe('Its moves, newest first.') })
  .meta({ id: 'LabelWithHistory' });

export const labelQuerySchema = z.strictObject({
  limit: z.coerce
    .number({ error: `must be an integer from 1 to ${MAX_MOVES}` })
    .int()
    .min(1)
    .max(MAX_MOVES)
    .default(DEFAULT_MOVES)
    .describe('Most moves to answer.'),
});

export const labelMoveSchema = z
  .strictObject({
    version: name.nullish().describe('Version to point to; or'),
    experiment: name.nullish().describe('experiment to point to.'),
    reason: z.string().min(1).max(MAX_REASON_CHARACTERS).describe('Why it moves, for the history.'),
    expected_sequence: z
      .int()
      .min(0)
      .nullish()
      .describe('Refuse the move when the label is not at this `sequence` any more; 0: it must be new.'),
    override: z
      .strictObject({
        reason: z.string().min(1).max(MAX_REASON_CHARACTERS).describe('Why, for the history.'),
      })
      .nullish()
      .describe('Moves it although its rollout gate is closed.'),
  })
  .refine((body) => (body.version == null) !== (body.experiment == null), {
    message: 'name either `version` or `experiment`',
    path: ['version'],
  })
  .meta({
    id: 'LabelMove',
    example: { version: 'v2', reason: 'v2 won the comparison', expected_sequence: 3 },
  });

export type LabelMoveBody = z.output<typeof labelMoveSchema>;
