import { z } from 'zod';

import { NAME } from './name-schema.ts';

const share = (description: string) => z.number().min(0).max(1).optional().describe(description);
const ratio = (description: string) => z.number().positive().max(1_000).optional().describe(description);

const evidence = {
  min_shadow_runs: z
    .int()
    .min(1)
    .max(10_000_000)
    .describe('Shadow runs that the new one must have had within the window.'),
  max_error_rate: share('Largest share of shadow runs that failed.'),
  max_error_rate_increase: share(
    'By how much that share may exceed the share of failures among the live calls of the same pairs.',
  ),
  max_latency_ratio: ratio(
    'Largest latency of the shadow runs over that of their live calls (geometric mean).',
  ),
  window_hours: z
    .number()
    .positive()
    .max(8_760)
    .default(168)
    .describe('Only shadow runs of this many hours back count.'),
};

const promptGate = z.strictObject({
  labels: z
    .array(NAME)
    .min(1)
    .optional()
    .describe('Labels that the gate guards, without the `@`. Default: all labels of the prompt.'),
  ...evidence,
  max_schema_failure_rate: share('Largest share of shadow runs whose answer did not fit `output.schema`.'),
  max_cost_ratio: ratio('Largest cost of the shadow runs over that of their live calls.'),
});

const override = z.strictObject({
  experiment: NAME.optional().describe('Experiment whose definition it lets pass; or'),
  policy: NAME.optional().describe('policy whose definition it lets pass.'),
  revision: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/, 'is the hash of one definition, sha256:… (the refusal names it)')
    .describe('Hash of the one definition it is for: any later change needs its gate again.'),
  reason: z.string().trim().min(1).max(500).describe('Why, for the history.'),
});

export const rolloutGatesSchema = z
  .strictObject({
    prompts: z
      .record(NAME, promptGate)
      .default({})
      .describe('By prompt: what a version must have shown before a label may lead users to it.'),
    policies: z
      .record(NAME, z.strictObject(evidence))
      .default({})
      .describe('By policy of `policies`: what a changed definition must have shown before it is in force.'),
    overrides: z
      .array(override)
      .max(1_000)
      .default([])
      .describe('Definitions that come into force although their gate is closed.'),
  })
  .prefault({});

/** Name of the guardrail that counts failed calls; a metric of this name cannot be a guardrail. */
export const ERROR_RATE = 'error_rate';

export const guardrailsSchema = z
  .array(
    z.strictObject({
      metric: NAME.describe('A declared metric, with `max_loss`; or `error_rate`, with `max_increase`.'),
      max_loss: z
        .number()
        .min(0)
        .optional()
        .describe(
          'By how much the mean of an arm may be worse than that of the baseline, in numbers of the metric.',
        ),
      max_increase: z
        .number()
        .min(0)
        .lt(1)
        .optional()
        .describe('By how much the share of failed calls of an arm may exceed that of the baseline.'),
    }),
  )
  .max(20)
  .default([])
  .describe(
    'Limits of harm: one that is certainly exceeded stops the experiment, and everybody gets the baseline.',
  );
