import type { GatewayConfig } from '../config/index.ts';
import type {
  DefaultTarget,
  Experiment,
  ExperimentStops,
  Labels,
  RolloutHistory,
} from '../experiments/index.ts';
import { type Clock, errorCode, HOUR_MS, hourOf, usdFromNanoUsd } from '../kernel/index.ts';
import type { PromptFamily, PromptRegistry } from '../prompts/index.ts';
import { type AttentionFacts, attentionOf, type KeyBudget, type PartsHealth } from './attention.ts';
import type { ExperimentSummary } from './experiment-report.ts';
import type { ExperimentReports } from './experiment-reports.ts';
import type { Overview } from './overview.ts';
import type { OverviewPrompt } from './overview-prompt.ts';
import { findMetric } from './report-metric.ts';
import type { ReportReader, VersionTotals } from './report-reader.ts';
import type { VersionReport } from './version-report.ts';
import type { VersionReports } from './version-reports.ts';

export interface OverviewReportsOptions {
  readonly reports: VersionReports;
  readonly reader: Pick<ReportReader, 'versionTotals'>;
  readonly prompts: () => PromptRegistry;
  readonly labels: Pick<Labels, 'list'>;
  /** Where calls without a version lead at this moment. */
  readonly defaultTarget: (family: PromptFamily) => DefaultTarget;
  /** Those in force. */
  readonly experiments: () => readonly Experiment[];
  readonly experimentReports: Pick<ExperimentReports, 'list'>;
  readonly stops: Pick<ExperimentStops, 'alarm'>;
  readonly rollouts: Pick<RolloutHistory, 'page'>;
  readonly health: () => PartsHealth;
  readonly budgets: () => Promise<readonly KeyBudget[]>;
  readonly orphanOutcomes: () => Promise<number>;
  readonly config: Pick<GatewayConfig, 'metrics' | 'prompts'>;
  readonly clock: Clock;
}

export interface OverviewReports {
  /** Every prompt, and what needs attention: made at most a second ago. Fails with the codes of the reader. */
  overview(): Promise<Overview>;
}

const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;
/** Pages ask every few seconds, each reader of them: they share one answer. */
const SHARED_FOR_MS = 1_000;
/** Newest decisions that are looked at. */
const MAX_ROLLOUTS = 100;

interface PromptFacts {
  readonly overview: OverviewPrompt;
  readonly warnings: AttentionFacts['warnings'];
}

