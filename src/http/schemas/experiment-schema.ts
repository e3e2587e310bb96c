import { z } from 'zod';
import { offPolicySchema, policyField } from './off-policy-schema.ts';

export const experimentQuerySchema = z.strictObject({
  format: z.enum(['json', 'csv']).optional().describe('Default: by the `Accept` header, then `json`.'),
  policy: policyField(
    'Adds what another policy would have earned: `arm:<name>`, `uniform`, `weights:<arm>=<share>,<arm>=<share>` or `revision:<policy revision>`. JSON only.',
  ),
});

const nullable = z.number().nullable();
const interval = { lower: z.number(), upper: z.number() };
const verdictStates = ['better', 'worse', 'no_difference_yet'] as const;

const definition = {
  experiment: z.string(),
  prompt: z.string(),
  revision: z.string().describe('Hash over the definition.'),
  state: z.enum(['not_started', 'running', 'stopped', 'stopped_by_guardrail', 'stopped_by_admin']),
  start: z.string().nullable(),
  stop: z.string().nullable(),
  unit: z.enum(['user_id', 'session_id']),
  metric: z.string(),
  policy: z.enum(['fixed', 'epsilon_greedy', 'thompson', 'top_two_thompson']),
  baseline: z.string().describe('Arm the others are compared with.'),
};

export const experimentListSchema = z
  .object({
    experiments: z.array(
      z.object({
        ...definition,
        arms: z.array(z.object({ arm: z.string(), prompt_version: z.string(), weight: z.number() })),
      }),
    ),
  })
  .meta({ id: 'ExperimentList' });

const verdictSchema = z
  .object({
    state: z.enum([...verdictStates, 'assignment_broken', 'not_started', 'no_data']),
    text: z.string().describe('In plain words.'),
    arm: z.string().nullable(),
    comparisons: z
      .array(
        z.object({
          arm: z.string(),
          state: z.enum(verdictStates),
          more_outcomes: nullable.describe('Likely still needed; null: too far away to say.'),
        }),
      )
      .describe('Every arm but the baseline; empty while nothing may be concluded.'),
  })
  .meta({ id: 'ExperimentVerdict' });

export const stopSchema = z
  .object({
    by: z.enum(['guardrail', 'admin']),
    at: z.string(),
    reason: z.string(),
    actor: z.string().describe('API key id; `gateway` for a guardrail.'),
    guardrail: z.string().nullable(),
  })
  .meta({ id: 'ExperimentStop' });

const guardrailSchema = z
  .object({
    guardrail: z.string().describe('Metric, or `error_rate`.'),
    limit: z.number().describe('Loss that is tolerated.'),
    confidence: z.number(),
    method: z.string(),
    breached: z.boolean(),
    waived: z.boolean().describe('Somebody resumed the experiment without it.'),
    arms: z.array(
      z.object({
        arm: z.string(),
        loss: nullable.describe('How much worse than the baseline, in numbers of the metric.'),
        ...interval,
        breached: z.boolean().describe('The whole interval lies beyond the limit.'),
      }),
    ),
  })
  .meta({ id: 'ExperimentGuardrail' });

const armSchema = z
  .object({
    arm: z.string(),
    prompt_version: z.string().nullable().describe('Null for an arm the definition lacks.'),
    propensity: nullable.describe('Chance of a new unit to get this arm.'),
    units: z.number(),
    expected_units: z.number().describe('Of the units the sample-ratio test is about.'),
    calls: z.number(),
    mature: z.number().describe('Units whose reward is settled: what `mean` averages over.'),
    pending: z.number().describe('Units whose reward may still come.'),
    sum: z.number(),
    mean: nullable,
    ...interval,
    confidence: z.number(),
    method: z.string(),
    drift_safe: z
      .object({
        mean: z.number(),
        ...interval,
        confidence: z.number(),
        decisions: z.number().describe('Of all arms: each says something about every one of them.'),
        folded_until: z.string(),
        method: z.string(),
      })
      .nullable()
      .describe('Average value of "everybody gets this arm": holds under drift and adaptive assignment.'),
    difference: z
      .object({ difference: nullable, ...interval, confidence: z.number(), method: z.string() })
      .nullable()
      .describe('Arm minus baseline; null for the baseline itself.'),
    error_share: z.number(),
    degraded_share: z.number(),
    fallback_share: z.number(),
  })
  .meta({ id: 'ExperimentArm' });

export const experimentReportSchema = z
  .object({
    ...definition,
    floor: z.number().describe('Smallest probability of any arm.'),
    policy_revision: z.string().nullable(),
    optimize: z.enum(['max', 'min']),
    missing: z.enum(['exclude', 'zero']),
    attribution_window_hours: z.number(),
    scale: z.object({ min: z.number(), max: z.number() }),
    generated_at: z.string(),
    verdict: verdictSchema,
    stopped: stopSchema.nullable().describe('Null: nothing but its schedule ends it.'),
    guardrails: z.array(guardrailSchema),
    sample_ratio: z.object({
      method: z.string(),
      p_value: z.number(),
      alarm_below: z.number(),
      alarm: z.boolean(),
      alarmed_at: z.string().nullable().describe('When it was first noticed: it stays on from then.'),
      units: z.number(),
    }),
    comparisons: z.number(),
    sequence: z
      .object({
        folded_until: z.string().describe('Decision hours before this are in the drift-safe intervals.'),
        corrected_through: z.string().describe('Later folded hours wait for a correction.'),
        corrections: z.number(),
        decisions: z.number(),
        unanswered: z.number().describe('Left out for want of a reward.'),
        unusable: z.number().describe('Left out because their propensities are missing or impossible.'),
      })
      .nullable(),
    warnings: z.array(z.object({ code: z.string(), arm: z.string().nullable(), message: z.string() })),
    arms: z.array(armSchema),
    policy_revisions: z
      .array(
        z.object({
          policy_revision: z.string(),
          experiment_revision: z.string(),
          first_unit_at: z.string(),
          arms: z.array(z.object({ arm: z.string(), propensity: nullable, units: z.number() })),
        }),
      )
      .describe('The newest 100, oldest first.'),
    off_policy: offPolicySchema.optional().describe('With `policy` only.'),
  })
  .meta({ id: 'ExperimentReport' });

export const experimentHistoryQuerySchema = z.strictObject({
  by: z
    .enum(['hour', 'day'])
    .optional()
    .describe('Length of a step, UTC. Default: hours while there are at most 7 days, then days.'),
});

export const experimentHistorySchema = z
  .object({
    experiment: z.string(),
    metric: z.string(),
    optimize: z.enum(['max', 'min']),
    missing: z.enum(['exclude', 'zero']),
    scale: z.object({ min: z.number(), max: z.number() }),
    baseline: z.string(),
    by: z.enum(['hour', 'day']),
    generated_at: z.string(),
    confidence: z.number(),
    method: z.string(),
    arms: z.array(
      z.object({
        arm: z.string(),
        prompt_version: z.string().nullable().describe('Null for an arm the definition lacks.'),
        points: z
          .array(
            z.object({
              until: z
                .string()
                .describe('Units first served before this are counted, with the rewards of today.'),
              units: z.number(),
              mature: z.number(),
              mean: nullable,
              ...interval,
              difference: z
                .object({ difference: nullable, ...interval, confidence: z.number() })
                .nullable()
                .describe('To the baseline; null for the baseline, and with `missing: zero`.'),
            }),
          )
          .describe('Oldest first, at most 200: of many steps evenly chosen ones, the newest among them.'),
      }),
    ),
  })
  .meta({ id: 'ExperimentHistory' });
