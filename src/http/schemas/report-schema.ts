import { z } from 'zod';

/** Shared by every report on versions. Each makes the evidence descriptive: the reader chose what to look at. */
export const reportFilterFields = {
  model: z.string().min(1).max(256).optional().describe('Only calls that this model answered.'),
  source: z.enum(['body', 'env', 'default']).optional().describe('Only calls whose version came from there.'),
  segment: z
    .string()
    .min(1)
    .max(160)
    .optional()
    .describe(
      'Only `forced` calls (the caller named the version), `assigned` ones (all others), `model_answers`, `authored_lines` (degraded), `experiment:<name>` or `arm:<experiment>/<arm>`.',
    ),
};

const reportFiltersSchema = z.object(reportFilterFields);

/** The fields as they come out of a query. */
export type ReportFiltersAsked = z.output<typeof reportFiltersSchema>;

export const reportQuerySchema = z.strictObject({
  metric: z.string().min(1).max(64).optional().describe("Default: the prompt's primary metric."),
  baseline: z.string().min(1).max(128).optional().describe('Version the others are compared with.'),
  from: z.string().min(1).max(64).optional().describe('ISO 8601; snapped outward to UTC hours.'),
  to: z.string().min(1).max(64).optional().describe('ISO 8601, excluded; snapped outward to UTC hours.'),
  ...reportFilterFields,
  format: z.enum(['json', 'csv']).optional().describe('Default: by the `Accept` header, then `json`.'),
});

const nullable = z.number().nullable();
const interval = { lower: z.number(), upper: z.number() };

const reportRowSchema = z
  .object({
    prompt_version: z.string(),
    known: z.boolean().describe('The registry has it.'),
    retired: z.boolean(),
    generations: z.number(),
    delivered: z.number(),
    outcomes: z.number(),
    mature: z.number().describe('Generations whose reward is settled: what `mean` averages over.'),
    pending: z.number().describe('Generations whose reward may still come.'),
    sum: z.number(),
    mean: nullable,
    ...interval,
    confidence: z.number(),
    method: z.string(),
    lift: z
      .object({ difference: nullable, ...interval, confidence: z.number() })
      .nullable()
      .describe('Against the baseline; null for the baseline itself.'),
    latency_ms: z.object({ p50: nullable, p95: nullable }),
    cost_usd: nullable,
    cost_known: z.number(),
    mean_cost_usd: nullable,
    cost_per_reward_usd: nullable.describe(
      'Mean cost of a call divided by the mean reward: what one unit of reward costs. Null where either is unknown, the mean is not above 0, or the metric is minimised.',
    ),
    input_tokens: z.number().nullable().describe('Null when the tokens of no call are known.'),
    output_tokens: z.number().nullable(),
    error_share: z.number(),
    fallback_share: z.number(),
    degraded_share: z.number(),
    client_closed_share: z.number(),
    forced: z.number(),
    sources: z.object({ body: z.number(), env: z.number(), default: z.number() }),
    hashes: z.array(z.string()),
  })
  .meta({ id: 'VersionReportRow' });

export const reportSchema = z
  .object({
    prompt: z.string(),
    metric: z.string(),
    optimize: z.enum(['max', 'min']),
    missing: z.enum(['exclude', 'zero']),
    attribution_window_hours: z.number(),
    example_value: z
      .union([z.boolean(), z.number(), z.string()])
      .describe('A value that an outcome of the metric may have.'),
    scale: z.object({ min: z.number(), max: z.number() }),
    from: z.string().nullable(),
    to: z.string().nullable(),
    generated_at: z.string(),
    filters: z
      .object({
        model: z.string().nullable(),
        source: z.enum(['body', 'env', 'default']).nullable(),
        segment: z.string().nullable(),
      })
      .describe('As asked for.'),
    choices: z
      .object({ metrics: z.array(z.string()), models: z.array(z.string()), experiments: z.array(z.string()) })
      .describe('Declared metrics, and values seen in recorded calls of the prompt: what a query can name.'),
    baseline: z.string().nullable(),
    evidence: z.enum(['anytime-valid', 'descriptive']),
    comparisons: z.number(),
    summary: z.string(),
    warnings: z.array(z.object({ code: z.string(), prompt_version: z.string(), message: z.string() })),
    versions: z.array(reportRowSchema),
  })
  .meta({ id: 'VersionReport' });
