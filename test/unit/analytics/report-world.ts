import {
  createVersionReports,
  type ReportReader,
  type VersionReport,
  type VersionReportRequest,
  type VersionTotals,
  type VersionTotalsQuery,
} from '../../../src/analytics/index.ts';
import { configSchema, type GatewayConfig } from '../../../src/config/index.ts';
import { AppError, type Clock } from '../../../src/kernel/index.ts';
import type { PromptFamily, PromptRegistry, PromptVersion } from '../../../src/prompts/index.ts';

export const NOW_MS = Date.parse('2026-11-23T12:34:56Z');

const CLOCK: Clock = { nowMs: () => NOW_MS, monotonicMs: () => 0, sleep: async () => {} };

/** Totals of a version in which every delivered generation is in a closed hour, unless said otherwise. */
export function totalsOf(promptVersion: string, given: Partial<VersionTotals> = {}): VersionTotals {
  const delivered = given.delivered ?? given.generations ?? 0;
  const outcomes = given.outcomes ?? { n: 0, sum: 0, sumOfSquares: 0 };
  return {
    promptVersion,
    generations: delivered,
    delivered,
    errors: 0,
    clientClosed: 0,
    degraded: 0,
    fallbacks: 0,
    forced: 0,
    inputTokens: 0,
    outputTokens: 0,
    costNanoUsd: 0,
    costKnown: 0,
    sources: { body: 0, env: 0, default: delivered },
    hashes: ['sha256:a'],
    latency: [],
    outcomes,
    closedOutcomes: outcomes,
    closedDelivered: delivered,
    ...given,
  };
}

/** `n` rewards of 0 or 1, `sum` of them 1. */
export function zeroOrOne(n: number, sum: number): VersionTotals['outcomes'] {
  return { n, sum, sumOfSquares: sum };
}

export function configOf(given: {
  readonly metrics?: Readonly<Record<string, unknown>>;
  readonly prompts?: Readonly<Record<string, unknown>>;
}): GatewayConfig {
  return configSchema.parse({ providers: {}, routes: {}, ...given });
}

export interface World {
  readonly totals?: readonly VersionTotals[];
  readonly versions?: readonly (string | { readonly version: string; readonly retired: boolean })[];
  readonly config?: GatewayConfig;
}

export interface RunReport {
  readonly report: VersionReport;
  readonly query: VersionTotalsQuery;
}

/** Asks for a report of the prompt `tip` over given totals; shows what the reader was asked, too. */
export async function runReport(
  world: World,
  request: Partial<VersionReportRequest> = {},
): Promise<RunReport> {
  const queries: VersionTotalsQuery[] = [];
  const reader: ReportReader = {
    versionTotals: async (query) => {
      queries.push(query);
      return world.totals ?? [];
    },
    timeTotals: async () => [],
    filterChoices: async () => ({ models: [], experiments: [] }),
  };
  const reports = createVersionReports({
    reader,
    prompts: () => registryOf(world.versions ?? ['v1', 'v2']),
    config: world.config ?? configOf({}),
    clock: CLOCK,
  });
  const report = await reports.versionReport({
    prompt: 'tip',
    metric: null,
    from: null,
    to: null,
    baseline: null,
    ...request,
  });
  const [query] = queries;
  if (query === undefined) throw new Error('the reader was not asked');
  return { report, query };
}

/** The row of one version. */
export function rowOf(report: VersionReport, promptVersion: string): VersionReport['versions'][number] {
  const row = report.versions.find((candidate) => candidate.promptVersion === promptVersion);
  if (row === undefined) throw new Error(`no row of ${promptVersion}`);
  return row;
}

function registryOf(versions: NonNullable<World['versions']>): PromptRegistry {
  const family: PromptFamily = {
    name: 'tip',
    versions: versions.map((given) => {
      const { version, retired } = typeof given === 'string' ? { version: given, retired: false } : given;
      return promptVersion(version, retired);
    }),
  };
  return {
    hash: 'sha256:registry',
    prompts: [family],
    warnings: [],
    family: (name) => {
      if (name !== 'tip') throw new AppError('prompt_not_found', `No prompt ${name}. Known: tip.`);
      return family;
    },
    version: () => {
      throw new AppError('version_not_found', 'not needed here');
    },
  };
}

function promptVersion(version: string, retired: boolean): PromptVersion {
  return {
    prompt: 'tip',
    version,
    hash: 'sha256:a',
    file: `tip/${version}.prompt`,
    description: null,
    retired,
    locked: true,
    model: null,
    parameters: {},
    inputSchema: null,
    inputDefaults: {},
    outputFormat: 'text',
    outputSchema: null,
    fallbackLines: [],
    source: '',
    render: () => ({ messages: [], variables: {} }),
    checkOutput: (text) => ({ ok: true, value: text }),
  };
}