export function createOverviewReports(options: OverviewReportsOptions): OverviewReports {
  const { reports, reader, labels, experimentReports, stops, rollouts, clock } = options;
  let latest: { readonly answer: Promise<Overview>; madeAtMs: number | null } | null = null;

  const recentTotals = (prompt: string, nowMs: number, spanMs: number): Promise<readonly VersionTotals[]> =>
    reader.versionTotals({
      prompt,
      metric: '',
      fromMs: hourOf(nowMs - spanMs),
      toMs: null,
      closedBeforeMs: 0,
    });

  /** Null: no metric is declared. A configured baseline that is gone must not hide everything else. */
  const reportOf = async (family: PromptFamily): Promise<VersionReport | null> => {
    if (findMetric(options.config, { prompt: family.name, metric: null }) === null) return null;
    const asked = { prompt: family.name, metric: null, from: null, to: null };
    try {
      return await reports.versionReport({ ...asked, baseline: null });
    } catch (error) {
      if (errorCode(error) !== 'version_not_found') throw error;
      return reports.versionReport({ ...asked, baseline: family.versions[0]?.version ?? null });
    }
  };

  const promptFacts = async (
    family: PromptFamily,
    experiments: readonly ExperimentSummary[],
    nowMs: number,
  ): Promise<PromptFacts> => {
    const [report, day, week] = await Promise.all([
      reportOf(family),
      recentTotals(family.name, nowMs, DAY_MS),
      recentTotals(family.name, nowMs, WEEK_MS),
    ]);
    const own = experiments.filter(({ prompt }) => prompt === family.name);
    const serves = options.defaultTarget(family);
    const events = labels.list(family.name);
    const live = liveVersions(serves, events, own);
    const recent = <T>(of: (totals: readonly VersionTotals[]) => T) => ({
      last24h: of(day),
      last7d: of(week),
    });
    return {
      overview: {
        prompt: family.name,
        serves,
        labels: events,
        experiments: own.map(({ experiment, state }) => ({ experiment, state })),
        metric: report?.metric ?? null,
        optimize: report?.optimize ?? null,
        scale: report?.scale ?? null,
        baseline: report?.baseline ?? null,
        summary: report?.summary ?? null,
        versions: (report?.versions ?? []).map((row) => ({
          promptVersion: row.promptVersion,
          known: row.known,
          retired: row.retired,
          live: live.has(row.promptVersion),
          generations: row.generations,
          mature: row.mature,
          pending: row.pending,
          mean: row.mean,
          lower: row.lower,
          upper: row.upper,
          confidence: row.confidence,
          lift: row.lift,
        })),
        generations: recent((totals) => sumOf(totals, 'generations')),
        costUsd: recent((totals) =>
          sumOf(totals, 'costKnown') === 0 ? null : usdFromNanoUsd(sumOf(totals, 'costNanoUsd')),
        ),
        errorShare: recent((totals) => shareOf(totals, 'errors')),
        degradedShare: recent((totals) => shareOf(totals, 'degraded')),
      },
      warnings: (report?.warnings ?? []).map((warning) => ({ ...warning, prompt: family.name })),
    };
  };

  const look = async (): Promise<Overview> => {
    const nowMs = clock.nowMs();
    const summaries = experimentReports.list();
    const prompts: PromptFacts[] = [];
    // One after another: hundreds of prompts at once would fill the reader's queue before everybody else.
    for (const family of options.prompts().prompts) {
      prompts.push(await promptFacts(family, summaries, nowMs));
    }
    const [events, budgets, orphanOutcomes] = await Promise.all([
      rollouts.page({ subject: null, subjectKind: null, beforeSequence: null, limit: MAX_ROLLOUTS }),
      options.budgets(),
      options.orphanOutcomes(),
    ]);
    const alarmed = new Set(
      options
        .experiments()
        .filter((experiment) => stops.alarm(experiment) !== null)
        .map(({ name }) => name),
    );
    return {
      generatedAt: new Date(nowMs).toISOString(),
      attention: attentionOf({
        health: options.health(),
        prompts: prompts.map(({ overview }) => overview),
        warnings: prompts.flatMap(({ warnings }) => warnings),
        experiments: summaries.map((summary) => ({
          ...summary,
          isAlarmed: alarmed.has(summary.experiment),
        })),
        rollouts: events.filter(({ createdAtMs }) => createdAtMs >= nowMs - WEEK_MS),
        budgets,
        orphanOutcomes,
      }),
      prompts: prompts.map(({ overview }) => overview),
    };
  };

  return {
    overview: () => {
      const isFresh = latest?.madeAtMs == null || clock.monotonicMs() - latest.madeAtMs < SHARED_FOR_MS;
      if (latest !== null && isFresh) return latest.answer;
      const made: NonNullable<typeof latest> = { answer: look(), madeAtMs: null };
      latest = made;
      made.answer.then(
        () => {
          made.madeAtMs = clock.monotonicMs();
        },
        // A failure is shared by those who wait for it, and by nobody after.
        () => {
          if (latest === made) latest = null;
        },
      );
      return made.answer;
    },
  };
}

/** Where the default and every label lead, through the experiments among them. */
function liveVersions(
  serves: DefaultTarget,
  labels: OverviewPrompt['labels'],
  experiments: readonly ExperimentSummary[],
): ReadonlySet<string> {
  const versions = labels.flatMap(({ to }) => (to.kind === 'version' ? [to.version] : []));
  const names = labels.flatMap(({ to }) => (to.kind === 'experiment' ? [to.experiment] : []));
  const led = new Set([...names, ...(serves.experiment === null ? [] : [serves.experiment])]);
  const assigned = experiments
    .filter(({ experiment }) => led.has(experiment))
    .flatMap(({ state, arms, baseline }) =>
      arms.filter(({ arm }) => state === 'running' || arm === baseline).map((arm) => arm.promptVersion),
    );
  return new Set([...versions, ...assigned, ...(serves.version === null ? [] : [serves.version])]);
}

type Count = 'generations' | 'errors' | 'degraded' | 'costKnown' | 'costNanoUsd';

function sumOf(totals: readonly VersionTotals[], count: Count): number {
  return totals.reduce((sum, version) => sum + version[count], 0);
}

function shareOf(totals: readonly VersionTotals[], count: Count): number | null {
  const generations = sumOf(totals, 'generations');
  return generations === 0 ? null : sumOf(totals, count) / generations;
}
