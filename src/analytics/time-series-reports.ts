import type { GatewayConfig } from '../config/index.ts';
import type { LabelEvent, Labels } from '../experiments/index.ts';
import { AppError, type Clock, HOUR_MS, hourOf, listNames, usdFromNanoUsd } from '../kernel/index.ts';
import type { PromptFamily, PromptRegistry } from '../prompts/index.ts';
import { latencyQuantileMs } from './latency-quantile.ts';
import { reportFilter } from './report-filter.ts';
import { chooseMetric } from './report-metric.ts';
import type { ReportReader, TimeTotals } from './report-reader.ts';
import { reportWindow } from './report-window.ts';
import { type Metric, meanReward, settleRewards } from './settled-rewards.ts';
import type { TimePoint, TimeSeries, TimeSeriesRequest } from './time-series.ts';
import { compareVersionNames } from './version-order.ts';

export interface TimeSeriesReportsOptions {
  readonly reader: Pick<ReportReader, 'timeTotals'>;
  /** The registry in force at the time of the report. */
  readonly prompts: () => PromptRegistry;
  readonly labels: Pick<Labels, 'list' | 'history'>;
  readonly config: Pick<GatewayConfig, 'metrics' | 'prompts'>;
  readonly clock: Clock;
}

export interface TimeSeriesReports {
  /**
   * How the versions of a prompt did, hour by hour or day by day. Descriptive: a mean of few calls moves by itself. Fails
   * with `prompt_not_found`, `version_not_found`, with `invalid_request` for an undeclared metric, a faulty window or one of
   * too many points, and with the codes of the reader.
   */
  timeSeries(request: TimeSeriesRequest): Promise<TimeSeries>;
}

const DAY_MS = 24 * HOUR_MS;
const POINT_MS = { hour: HOUR_MS, day: DAY_MS };
const DEFAULT_WINDOW_MS = { hour: 7 * DAY_MS, day: 90 * DAY_MS };
/** More than a chart has pixels for; 41 days of hours, 2.7 years of days. */
const MAX_POINTS = 1_000;
/** Of each label: a chart with more lines shows none. */
const MAX_MOVES_PER_LABEL = 200;

export function createTimeSeriesReports(options: TimeSeriesReportsOptions): TimeSeriesReports {
  const { reader, labels, config, clock } = options;

  const movesOf = async (prompt: string, fromMs: number, toMs: number): Promise<readonly LabelEvent[]> => {
    const histories = await Promise.all(
      labels.list(prompt).map(({ label }) => labels.history(prompt, label, MAX_MOVES_PER_LABEL)),
    );
    return histories
      .flat()
      .filter(({ createdAtMs }) => createdAtMs >= fromMs && createdAtMs < toMs)
      .sort((a, b) => a.sequence - b.sequence);
  };

  return {
    async timeSeries(request) {
      const family = options.prompts().family(request.prompt);
      const metric = chooseMetric(config, request);
      const filter = reportFilter(request.filters);
      const nowMs = clock.nowMs();
      const { fromMs, toMs } = pointWindow(request, nowMs);

      const [totals, labelMoves] = await Promise.all([
        reader.timeTotals({
          prompt: family.name,
          metric: metric.name,
          by: request.by,
          fromMs,
          toMs,
          // An hour is closed once the window of its last call is: its end, not its begin, is a window ago.
          closedBeforeMs: hourOf(nowMs - metric.config.attribution_window_hours * HOUR_MS),
          filter,
        }),
        movesOf(family.name, fromMs, toMs),
      ]);

      const { optimize, missing } = metric.config;
      return {
        prompt: family.name,
        metric: metric.name,
        optimize,
        missing,
        scale: metric.scale,
        by: request.by,
        from: new Date(fromMs).toISOString(),
        to: new Date(toMs).toISOString(),
        generatedAt: new Date(nowMs).toISOString(),
        series: chosenVersions(family, request.versions, totals).map((promptVersion) => ({
          promptVersion,
          points: totals
            .filter((point) => point.promptVersion === promptVersion)
            .map((point) => timePoint(point, metric)),
        })),
        labelMoves,
      };
    },
  };
}

function pointWindow(
  request: TimeSeriesRequest,
  nowMs: number,
): { readonly fromMs: number; readonly toMs: number } {
  const { by } = request;
  const pointMs = POINT_MS[by];
  const asked = reportWindow(request.from, request.to);
  const toMs = Math.ceil((asked.toMs ?? nowMs + 1) / pointMs) * pointMs;
  const fromMs = Math.floor((asked.fromMs ?? toMs - DEFAULT_WINDOW_MS[by]) / pointMs) * pointMs;
  if (fromMs >= toMs) {
    throw new AppError('invalid_request', 'The window ends before it begins: `from` lies in the future.', {
      faults: [{ path: 'from', message: 'must be before `to`, which is now unless given' }],
    });
  }
  const points = (toMs - fromMs) / pointMs;
  if (points <= MAX_POINTS) return { fromMs, toMs };
  const longest = `${Math.floor((MAX_POINTS * pointMs) / DAY_MS)} days`;
  const coarser = by === 'hour' ? ', or ask by=day' : '';
  throw new AppError(
    'invalid_request',
    `The window has ${points} ${by}s, and a series at most ${MAX_POINTS} points. Set \`from\` and \`to\` at most ${longest} apart${coarser}.`,
    { faults: [{ path: 'from', message: `must be at most ${longest} before \`to\`` }] },
  );
}

/** Versions that are asked for are shown, with traffic or without. */
function chosenVersions(
  family: PromptFamily,
  asked: readonly string[] | null,
  totals: readonly TimeTotals[],
): readonly string[] {
  const seen = new Set(totals.map(({ promptVersion }) => promptVersion));
  if (asked === null) return [...seen].sort(compareVersionNames);
  const registered = family.versions.map(({ version }) => version);
  const known = [...new Set([...seen, ...registered])].sort(compareVersionNames);
  const unknown = asked.filter((version) => !known.includes(version));
  if (unknown.length > 0) {
    throw new AppError(
      'version_not_found',
      `prompt "${family.name}" has no version ${unknown.map((name) => JSON.stringify(name.slice(0, 80))).join(', ')}; known: ${listNames(known)}`,
      {
        faults: [{ path: 'version', message: 'names an unknown version' }],
        details: { known: [...known] },
      },
    );
  }
  return known.filter((version) => asked.includes(version));
}

function timePoint(totals: TimeTotals, metric: Metric): TimePoint {
  const settled = settleRewards(totals, metric);
  return {
    at: new Date(totals.atMs).toISOString(),
    generations: totals.generations,
    delivered: totals.delivered,
    errors: totals.errors,
    outcomes: totals.outcomes.n,
    mean: meanReward(settled),
    mature: settled.mature,
    costUsd: totals.costKnown === 0 ? null : usdFromNanoUsd(totals.costNanoUsd),
    costKnown: totals.costKnown,
    latencyMs: {
      p50: latencyQuantileMs(totals.latency, 0.5),
      p95: latencyQuantileMs(totals.latency, 0.95),
    },
  };
}
