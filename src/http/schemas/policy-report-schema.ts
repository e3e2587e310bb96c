import { z } from 'zod';
import { offPolicySchema, policyField } from './off-policy-schema.ts';

export const policyQuerySchema = z.strictObject({
  policy: policyField(
    'Adds what another rule would have earned by the same decisions: `uniform`, `greedy` (the best logged estimate every time), `first` (your own order) or `policy:<configured policy>`.',
  ),
});

const nullable = z.number().nullable();

const figures = {
  decisions: z.number(),
  mature: z.number().describe('Decisions whose reward is settled: what `mean` averages over.'),
  pending: z.number().describe('Decisions whose reward may still come.'),
  sum: z.number(),
  mean: nullable,
  chosen_best_share: nullable.describe(
    'Decisions that chose a candidate with the best estimate; the rest explored.',
  ),
  mean_chosen_propensity: nullable,
  mean_candidates: nullable,
};

export const policyReportSchema = z
  .object({
    policy: z.string(),
    kind: z.enum(['squarecb', 'uniform']),
    policy_definition: z.string().describe('Hash over the definition in force.'),
    metric: z.string(),
    optimize: z.enum(['max', 'min']),
    missing: z.enum(['exclude', 'zero']),
    attribution_window_hours: z.number(),
    scale: z.object({ min: z.number(), max: z.number() }),
    generated_at: z.string(),
    ...figures,
    recent: z
      .object({
        decisions: z.number(),
        truncated: z.boolean().describe('True: there are older ones.'),
        mature: z.number(),
        mean: nullable,
        interval: z
          .object({ lower: z.number(), upper: z.number(), confidence: z.number(), method: z.string() })
          .nullable()
          .describe('Of the mean over these decisions.'),
        chosen_propensity: z
          .object({ p01: z.number(), p10: z.number(), p50: z.number(), p90: z.number() })
          .nullable()
          .describe('Quantiles of the propensity of the chosen candidate.'),
      })
      .describe('Of the newest 20,000 decisions.'),
    over_time: z
      .array(
        z.object({
          from: z.string(),
          hours: z.number().describe('Length of the step: 1 while all of it fits into one chart, else 24.'),
          ...figures,
        }),
      )
      .describe('The newest 100 steps with decisions, oldest first.'),
    policy_revisions: z
      .array(
        z.object({
          policy_revision: z.string(),
          policy_definition: z.string(),
          first_hour: z.string(),
          ...figures,
        }),
      )
      .describe('The newest 100, oldest first.'),
    off_policy: offPolicySchema.optional().describe('With `policy` only.'),
  })
  .meta({ id: 'PolicyReport' });
