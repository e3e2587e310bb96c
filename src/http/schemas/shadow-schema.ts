import { z } from 'zod';

const nullable = z.number().nullable();
const name = z.string().nullable();

const rule = {
  shadow: z.string().describe('Name of the rule.'),
  kind: z.enum(['prompt', 'policy']),
  revision: z.string().describe('Hash over what is compared.'),
  changes: z.array(z.enum(['version', 'route', 'model', 'policy'])),
  prompt: name,
  version: name.describe('Candidate version; null: that of the live call.'),
  route: name.describe('Candidate route; null: that of the live call.'),
  model: name.describe('Candidate model; null: that of the live call.'),
  only_version: name.describe('Live version that is shadowed; null: every one.'),
  policy: name.describe('Candidate policy of `/score`.'),
  of: name.describe('Live policy that is shadowed; null: every other one.'),
  sample: z.number(),
  runs: z.number(),
  running: z.number(),
  queued: z.number(),
  dropped: z
    .array(z.object({ reason: z.string(), calls: z.number() }))
    .describe('Sampled and not run since this process started.'),
  budget_usd_per_day: z.number(),
  spent_today_usd: z.number().describe('In the UTC day, unknown costs as assumed.'),
};

export const shadowListSchema = z.object({ shadow: z.array(z.object(rule)) }).meta({ id: 'ShadowList' });

const share = {
  count: z.number(),
  share: nullable,
  lower: z.number(),
  upper: z.number(),
  method: z.string(),
};
const estimateFields = { value: nullable, lower: nullable, upper: nullable, method: z.string() };
const estimate = z.object(estimateFields).nullable();

const pairedSharesSchema = z
  .object({
    live: z.object({ of: z.number(), ...share }),
    shadow: z.object({ of: z.number(), ...share }),
    difference: z
      .object({
        pairs: z.number(),
        live_only: z.number(),
        shadow_only: z.number(),
        ...estimateFields,
      })
      .describe('Shadow minus live.'),
  })
  .meta({ id: 'ShadowPairedShares' });

const latency = z.object({ p50_ms: nullable, p95_ms: nullable });
const tokens = z.object({ input: z.number(), output: z.number() }).nullable();

export const shadowReportSchema = z
  .object({
    ...rule,
    generated_at: z.string(),
    summary: z.string().describe('In plain words.'),
    earlier_runs: z
      .number()
      .describe('Under another definition of the rule or another text of the version: not compared.'),
    confidence: z.number().describe('Of every interval, on its own.'),
    errors: pairedSharesSchema,
    schema_failures: pairedSharesSchema.nullable(),
    degraded: z.object({ live: z.number(), shadow: z.number() }),
    latency: z.object({
      pairs: z.number().describe('Both sides answered.'),
      live: latency,
      shadow: latency,
      ratio: estimate.describe('Geometric mean of shadow over live.'),
    }),
    cost: z.object({
      pairs: z.number().describe('Both costs are known.'),
      live_usd: nullable,
      shadow_usd: nullable,
      ratio: nullable,
      difference: estimate.describe('Of one call, shadow minus live, in US dollars.'),
      spent_usd: z.number(),
      runs_of_unknown_cost: z.number(),
    }),
    tokens: z.object({ pairs: z.number(), live: tokens, shadow: tokens }).describe('Means per call.'),
    choices: z
      .object({ pairs: z.number(), agreed: z.object(share) })
      .nullable()
      .describe('Of scores: how often both policies choose the same candidate.'),
    versions: z.array(
      z.object({
        live_version: z.string(),
        shadow_version: z.string(),
        shadow_hash: z.string(),
        runs: z.number(),
      }),
    ),
  })
  .meta({ id: 'ShadowReport' });
