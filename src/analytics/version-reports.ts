import type { GatewayConfig } from '../config/index.ts';
import { AppError, type Clock, HOUR_MS, hourOf, listNames } from '../kernel/index.ts';
import type { PromptRegistry } from '../prompts/index.ts';
import { exampleValue } from './metric-scale.ts';
import { isFiltered, NO_FILTERS, reportFilter } from './report-filter.ts';
import { chooseMetric } from './report-metric.ts';
import type { ReportReader } from './report-reader.ts';
import { reportSummary } from './report-summary.ts';
import { reportWarnings } from './report-warnings.ts';
import { reportWindow } from './report-window.ts';
import { reportedVersions } from './reported-versions.ts';
import { liftOver, meanInterval, settleRewards } from './settled-rewards.ts';
import type { VersionReport, VersionReportRequest } from './version-report.ts';
import { type ReportedVersion, versionReportRow } from './version-report-row.ts';

/** Share of reports that may ever be wrong about a given mean, and about any of the differences. */
const ALPHA = 0.05;
const CONFIDENCE = 1 - ALPHA;

export interface VersionReportsOptions {
  readonly reader: ReportReader;
  /** The registry in force at the time of the report. */
  readonly prompts: () => PromptRegistry;
  readonly config: Pick<GatewayConfig, 'metrics' | 'prompts'>;
  readonly clock: Clock;
}

export interface VersionReports {
  /**
   * What each version of a prompt earned, cost and took. Counts generations, not users. Fails with `prompt_not_found`,
   * with `invalid_request` for an undeclared metric or a faulty window, with `version_not_found` for an unknown
   * baseline, each naming what is known, and with the codes of the reader.
   */
  versionReport(request: VersionReportRequest): Promise<VersionReport>;
}

export function createVersionReports(options: VersionReportsOptions): VersionReports {
  const { reader, config, clock } = options;

  return {
    async versionReport(request) {
      const family = options.prompts().family(request.prompt);
      const metric = chooseMetric(config, request);
      const { fromMs, toMs } = reportWindow(request.from, request.to);
      const filters = request.filters ?? NO_FILTERS;
      const nowMs = clock.nowMs();

      const choices = await reader.filterChoices(family.name);
      const totals = await reader.versionTotals({
        prompt: family.name,
        metric: metric.name,
        fromMs,
        toMs,
        // An hour is closed once the window of its last call is: its end, not its begin, is a window ago.
        closedBeforeMs: hourOf(nowMs - metric.config.attribution_window_hours * HOUR_MS),
        filter: reportFilter(filters),
      });
      const reported = reportedVersions(family.versions, totals).map((version) => ({
        version,
        settled: settleRewards(version.totals, metric),
      }));

      const baseline = chooseBaseline(
        config,
        request,
        reported.map(({ version }) => version.promptVersion),
      );
      const baselineSettled = reported.find(({ version }) => version.promptVersion === baseline)?.settled;
      const comparisons = reported.filter(({ version }) => isCompared(version, baseline)).length;
      const alpha = ALPHA / Math.max(1, comparisons);
      const { optimize, missing, attribution_window_hours } = metric.config;
      const rows = reported.map(({ version, settled }) => {
        const lift =
          baselineSettled === undefined || version.promptVersion === baseline
            ? null
            : liftOver(baselineSettled, settled, { scale: metric.scale, alpha, confidence: CONFIDENCE });
        const interval = meanInterval(settled, metric.scale, ALPHA);
        return {
          settled,
          row: versionReportRow(version, { optimize, settled, interval, confidence: CONFIDENCE, lift }),
        };
      });

      const isWhole = fromMs === null && toMs === null && !isFiltered(filters);
      const evidence = isWhole ? 'anytime-valid' : 'descriptive';
      return {
        prompt: family.name,
        metric: metric.name,
        optimize,
        missing,
        attributionWindowHours: attribution_window_hours,
        exampleValue: exampleValue(metric.config),
        scale: metric.scale,
        from: isoOrNull(fromMs),
        to: isoOrNull(toMs),
        generatedAt: new Date(nowMs).toISOString(),
        filters,
        choices: { metrics: Object.keys(config.metrics), ...choices },
        baseline,
        evidence,
        comparisons,
        summary: reportSummary({ metric: metric.name, optimize, baseline, evidence, rows, alpha }),
        warnings: rows.flatMap(({ row, settled }) => reportWarnings(row, settled)),
        versions: rows.map(({ row }) => row),
      };
    },
  };
}

/**
 * Alpha is split over every version that is or could be served, with traffic or without: then the split changes when a
 * version is added, not whenever one happens to get its first call.
 */
function isCompared({ promptVersion, retired, totals }: ReportedVersion, baseline: string | null): boolean {
  return promptVersion !== baseline && !(retired && totals.generations === 0);
}

function chooseBaseline(
  config: VersionReportsOptions['config'],
  request: VersionReportRequest,
  versions: readonly string[],
): string | null {
  const wanted = request.baseline ?? settingsOf(config, request.prompt)?.baseline;
  if (wanted === undefined) return versions.includes('v1') ? 'v1' : (versions[0] ?? null);
  if (versions.includes(wanted)) return wanted;
  const origin = request.baseline === null ? `, configured for the prompt ${request.prompt},` : '';
  throw new AppError(
    'version_not_found',
    `The baseline ${quoted(wanted)}${origin} is no version of the prompt. Known versions: ${listNames(versions)}.`,
    { faults: [{ path: 'baseline', message: 'is no known version' }], details: { known: [...versions] } },
  );
}

function settingsOf(
  config: VersionReportsOptions['config'],
  prompt: string,
): GatewayConfig['prompts']['settings'][string] | undefined {
  // A prompt may be called like a property every object has.
  return new Map(Object.entries(config.prompts.settings)).get(prompt);
}

function isoOrNull(epochMs: number | null): string | null {
  return epochMs === null ? null : new Date(epochMs).toISOString();
}

/** A caller's text, bounded, in an error message. */
function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
