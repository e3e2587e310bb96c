import { z } from 'zod';
import { idField, metadataField, tagsField, timestampField } from './fields.ts';

/** Most outcomes of one call: they are one transaction. */
const MAX_OUTCOMES = 1_000;

export const outcomeSchema = z
  .strictObject({
    generation_id: idField('The generation this is about; or'),
    score_id: idField('the score this is about: its policy learns from the outcome; or'),
    external_id: idField("the caller's own id, as it was sent with the generation."),
    metric: z.string().min(1).max(64).nullish().describe('A metric of the configuration.'),
    value: z
      .union([z.boolean(), z.number(), z.string().max(256)], { error: 'must be a boolean, number or string' })
      .nullish()
      .describe("By the metric's type: boolean, number or category."),
    outcome_id: idField('Makes a retry safe: the same id counts once. Default: minted.'),
    occurred_at: timestampField('When it happened. Default: now.'),
    void: z.boolean().nullish().describe('Withdraws the outcome named by `outcome_id`.'),
    tags: tagsField,
    metadata: metadataField,
  })
  .meta({
    id: 'Outcome',
    example: { generation_id: 'gen_01', metric: 'completed', value: true, outcome_id: 'tip-77-completed' },
  });

export const outcomeBatchSchema = z
  .strictObject({ outcomes: z.array(outcomeSchema).min(1).max(MAX_OUTCOMES) })
  .meta({ id: 'OutcomeBatch' });

export const outcomeReceiptSchema = z
  .object({ accepted: z.number(), duplicates: z.number(), outcome_ids: z.array(z.string()) })
  .meta({ id: 'OutcomeReceipt' });

export type OutcomeBody = z.output<typeof outcomeSchema>;
