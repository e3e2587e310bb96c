import { z } from 'zod';

import { NAME } from './name-schema.ts';
import { positiveInt } from './schema-fields.ts';

const shadowRuleSchema = z.strictObject({
  prompt: NAME.optional().describe(
    'Prompt whose live calls are shadowed. Needed unless the rule names a `policy`.',
  ),
  version: z
    .string()
    .min(1)
    .optional()
    .describe('Candidate version of the prompt. Default: the version of the live call.'),
  route: NAME.optional().describe('Candidate route. Default: the route of the live call.'),
  model: z.string().min(1).max(256).optional().describe('Candidate model. Default: as the live call.'),
  only_version: z
    .string()
    .min(1)
    .optional()
    .describe('Shadow only live calls of this version. Default: of every version.'),
  policy: NAME.optional().describe(
    'Candidate policy of `POST /score` (section `policies`), instead of a prompt.',
  ),
  of: NAME.optional().describe(
    'Live policy whose `/score` calls are shadowed. Default: every policy but the candidate.',
  ),
  sample: z
    .number()
    .gt(0)
    .max(1)
    .default(0.1)
    .describe('Share of the live calls that is also run on the candidate. Chosen by a hash of the call.'),
  max_concurrency: positiveInt('Shadow calls of this rule that may run at a time.', 2, 1_000),
  max_queue: z
    .int()
    .min(0)
    .max(10_000)
    .default(16)
    .describe('Shadow calls that may wait for a place; one more is dropped.'),
  budget_usd_per_day: z
    .number()
    .positive()
    .max(1_000_000)
    .default(1)
    .describe('Shadow calls stop for the rest of the UTC day once they have cost this much, in US dollars.'),
  assumed_cost_usd: z
    .number()
    .min(0)
    .max(1_000)
    .default(0.001)
    .describe(
      'What a shadow call of unknown cost counts against the budget, in US dollars. 0 for models of your own.',
    ),
  timeout_ms: z
    .int()
    .min(1)
    .max(3_600_000)
    .optional()
    .describe(
      'A shadow call that takes longer counts as failed, in milliseconds. Default: the limits of its route alone.',
    ),
});

export const shadowSchema = z
  .record(NAME, shadowRuleSchema)
  .default({})
  .describe(
    'Candidates that are tried on a sample of the live traffic, by name, without anybody seeing their answers (shadow.md).',
  );
