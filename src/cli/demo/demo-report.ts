import Table from 'cli-table3';
import { z } from 'zod';

import { type DemoExperiment, experimentText } from './experiment-result.ts';
import { TRUE_PROBABILITIES } from './simulated-users.ts';

/** What the demonstration reads of `GET /analytics/prompts/{name}/versions`; further fields are left alone. */
const reportSchema = z.object({
  metric: z.string(),
  baseline: z.string().nullable(),
  summary: z.string(),
  versions: z.array(
    z.object({
      prompt_version: z.string(),
      generations: z.number(),
      outcomes: z.number(),
      mean: z.number().nullable(),
      lower: z.number(),
      upper: z.number(),
      lift: z.object({ difference: z.number().nullable(), lower: z.number(), upper: z.number() }).nullable(),
      latency_ms: z.object({ p50: z.number().nullable() }),
      cost_usd: z.number().nullable(),
    }),
  ),
});

interface DemoVersion {
  readonly prompt_version: string;
  readonly generations: number;
  readonly outcomes: number;
  readonly mean: number | null;
  readonly lower: number;
  readonly upper: number;
  /** What the simulated users really do; null for a version the demonstration did not send. */
  readonly true_probability: number | null;
  /** Does the interval hold the truth? Null without a truth or an outcome. */
  readonly is_inside: boolean | null;
  readonly lift: {
    readonly difference: number | null;
    readonly lower: number;
    readonly upper: number;
  } | null;
  readonly p50_ms: number | null;
  readonly cost_usd: number | null;
}

export interface DemoRun {
  readonly users: number;
  readonly tips_per_user: number;
  readonly seed: number;
  readonly generations: number;
  readonly outcomes: number;
  readonly elapsed_ms: number;
  readonly metric: string;
  readonly baseline: string | null;
  readonly summary: string;
  readonly versions: readonly DemoVersion[];
  readonly experiment: DemoExperiment;
  /** Database and configuration files when they were kept. */
  readonly database: string | null;
  readonly config: string | null;
}

/** The gateway's own report beside the truth only the simulation knows. Fails when the report has another shape. */
export function readDemoReport(body: unknown): Pick<DemoRun, 'metric' | 'baseline' | 'summary' | 'versions'> {
  const report = reportSchema.parse(body);
  const versions = report.versions.map(({ latency_ms: latency, ...version }): DemoVersion => {
    const truth = TRUE_PROBABILITIES[version.prompt_version] ?? null;
    const isKnown = truth !== null && version.mean !== null;
    return {
      ...version,
      true_probability: truth,
      is_inside: isKnown ? version.lower <= truth && truth <= version.upper : null,
      p50_ms: latency.p50,
    };
  });
  return { metric: report.metric, baseline: report.baseline, summary: report.summary, versions };
}

/** Both tables, what to do next, and the verdict of the experiment as the last word; for people. */
export function demoReportText(run: DemoRun): string {
  const table = new Table({
    head: [
      'version',
      'generations',
      'outcomes',
      'mean',
      '95 % interval',
      'true probability',
      'inside?',
      `lift vs ${run.baseline ?? 'v1'}`,
      'p50 ms',
      'cost $',
    ],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'left', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  });
  for (const version of run.versions) table.push(rowOf(version));
  return [
    '',
    `${run.users} simulated users, ${run.generations} tips, ${run.outcomes} outcomes (seed ${run.seed}, metric "${run.metric}").`,
    'The model is scripted and the users are simulated; prompts, gateway, ledger and statistics are the real ones.',
    '',
    table.toString(),
    '',
    run.summary,
    'The intervals hold at every moment of reading, not only at the end: looking early cannot fool you.',
    '',
    experimentText(run.experiment),
    ...(run.database === null
      ? []
      : [
          `Kept: ${run.database}`,
          `  look at it:  DEMO_UNIT_KEY=demo-${run.seed} DATABASE_URL=sqlite:${run.database} prompt-gateway serve --config ${run.config}`,
          '',
        ]),
    'For real: set OPENAI_API_KEY (or LITELLM_BASE_URL and LITELLM_API_KEY) and run `prompt-gateway serve`; set',
    'TIP_PROMPT_VERSION=v1,v2,v3 where your service uses the client; POST /feedback; then read',
    '  curl -s http://127.0.0.1:8787/analytics/prompts/tip/versions',
    'An experiment behind a label is five lines of configuration: docs/experiments.md. What its intervals promise: docs/statistics.md.',
    '',
    `Verdict after ${(run.elapsed_ms / 1000).toFixed(1)} s: ${run.experiment.verdict.text}`,
    '',
  ].join('\n');
}

function rowOf(version: DemoVersion): string[] {
  const { lift } = version;
  const isCompared = lift !== null && lift.difference !== null;
  return [
    version.prompt_version,
    String(version.generations),
    String(version.outcomes),
    share(version.mean),
    `${share(version.lower)} to ${share(version.upper)}`,
    share(version.true_probability),
    version.is_inside === null ? '-' : version.is_inside ? 'yes' : 'no',
    isCompared ? `${signed(lift.difference)} (${signed(lift.lower)} to ${signed(lift.upper)})` : '-',
    version.p50_ms === null ? '-' : version.p50_ms.toFixed(1),
    version.cost_usd === null ? 'unknown' : version.cost_usd.toFixed(6),
  ];
}

function share(value: number | null): string {
  return value === null ? '-' : value.toFixed(3);
}

function signed(value: number | null): string {
  return value === null ? '-' : `${value < 0 ? '' : '+'}${value.toFixed(3)}`;
}
