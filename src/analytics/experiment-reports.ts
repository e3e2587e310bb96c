import type { GatewayConfig } from '../config/index.ts';
import type {
  Experiment,
  ExperimentHealth,
  ExperimentStop,
  ExperimentStops,
  PolicySnapshot,
  PolicySnapshotStore,
} from '../experiments/index.ts';
import { AppError, type Clock, HOUR_MS, hourOf, listNames, nearestName } from '../kernel/index.ts';
import { type ArmChances, CONFIDENCE, experimentEvidence } from './experiment-arms.ts';
import {
  type ExperimentHistory,
  experimentHistory,
  type HistoryStep,
  STEP_MS,
} from './experiment-history.ts';
import type { ExperimentReader, RevisionUnits } from './experiment-reader.ts';
import type {
  ExperimentReport,
  ExperimentState,
  ExperimentSummary,
  PolicyRevisionReport,
  SampleRatioReport,
  StopReport,
} from './experiment-report.ts';
import { sampleRatio } from './experiment-sample-ratio.ts';
import { experimentSequences, usesDirectDifference } from './experiment-sequences.ts';
import { experimentVerdict } from './experiment-verdict.ts';
import { experimentWarnings } from './experiment-warnings.ts';
import { metricScale } from './metric-scale.ts';
import { sequenceKey } from './sequence-folds.ts';
import type { SequenceReader } from './sequence-store.ts';
import type { Metric } from './settled-rewards.ts';

/** Newest policy revisions that a report lists: enough for a chart, and a bounded answer. */
const MAX_LISTED_REVISIONS = 100;

/** Days that are shown by hour unless asked otherwise: a day more would be more points than a chart needs. */
const DAYS_BY_HOUR = 7;

export interface ExperimentReportsOptions {
  readonly reader: ExperimentReader;
  /** The experiments in force at the time of the report. */
  readonly experiments: () => readonly Experiment[];
  readonly stops: Pick<ExperimentStops, 'find' | 'alarm'>;
  readonly health: Pick<ExperimentHealth, 'guardrails'>;
  readonly snapshots: Pick<PolicySnapshotStore, 'latestSnapshot'>;
  readonly sequences: Pick<SequenceReader, 'sequenceHead'>;
  readonly config: Pick<GatewayConfig, 'metrics'>;
  readonly clock: Clock;
}

export interface ExperimentReports {
  /** Every configured experiment, by name; reads nothing of the ledger. */
  list(): readonly ExperimentSummary[];
  /**
   * What an experiment has shown so far; may be read at any moment without being fooled. Counts units, not calls. Fails
   * with `experiment_not_found` naming the known ones, and with the codes of the reader.
   */
  experimentReport(name: string): Promise<ExperimentReport>;
  /** How its evidence grew; `by` null: hours for a week, then days. Fails as the report does. */
  experimentHistory(name: string, by: HistoryStep | null): Promise<ExperimentHistory>;
}

export function createExperimentReports(options: ExperimentReportsOptions): ExperimentReports {
  const { reader, stops, health, snapshots, config, clock } = options;

  return {
    list() {
      const nowMs = clock.nowMs();
      return options
        .experiments()
        .map((experiment) => summaryOf(experiment, stops.find(experiment), nowMs))
        .sort((a, b) => (a.experiment < b.experiment ? -1 : 1));
    },

    async experimentReport(name) {
      const experiment = findExperiment(options.experiments(), name);
      const metric = metricOf(config, experiment);
      const nowMs = clock.nowMs();
      const [totals, revisions, snapshot, guardrails, head] = await Promise.all([
        reader.armTotals({
          experiment: name,
          metric: metric.name,
          closedBeforeMs: closedBefore(metric, nowMs),
        }),
        reader.unitsByRevision(name),
        snapshots.latestSnapshot(name),
        health.guardrails(experiment),
        options.sequences.sequenceHead(sequenceKey(experiment)),
      ]);
      const inForce = snapshot?.experimentRevision === experiment.revision ? snapshot : null;
      const ratio = sampleRatio(experiment.policy.kind, revisions);
      const sampleRatioReport = withAlarm(ratio.report, stops.alarm(experiment));
      const stop = stops.find(experiment);
      const stopped = stop === null ? null : stopReport(stop);
      const sequences = experimentSequences(experiment, metric, head, CONFIDENCE);
      const evidence = experimentEvidence(
        experiment,
        totals,
        metric,
        armChances(inForce, ratio.expectedUnits),
        sequences,
      );
      const warnings = experimentWarnings(evidence.arms, revisions, ratio.report.units, sequences.fault);
      const { optimize, missing, attribution_window_hours } = metric.config;
      const { arms: _defined, ...summary } = summaryOf(experiment, stop, nowMs);
      return {
        ...summary,
        floor: experiment.policy.floor,
        policyRevision: inForce?.revision ?? null,
        optimize,
        missing,
        attributionWindowHours: attribution_window_hours,
        scale: metric.scale,
        generatedAt: new Date(nowMs).toISOString(),
        verdict: experimentVerdict({
          ...summary,
          optimize,
          sampleRatio: sampleRatioReport,
          stopped,
          comparedUntil: usesDirectDifference(metric) ? (sequences.report?.foldedUntil ?? null) : null,
          evidence,
          warnings,
        }),
        stopped,
        guardrails: guardrails.map(({ key: _key, ...finding }) => finding),
        sampleRatio: sampleRatioReport,
        comparisons: evidence.comparisons,
        sequence: sequences.report,
        warnings,
        arms: evidence.arms.map(({ row }) => row),
        policyRevisions: policyRevisions(revisions),
      };
    },

    async experimentHistory(name, asked) {
      const experiment = findExperiment(options.experiments(), name);
      const metric = metricOf(config, experiment);
      const nowMs = clock.nowMs();
      const cellsBy = (by: HistoryStep) =>
        reader.armCells({
          experiment: name,
          metric: metric.name,
          closedBeforeMs: closedBefore(metric, nowMs),
          stepMs: STEP_MS[by],
        });
      const first = asked ?? 'day';
      const cells = await cellsBy(first);
      const isYoung = new Set(cells.map(({ beginMs }) => beginMs)).size <= DAYS_BY_HOUR;
      const finer = asked === null && isYoung ? await cellsBy('hour') : null;
      return experimentHistory(experiment, metric, {
        cells: finer ?? cells,
        by: finer === null ? first : 'hour',
        nowMs,
      });
    },
  };
}

