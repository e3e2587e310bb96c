import type {
  ArmCell,
  ArmCellsQuery,
  ArmTotals,
  ArmTotalsQuery,
  RevisionUnits,
} from '../../analytics/index.ts';
import type { Connection } from './connection.ts';
import { REWARD_COLUMNS, REWARD_SUMS, type RewardSumsRow, rewardsOf } from './reward-sums.ts';
import { DAY_MS } from './rollup-grains.ts';
import { BEGIN_MS, cellParameters, cellsSql, windowCells } from './window-cells.ts';

/** Traffic that an experiment never counts; `revision` '' stands for every definition of it. */
const COUNTED = `s.experiment = @experiment AND s.forced = 0 AND s.test = 0 AND s.shadow = 0 AND s.replay = 0
  AND (@revision = '' OR s.experiment_revision = @revision)`;

const STEP_BEGIN = `${BEGIN_MS} - ${BEGIN_MS} % @stepMs AS begin_ms`;

const UNITS = `${COUNTED} AND s.first_exposure = 1`;

const CALL_CELLS = cellsSql({
  kind: 'generation',
  columns: [
    's.arm',
    's.first_exposure',
    's.degraded',
    'r.generations',
    'r.delivered',
    'r.errors',
    'r.fallbacks',
  ],
  where: COUNTED,
});

export const ARM_CALLS_SQL = `
  SELECT arm,
    sum(CASE WHEN first_exposure = 1 THEN delivered ELSE 0 END) AS units,
    sum(CASE WHEN first_exposure = 1 AND is_closed THEN delivered ELSE 0 END) AS closed_units,
    sum(generations) AS calls,
    sum(errors) AS errors,
    sum(CASE WHEN degraded = 1 THEN generations ELSE 0 END) AS degraded,
    sum(fallbacks) AS fallbacks
  FROM (
    ${CALL_CELLS}
  )
  GROUP BY arm
  ORDER BY arm`;

const ARM_OUTCOME_CELLS = cellsSql({
  kind: 'outcome',
  columns: ['s.arm', ...REWARD_COLUMNS],
  where: `${UNITS} AND r.metric = @metric`,
});

export const ARM_OUTCOMES_SQL = `
  SELECT c.arm,
    ${REWARD_SUMS}
  FROM (
    ${ARM_OUTCOME_CELLS}
  ) c
  GROUP BY c.arm`;

/** Steps are whole hours, or whole days: then day cells are fine enough. */
export const armStepUnitsSql = (coarsest: 'hour' | 'day'): string => {
  const cells = cellsSql({
    kind: 'generation',
    columns: ['s.arm', STEP_BEGIN, 'r.delivered'],
    where: UNITS,
    coarsest,
  });
  return `
  SELECT arm, begin_ms,
    sum(delivered) AS units,
    sum(CASE WHEN is_closed THEN delivered ELSE 0 END) AS closed_units
  FROM (
    ${cells}
  )
  GROUP BY arm, begin_ms
  ORDER BY begin_ms, arm`;
};

export const armStepOutcomesSql = (coarsest: 'hour' | 'day'): string => {
  const cells = cellsSql({
    kind: 'outcome',
    columns: ['s.arm', STEP_BEGIN, ...REWARD_COLUMNS],
    where: `${UNITS} AND r.metric = @metric`,
    coarsest,
  });
  return `
  SELECT c.arm, c.begin_ms,
    ${REWARD_SUMS}
  FROM (
    ${cells}
  ) c
  GROUP BY c.arm, c.begin_ms`;
};

/** Sums over all time need no end of a window: months alone. */
export const REVISION_UNITS_SQL = `
  SELECT p.revision, p.experiment_revision, p.propensities_json, p.computed_at_ms, s.arm, sum(r.delivered) AS units
  FROM rollup_series s
  JOIN generation_month_rollups r ON r.series_id = s.id
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
    const cells = cellParameters(windowCells({ fromMs: null, toMs: null, closedBeforeMs }));
    // Row mappers: the columns are those of the statements above.
    const callRows = calls.all({ experiment, revision, ...cells }) as CallsRow[];
    const outcomeRows = outcomes.all({ experiment, revision, metric, ...cells }) as OutcomesRow[];
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
  const prepare = (coarsest: 'hour' | 'day') => ({
    units: database.prepare(armStepUnitsSql(coarsest)),
    outcomes: database.prepare(armStepOutcomesSql(coarsest)),
  });
  const statements = { hour: prepare('hour'), day: prepare('day') };
  return database.transaction((query: ArmCellsQuery): readonly ArmCell[] => {
    const { experiment, metric, closedBeforeMs, stepMs } = query;
    const coarsest = stepMs % DAY_MS === 0 ? 'day' : 'hour';
    const { units, outcomes } = statements[coarsest];
    const cells = cellParameters(windowCells({ fromMs: null, toMs: null, closedBeforeMs }, coarsest));
    const unitParameters = { experiment, revision: '', stepMs, ...cells };
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
