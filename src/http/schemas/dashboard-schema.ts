import { z } from 'zod';
import { labelSchema } from './labels-schema.ts';
import { reportFilterFields } from './report-schema.ts';

/** Answers that pages show at a glance: how a prompt did over time, and what needs attention now. */

const nullable = z.number().nullable();
const interval = { lower: z.number(), upper: z.number() };

export const timeSeriesQuerySchema = z.strictObject({
  metric: z.string().min(1).max(64).optional().describe("Default: the prompt's primary metric."),
  by: z.enum(['hour', 'day']).default('day').describe('Length of a point, UTC.'),
  from: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe('ISO 8601; snapped outward to whole points. Default: 7 days of hours, 90 days of days.'),
  to: z.string().min(1).max(64).optional().describe('ISO 8601, excluded; snapped outward. Default: now.'),
  version: z
    .string()
    .min(1)
    .max(1_000)
    .regex(/[^,\s]/, 'must name a version')
    .optional()
    .describe('Only these versions, separated by commas. Default: every version with traffic.'),
  ...reportFilterFields,
});

const timePointSchema = z.object({
  at: z.string().describe('Begin of the hour or day, UTC.'),
  generations: z.number(),
  delivered: z.number(),
  errors: z.number(),
  outcomes: z.number().describe('Observed rewards of calls made in this point, whenever they were reported.'),
  mean: nullable.describe('Of the settled rewards, as in the report; null without one.'),
  mature: z.number().describe('Calls of this point whose reward is settled: what `mean` averages over.'),
  cost_usd: nullable.describe('Over the calls whose cost is known; null when it is known of none.'),
  cost_known: z.number(),
  latency_ms: z.object({ p50: nullable, p95: nullable }),
});

export const timeSeriesSchema = z
  .object({
    prompt: z.string(),
    metric: z.string(),
    optimize: z.enum(['max', 'min']),
    missing: z.enum(['exclude', 'zero']),
    scale: z.object({ min: z.number(), max: z.number() }),
    by: z.enum(['hour', 'day']),
    from: z.string(),
    to: z.string().describe('Excluded.'),
    generated_at: z.string(),
    series: z
      .array(
        z.object({
          prompt_version: z.string(),
          points: z.array(timePointSchema).describe('Oldest first; a time without a call has no point.'),
        }),
      )
      .describe('By version, in natural order: v2 before v10.'),
    label_moves: z.array(labelSchema).describe("Moves of the prompt's labels in the window, oldest first."),
  })
  .meta({ id: 'TimeSeries' });

const trafficSchema = z.object({ last_24h: z.number(), last_7d: z.number() });
const shareSchema = z.object({ last_24h: nullable, last_7d: nullable }).describe('Null without a call.');

const overviewPromptSchema = z
  .object({
    prompt: z.string(),
    serves: z
      .object({
        reference: z.string().describe('What a call without `prompt_version` asks for: `v1` or `@live`.'),
        source: z.enum(['env', 'default']),
        version: z.string().nullable().describe('The version it gets; null when an experiment chooses.'),
        experiment: z.string().nullable(),
        problem: z.string().nullable().describe('Why such a call fails; null when it does not.'),
      })
      .describe('What callers get that name no version.'),
    labels: z.array(labelSchema),
    experiments: z
      .array(
        z.object({
          experiment: z.string(),
          state: z.enum(['not_started', 'running', 'stopped', 'stopped_by_guardrail', 'stopped_by_admin']),
        }),
      )
      .describe('Configured ones of this prompt.'),
    metric: z.string().nullable().describe('Primary metric; null when none is declared.'),
    optimize: z.enum(['max', 'min']).nullable(),
    scale: z.object({ min: z.number(), max: z.number() }).nullable(),
    baseline: z.string().nullable(),
    summary: z.string().nullable().describe('The comparison of the versions in one sentence.'),
    versions: z.array(
      z.object({
        prompt_version: z.string(),
        known: z.boolean(),
        retired: z.boolean(),
        live: z.boolean().describe('Some label or the default leads users to it, or a running experiment.'),
        generations: z.number(),
        mature: z.number(),
        pending: z.number(),
        mean: nullable,
        ...interval,
        confidence: z.number(),
        lift: z.object({ difference: nullable, ...interval, confidence: z.number() }).nullable(),
      }),
    ),
    generations: trafficSchema,
    cost_usd: shareSchema.describe('Over the calls whose cost is known; null when it is known of none.'),
    error_share: shareSchema,
    degraded_share: shareSchema,
  })
  .meta({ id: 'OverviewPrompt' });

const attentionSchema = z
  .object({
    code: z
      .enum([
        'ledger_unhealthy',
        'config_fault',
        'config_needs_restart',
        'prompts_fault',
        'provider_down',
        'default_version_fault',
        'sample_ratio_alarm',
        'guardrail_stop',
        'gate_refused',
        'gate_overridden',
        'degraded_traffic',
        'error_traffic',
        'mixed_content',
        'unknown_version',
        'budget_spent',
        'orphan_outcomes',
      ])
      .describe('Stable, made for programs.'),
    severity: z.enum(['critical', 'warning', 'info']),
    message: z.string().describe('For people: what is wrong and what to do.'),
    prompt: z.string().nullable(),
    experiment: z.string().nullable(),
    link: z.string().nullable().describe('Path of the page that shows it, below the root of the gateway.'),
  })
  .meta({ id: 'Attention' });

export const overviewSchema = z
  .object({
    generated_at: z.string(),
    attention: z.array(attentionSchema).describe('Worst first; empty: nothing needs attention.'),
    prompts: z.array(overviewPromptSchema).describe('By name.'),
  })
  .meta({ id: 'Overview' });
