import {
  type ArmCell,
  type ArmTotals,
  type ArmTotalsQuery,
  createExperimentReports,
  type ExperimentReport,
  type ExperimentReports,
  type RevisionUnits,
  type SequenceHead,
} from '../../../src/analytics/index.ts';
import { configSchema } from '../../../src/config/index.ts';
import type {
  Experiment,
  ExperimentStop,
  GuardrailFinding,
  PolicySnapshot,
} from '../../../src/experiments/index.ts';
import type { Clock } from '../../../src/kernel/index.ts';
import { NOW_MS } from './report-world.ts';

const CLOCK: Clock = { nowMs: () => NOW_MS, monotonicMs: () => 0, sleep: async () => {} };

/** Two arms, v1 the baseline, equal fixed weights, started for ever; what is given instead. */
export function experimentOf(
  given: Partial<Omit<Experiment, 'policy'>> & { readonly policy?: Partial<Experiment['policy']> } = {},
): Experiment {
  const { policy, ...rest } = given;
  return {
    name: 'tips',
    revision: 'sha256:one',
    prompt: 'tip',
    arms: ['v1', 'v3'].map((name) => ({ name, version: name, weight: 1 })),
    baseline: 'v1',
    policy: {
      kind: 'fixed',
      epsilon: 0.1,
      beta: 0.5,
      floor: 0.05,
      discount: 1,
      updateIntervalMs: 60_000,
      ...policy,
    },
    unit: 'user_id',
    metric: 'completed',
    salt: 'tips',
    startMs: null,
    stopMs: null,
    graceMs: 3_600_000,
    guardrails: [],
    guardrailIntervalMs: 30_000,
    ...rest,
  };
}

/** An arm whose units all have a reward of 0 or 1, `sum` of them 1, and a closed window, unless said otherwise. */
export function armOf(arm: string, units: number, sum: number, given: Partial<ArmTotals> = {}): ArmTotals {
  const outcomes = given.outcomes ?? { n: units, sum, sumOfSquares: sum };
  return {
    arm,
    units,
    calls: units,
    errors: 0,
    degraded: 0,
    fallbacks: 0,
    outcomes,
    closedOutcomes: outcomes,
    closedUnits: units,
    ...given,
  };
}

/** Units of one policy revision, by arm. */
export function revisionOf(
  propensities: Readonly<Record<string, number>>,
  units: Readonly<Record<string, number>>,
  given: Partial<RevisionUnits> = {},
): readonly RevisionUnits[] {
  return Object.entries(units).map(([arm, count]) => ({
    policyRevision: 'tips-1',
    experimentRevision: 'sha256:one',
    arm,
    units: count,
    propensities,
    firstAtMs: 0,
    ...given,
  }));
}

export function snapshotOf(propensities: Readonly<Record<string, number>>): PolicySnapshot {
  return {
    experiment: 'tips',
    revision: 'tips-7',
    sequence: 7,
    experimentRevision: 'sha256:one',
    policy: 'thompson',
    computedAtMs: 0,
    propensities,
    posteriors: {},
  };
}

export interface ExperimentWorld {
  readonly experiments?: readonly Experiment[];
  readonly totals?: readonly ArmTotals[];
  /** By length of a step in milliseconds; default: none. */
  readonly cells?: (stepMs: number) => readonly ArmCell[];
  /** Default: all units of the totals, assigned with just the shares they came in. */
  readonly revisions?: readonly RevisionUnits[];
  readonly snapshot?: PolicySnapshot;
  /** What was folded; default: nothing. */
  readonly sequence?: SequenceHead;
  readonly stop?: ExperimentStop;
  readonly alarm?: { readonly atMs: number; readonly pValue: number };
  readonly guardrails?: readonly GuardrailFinding[];
  readonly metric?: Readonly<Record<string, unknown>>;
}

function revisionsOf(totals: readonly ArmTotals[]): readonly RevisionUnits[] {
  const all = totals.reduce((sum, { units }) => sum + units, 0);
  const shares = Object.fromEntries(totals.map(({ arm, units }) => [arm, units / all]));
  return revisionOf(shares, Object.fromEntries(totals.map(({ arm, units }) => [arm, units])));
}

export function reportsOf(
  world: ExperimentWorld,
): ExperimentReports & { readonly queries: readonly ArmTotalsQuery[] } {
  const queries: ArmTotalsQuery[] = [];
  const reports = createExperimentReports({
    reader: {
      armTotals: async (query) => {
        queries.push(query);
        return world.totals ?? [];
      },
      armCells: async ({ stepMs }) => world.cells?.(stepMs) ?? [],
      unitsByRevision: async () => world.revisions ?? revisionsOf(world.totals ?? []),
    },
    experiments: () => world.experiments ?? [experimentOf()],
    stops: { find: () => world.stop ?? null, alarm: () => world.alarm ?? null },
    health: { guardrails: async () => world.guardrails ?? [] },
    snapshots: { latestSnapshot: async () => world.snapshot ?? null },
    sequences: { sequenceHead: async () => world.sequence ?? null },
    config: configSchema.parse({
      providers: {},
      routes: {},
      metrics: { completed: { type: 'boolean', ...world.metric } },
    }),
    clock: CLOCK,
  });
  return { ...reports, queries };
}

export function reportOf(world: ExperimentWorld): Promise<ExperimentReport> {
  return reportsOf(world).experimentReport('tips');
}