/** An hour is closed once the window of its last call is: its end, not its begin, is a window ago. */
function closedBefore({ config }: Metric, nowMs: number): number {
  return hourOf(nowMs - config.attribution_window_hours * HOUR_MS);
}

function findExperiment(experiments: readonly Experiment[], name: string): Experiment {
  const found = experiments.find((experiment) => experiment.name === name);
  if (found !== undefined) return found;
  const known = experiments.map((experiment) => experiment.name).sort();
  const near = nearestName(name, known);
  const hint = near === null ? '' : ` Did you mean ${near}?`;
  throw new AppError(
    'experiment_not_found',
    `There is no experiment ${JSON.stringify(name.slice(0, 80))}.${hint} Known experiments: ${listNames(known)}.`,
    { details: { known } },
  );
}

function metricOf(config: ExperimentReportsOptions['config'], { name, metric }: Experiment): Metric {
  // A metric may be called like a property every object has.
  const found = new Map(Object.entries(config.metrics)).get(metric);
  if (found === undefined) {
    throw new AppError(
      'config_invalid',
      `The experiment ${name} names the metric ${metric}, which is not declared.`,
    );
  }
  return { name: metric, config: found, scale: metricScale(found) };
}

function summaryOf(experiment: Experiment, stop: ExperimentStop | null, nowMs: number): ExperimentSummary {
  const { name, prompt, revision, unit, metric, policy, baseline, startMs, stopMs } = experiment;
  return {
    experiment: name,
    prompt,
    revision,
    state: stop === null ? stateOf(experiment, nowMs) : `stopped_by_${stop.by}`,
    start: isoOrNull(startMs),
    stop: isoOrNull(stopMs),
    unit,
    metric,
    policy: policy.kind,
    baseline,
    arms: experiment.arms.map((arm) => ({ arm: arm.name, promptVersion: arm.version, weight: arm.weight })),
  };
}

function stateOf({ startMs, stopMs }: Experiment, nowMs: number): ExperimentState {
  if (startMs !== null && nowMs < startMs) return 'not_started';
  return stopMs !== null && nowMs >= stopMs ? 'stopped' : 'running';
}

function stopReport({ by, atMs, reason, actor, guardrail }: ExperimentStop): StopReport {
  return { by, at: new Date(atMs).toISOString(), reason, actor, guardrail };
}

/** Sound traffic after a fault dilutes its evidence, and mends none of the rewards. */
function withAlarm(
  report: SampleRatioReport,
  alarm: ReturnType<ExperimentStops['alarm']>,
): SampleRatioReport {
  return alarm === null ? report : { ...report, alarm: true, alarmedAt: new Date(alarm.atMs).toISOString() };
}

function armChances(snapshot: PolicySnapshot | null, expectedUnits: ReadonlyMap<string, number>): ArmChances {
  const propensities = new Map(Object.entries(snapshot?.propensities ?? {}));
  return {
    propensityOf: (arm) => propensities.get(arm) ?? null,
    expectedUnitsOf: (arm) => expectedUnits.get(arm) ?? 0,
  };
}

function policyRevisions(revisions: readonly RevisionUnits[]): readonly PolicyRevisionReport[] {
  const byRevision = new Map<string, { firstAtMs: number; rows: RevisionUnits[] }>();
  for (const row of revisions) {
    const key = `${row.experimentRevision} ${row.policyRevision}`;
    const entry = byRevision.get(key) ?? { firstAtMs: row.firstAtMs, rows: [] };
    byRevision.set(key, entry);
    entry.firstAtMs = Math.min(entry.firstAtMs, row.firstAtMs);
    entry.rows.push(row);
  }
  return [...byRevision.values()]
    .sort((a, b) => a.firstAtMs - b.firstAtMs)
    .slice(-MAX_LISTED_REVISIONS)
    .flatMap(({ firstAtMs, rows }) => {
      const [first] = rows;
      return first === undefined ? [] : [revisionReport(first, firstAtMs, rows)];
    });
}

function revisionReport(
  first: RevisionUnits,
  firstAtMs: number,
  rows: readonly RevisionUnits[],
): PolicyRevisionReport {
  const propensities = new Map(Object.entries(first.propensities));
  const units = new Map(rows.map((row) => [row.arm, row.units]));
  const arms = [...new Set([...propensities.keys(), ...units.keys()])].sort();
  return {
    policyRevision: first.policyRevision,
    experimentRevision: first.experimentRevision,
    firstUnitAt: new Date(firstAtMs).toISOString(),
    arms: arms.map((arm) => ({
      arm,
      propensity: propensities.get(arm) ?? null,
      units: units.get(arm) ?? 0,
    })),
  };
}

function isoOrNull(epochMs: number | null): string | null {
  return epochMs === null ? null : new Date(epochMs).toISOString();
}
