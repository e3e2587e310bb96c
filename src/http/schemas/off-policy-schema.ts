import { z } from 'zod';

/** Longest `policy` that is read: room for the weights of 50 arms. */
const MAX_POLICY_CHARACTERS = 4_000;

export const policyField = (description: string) =>
  z.string().min(1).max(MAX_POLICY_CHARACTERS).optional().describe(description);

const estimate = z
  .object({
    value: z.number(),
    standard_error: z.number().nullable().describe('For one look at a fixed number of decisions.'),
  })
  .nullable();

const valueIntervalSchema = z
  .object({
    lower: z.number(),
    upper: z.number(),
    confidence: z.number(),
    method: z.string(),
    decisions: z.number().describe('Decisions it is over.'),
    truncated: z
      .boolean()
      .describe('True: only the newest decisions, because there are more than one evaluation reads.'),
  })
  .meta({ id: 'ValueInterval' });

export const offPolicySchema = z
  .object({
    policy: z.string().describe('As asked.'),
    text: z.string().describe('The answer in words.'),
    gate: z.object({
      concludes: z.boolean().describe('False: the numbers must not be acted on.'),
      reasons: z.array(z.object({ fault: z.string(), message: z.string() })),
    }),
    decisions: z
      .number()
      .describe('With a settled reward and known propensities: what the estimators are over.'),
    decisions_without_propensities: z.number().describe('Settled ones left out.'),
    estimators: z.object({
      ips: estimate,
      snips: estimate,
      dm: estimate,
      dr: estimate,
      sndr: estimate,
      switch_dr: estimate,
      dr_os: estimate,
    }),
    interval: valueIntervalSchema.nullable().describe('Of the value, at every moment at once.'),
    on_policy: z
      .object({ mean: z.number().nullable(), interval: valueIntervalSchema.nullable() })
      .describe('What the same decisions earned in truth.'),
    effective_sample_size: z.number(),
    max_weight: z.number(),
    mean_weight: estimate.describe('1 in expectation, if the propensities are true.'),
    share_without_support: z
      .number()
      .describe('Of the probability of the policy, on choices that could not be made.'),
  })
  .meta({ id: 'OffPolicy' });
