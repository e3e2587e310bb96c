import type {
  ArmCell,
  ArmCellsQuery,
  ArmTotals,
  ArmTotalsQuery,
  RevisionUnits,
} from '../../analytics/index.ts';
import type { Connection } from './connection.ts';
import { REWARD_SUMS, type RewardSumsRow, rewardsOf } from './reward-sums.ts';

/** Traffic that an experiment never counts; `revision` '' stands for every definition of it. */
const COUNTED = `s.experiment = @experiment AND s.forced = 0 AND s.test = 0 AND s.shadow = 0 AND s.replay = 0
  AND (@revision = '' OR s.experiment_revision = @revision)`;

export const ARM_CALLS_SQL = `
  SELECT s.arm,
    sum(CASE WHEN s.first_exposure = 1 THEN r.delivered ELSE 0 END) AS units,
    sum(CASE WHEN s.first_exposure = 1 AND r.hour_ms < @closedBeforeMs THEN r.delivered ELSE 0 END) AS closed_units,
    sum(r.generations) AS calls,
    sum(r.errors) AS errors,
    sum(CASE WHEN s.degraded = 1 THEN r.generations ELSE 0 END) AS degraded,
    sum(r.fallbacks) AS fallbacks
  FROM rollup_series s
  JOIN generation_rollups r ON r.series_id = s.id
  WHERE ${COUNTED}
  GROUP BY s.arm
  ORDER BY s.arm`;

export const ARM_OUTCOMES_SQL = `
  SELECT s.arm,
    ${REWARD_SUMS}
  FROM rollup_series s
  JOIN outcome_rollups r ON r.series_id = s.id
  WHERE ${COUNTED} AND s.first_exposure = 1 AND r.metric = @metric
  GROUP BY s.arm`;

export const ARM_CELL_UNITS_SQL = `
  SELECT s.arm, r.hour_ms - r.hour_ms % @stepMs AS begin_ms,
    sum(r.delivered) AS units,
    sum(CASE WHEN r.hour_ms < @closedBeforeMs THEN r.delivered ELSE 0 END) AS closed_units
  FROM rollup_series s
  JOIN generation_rollups r ON r.series_id = s.id
  WHERE ${COUNTED} AND s.first_exposure = 1
  GROUP BY s.arm, begin_ms
  ORDER BY begin_ms, s.arm`;

export const ARM_CELL_OUTCOMES_SQL = `
  SELECT s.arm, r.hour_ms - r.hour_ms % @stepMs AS begin_ms,
    ${REWARD_SUMS}
  FROM rollup_series s
  JOIN outcome_rollups r ON r.series_id = s.id
  WHERE ${COUNTED} AND s.first_exposure = 1 AND r.metric = @metric
  GROUP BY s.arm, begin_ms`;

export const REVISION_UNITS_SQL = `
  SELECT p.revision, p.experiment_revision, p.propensities_json, p.computed_at_ms, s.arm, sum(r.delivered) AS units
  FROM rollup_series s
  JOIN generation_rollups r ON r.series_id = s.id
  JOIN policy_snapshots p ON p.experiment = s.experiment AND p.revision = s.policy_revision
  WHERE s.experiment = @experiment AND s.first_exposure = 1
  GROUP BY p.sequence, s.arm
  ORDER BY p.sequence, s.arm`;

type CallsRow = Readonly<
  Record<'units' | 'closed_units' | 'calls' | 'errors' | 'degraded' | 'fallbacks', number>
> & { readonly arm: string };

type OutcomesRow = RewardSumsRow & { readonly arm: string };

interface Step {
  readonly begin_ms: number;
}

interface CellUnitsRow extends Step {
  readonly arm: string;
  readonly units: number;
  readonly closed_units: number;
}

interface RevisionRow {
  readonly revision: string;
  readonly experiment_revision: string;
  readonly propensities_json: string;
  readonly computed_at_ms: number;
  readonly arm: string;
  readonly units: number;
}

/** An experiment's numbers from rollups alone. */
export function createArmTotals(database: Connection): (query: ArmTotalsQuery) => readonly ArmTotals[] {
  const calls = database.prepare(ARM_CALLS_SQL);
  const outcomes = database.prepare(ARM_OUTCOMES_SQL);
  // One transaction: both statements see the same state.
  return database.transaction((query: ArmTotalsQuery): readonly ArmTotals[] => {
    const { experiment, metric, closedBeforeMs, experimentRevision: revision = '' } = query;
    // Row mappers: the columns are those of the statements above.
    const callRows = calls.all({ experiment, revision, closedBeforeMs }) as CallsRow[];
    const outcomeRows = outcomes.all({ experiment, revision, metric, closedBeforeMs }) as OutcomesRow[];
    return callRows.map((row) => {
      const rewards = outcomeRows.find(({ arm }) => arm === row.arm);
      return {
        arm: row.arm,
        units: row.units,
        calls: row.calls,
        errors: row.errors,
        degraded: row.degraded,
        fallbacks: row.fallbacks,
        ...rewardsOf(rewards),
        closedUnits: row.closed_units,
      };
    });
  });
}

/** The same by time: one row for each step in which a unit was first served. */
export function createArmCells(database: Connection): (query: ArmCellsQuery) => readonly ArmCell[] {
  const units = database.prepare(ARM_CELL_UNITS_SQL);
  const outcomes = database.prepare(ARM_CELL_OUTCOMES_SQL);
  return database.transaction((query: ArmCellsQuery): readonly ArmCell[] => {
    const { experiment, metric, closedBeforeMs, stepMs } = query;
    const unitParameters = { experiment, revision: '', closedBeforeMs, stepMs };
    // Row mappers: the columns are those of the statements above.
    const unitRows = units.all(unitParameters) as CellUnitsRow[];
    const outcomeRows = outcomes.all({ ...unitParameters, metric }) as (OutcomesRow & Step)[];
    const rewardsByCell = new Map(outcomeRows.map((row) => [`${row.begin_ms} ${row.arm}`, row]));
    return unitRows.map((row) => ({
      arm: row.arm,
      beginMs: row.begin_ms,
      units: row.units,
      closedUnits: row.closed_units,
      ...rewardsOf(rewardsByCell.get(`${row.begin_ms} ${row.arm}`)),
    }));
  });
}

export function createRevisionUnits(
  database: Connection,
): (query: { readonly experiment: string }) => readonly RevisionUnits[] {
  const units = database.prepare(REVISION_UNITS_SQL);
  return ({ experiment }) =>
    // Row mapper: the columns of the statement above.
    (units.all({ experiment }) as RevisionRow[]).map((row) => ({
      policyRevision: row.revision,
      experimentRevision: row.experiment_revision,
      arm: row.arm,
      units: row.units,
      propensities: JSON.parse(row.propensities_json) as RevisionUnits['propensities'],
      firstAtMs: row.computed_at_ms,
    }));
}
