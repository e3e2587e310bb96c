import { z } from 'zod';

import { NAME } from './name-schema.ts';
import { guardrailsSchema } from './rollout-schema.ts';

const policyBase = {
  floor: z
    .number()
    .positive()
    .max(0.5)
    .optional()
    .describe(
      'Smallest probability of any arm, for ever; at most 1/K for K arms. Default: 0.1/K. Without it an arm that was unlucky early would never be seen again, and could not be evaluated.',
    ),
  discount: z
    .number()
    .min(0.5)
    .max(1)
    .default(1)
    .describe(
      'What earlier rewards are worth after each update that brought new ones; 1 forgets nothing. 0.99 follows users whose taste drifts.',
    ),
  update_interval_seconds: z
    .int()
    .min(1)
    .max(86_400)
    .default(60)
    .describe('How often the probabilities are computed anew, in seconds.'),
};

const policySchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('fixed').describe('The weights of the arms, for ever.') }),
  z.strictObject({
    kind: z.literal('epsilon_greedy').describe('The arm with the best mean so far, the others now and then.'),
    epsilon: z
      .number()
      .min(0)
      .max(1)
      .default(0.1)
      .describe('Share of new units that is spread over all arms evenly.'),
    ...policyBase,
  }),
  z.strictObject({
    kind: z
      .literal('thompson')
      .describe('Each arm with the probability that it is the best, given the rewards so far.'),
    ...policyBase,
  }),
  z.strictObject({
    kind: z
      .literal('top_two_thompson')
      .describe('The best arm so far against its rivals: knows the best one sooner than `thompson`.'),
    beta: z.number().gt(0).lt(1).default(0.5).describe('Share of new units that goes to the leader.'),
    ...policyBase,
  }),
]);

const armSchema = z.strictObject({
  version: z.string().min(1).describe('Version of the prompt.'),
  weight: z
    .number()
    .positive()
    .max(1_000_000)
    .default(1)
    .describe('Share under the policy `fixed`, relative to the other arms.'),
});

/** A time with its zone: without one it would mean something else on every machine. */
const instant = (description: string) =>
  z.iso
    .datetime({ offset: true, error: 'must be a time with its zone, such as 2026-11-23T10:00:00Z' })
    .optional()
    .describe(description);

export const experimentsSchema = z
  .record(
    NAME,
    z.strictObject({
      prompt: NAME.describe('Prompt whose versions are compared.'),
      arms: z
        .record(NAME, armSchema)
        .describe('2 to 50 choices by name. Rows and reports name the arm and the version.'),
      baseline: NAME.optional().describe(
        'Arm that the others are compared with, and that calls without a unit get. Default: the first one.',
      ),
      policy: policySchema
        .default({ kind: 'fixed' })
        .describe('Rule that chooses the arm of a new unit. A unit keeps its arm.'),
      unit: z
        .enum(['user_id', 'session_id'])
        .default('user_id')
        .describe('Field of the call that names the unit.'),
      metric: NAME.optional().describe("Metric that decides. Default: the prompt's primary metric."),
      salt: z
        .string()
        .min(1)
        .max(128)
        .optional()
        .describe('Seed of the assignment; another one shuffles all units. Default: the name.'),
      start: instant('Before this time every call gets the baseline and none counts.'),
      stop: instant('From this time on every call gets the baseline and none counts.'),
      grace_hours: z
        .number()
        .min(0)
        .max(720)
        .default(1)
        .describe(
          'How long after the attribution window an hour of decisions waits for outcomes that are reported late, before the drift-safe intervals fold it, in hours. Later changes are folded anew.',
        ),
      guardrails: guardrailsSchema,
      guardrail_interval_seconds: z
        .int()
        .min(1)
        .max(3_600)
        .default(30)
        .describe('How often guardrails and the sample ratio are checked, in seconds.'),
    }),
  )
  .default({})
  .describe('Comparisons of versions by name. A label that points to one starts it.');
