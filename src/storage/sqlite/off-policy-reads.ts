import type {
  RewardCell,
  RewardCellsQuery,
  UnitDecision,
  UnitDecisionPage,
  UnitDecisionsQuery,
  UnitHour,
} from '../../analytics/index.ts';
import type { Connection } from './connection.ts';
import { createPolicyReads, type PolicyReads } from './off-policy-score-reads.ts';
import { REWARD_COLUMNS, REWARD_SUMS, type RewardSumsRow, rewardsOf } from './reward-sums.ts';
import { cellParameters, cellsSql, windowCells } from './window-cells.ts';

/** A page looks at this many rows at most: a few milliseconds. */
const MAX_PAGE_ROWS = 500;

/** The units that experiments count; the flags are those of `experiment_units`. */
const UNIT_SERIES = 's.experiment = @experiment AND s.first_exposure = 1';

const UNIT_CELLS = cellsSql({
  kind: 'generation',
  columns: ['s.experiment', 's.policy_revision', 's.arm', 'r.delivered'],
  where: UNIT_SERIES,
});

export const CELL_UNITS_SQL = `
  SELECT c.policy_revision, c.arm, p.propensities_json,
    sum(CASE WHEN c.is_closed THEN c.delivered ELSE 0 END) AS closed_units
  FROM (
    ${UNIT_CELLS}
  ) c
  LEFT JOIN policy_snapshots p ON p.experiment = c.experiment AND p.revision = c.policy_revision
  GROUP BY c.policy_revision, c.arm
  ORDER BY p.sequence, c.policy_revision, c.arm`;

const OUTCOME_CELLS = cellsSql({
  kind: 'outcome',
  columns: ['s.policy_revision', 's.arm', ...REWARD_COLUMNS],
  where: `${UNIT_SERIES} AND r.metric = @metric`,
});

export const CELL_OUTCOMES_SQL = `
  SELECT c.policy_revision, c.arm,
    ${REWARD_SUMS}
  FROM (
    ${OUTCOME_CELLS}
  ) c
  GROUP BY c.policy_revision, c.arm`;

export const UNIT_HOURS_SQL = `
  SELECT r.hour_ms, sum(r.delivered) AS units
  FROM rollup_series s
  JOIN generation_rollups r ON r.series_id = s.id
  WHERE ${UNIT_SERIES}
  GROUP BY r.hour_ms
  HAVING sum(r.delivered) > 0
  ORDER BY r.hour_ms`;

// The inner query bounds the page by rows looked at, not by rows found: calls outside the experiment cost too.
export const UNIT_DECISIONS_SQL = `
  SELECT g.seq, g.created_at_ms, g.assigned_policy_revision, g.arm, c.reward,
    u.generation_id IS NOT NULL AS counts
  FROM (
    SELECT seq, id, created_at_ms, experiment, unit_kind, unit_key, assigned_policy_revision, arm
    FROM generations INDEXED BY generations_by_prompt
    WHERE prompt = @prompt AND created_at_ms >= @afterMs AND (created_at_ms > @afterMs OR seq > @afterSequence)
      AND created_at_ms < @toMs
    ORDER BY created_at_ms, seq
    LIMIT @limit
  ) g
  LEFT JOIN experiment_units u ON g.experiment = @experiment AND u.experiment = g.experiment
    AND u.unit_kind = g.unit_kind AND u.unit_key = g.unit_key AND u.generation_id = g.id
  LEFT JOIN counting_outcomes c ON c.generation_id = u.generation_id AND c.metric = @metric
  ORDER BY g.created_at_ms, g.seq`;

interface CellUnitsRow {
  readonly policy_revision: string;
  readonly arm: string;
  readonly propensities_json: string | null;
  readonly closed_units: number;
}

type CellOutcomesRow = RewardSumsRow & { readonly policy_revision: string; readonly arm: string };

interface DecisionRow {
  readonly seq: number;
  readonly created_at_ms: number;
  readonly assigned_policy_revision: string | null;
  readonly arm: string | null;
  readonly reward: number | null;
  readonly counts: number;
}

/** What the reader can be asked for off-policy evaluation. */
export interface OffPolicyReads extends PolicyReads {
  readonly rewardCells: (query: RewardCellsQuery) => readonly RewardCell[];
  readonly unitHours: (query: { readonly experiment: string }) => readonly UnitHour[];
  readonly unitDecisions: (query: UnitDecisionsQuery) => UnitDecisionPage;
  readonly revisionPropensities: (query: {
    readonly experiment: string;
    readonly revision: string;
  }) => Readonly<Record<string, number>> | null;
}

export function createOffPolicyReads(database: Connection): OffPolicyReads {
  const units = database.prepare(CELL_UNITS_SQL);
  const outcomes = database.prepare(CELL_OUTCOMES_SQL);
  const hours = database.prepare(UNIT_HOURS_SQL);
  const decisions = database.prepare(UNIT_DECISIONS_SQL);
  const propensities = database
    .prepare('SELECT propensities_json FROM policy_snapshots WHERE experiment = ? AND revision = ?')
    .pluck();

  // Row mappers: the columns are those of the statements above. One transaction: both statements see the same state.
  const rewardCells = database.transaction((query: RewardCellsQuery): readonly RewardCell[] => {
    const { experiment, metric, closedBeforeMs } = query;
    const cells = cellParameters(windowCells({ fromMs: null, toMs: null, closedBeforeMs }));
    const rewards = new Map(
      (outcomes.all({ experiment, metric, ...cells }) as CellOutcomesRow[]).map((row) => [cellKey(row), row]),
    );
    return (units.all({ experiment, ...cells }) as CellUnitsRow[]).map((row) =>
      rewardCell(row, rewards.get(cellKey(row))),
    );
  });

  return {
    rewardCells,
    unitHours: ({ experiment }) =>
      (hours.all({ experiment }) as { hour_ms: number; units: number }[]).map((row) => ({
        hourMs: row.hour_ms,
        units: row.units,
      })),
    unitDecisions: ({ experiment, prompt, metric, after, toMs, limit }) => {
      const rowLimit = Math.max(1, Math.min(limit, MAX_PAGE_ROWS));
      const rows = decisions.all({
        experiment,
        prompt,
        metric,
        afterMs: after.createdAtMs,
        afterSequence: after.sequence,
        toMs,
        limit: rowLimit,
      }) as DecisionRow[];
      const last = rows.at(-1);
      return {
        decisions: rows.filter(({ counts }) => counts === 1).map(unitDecision),
        next:
          last === undefined || rows.length < rowLimit
            ? null
            : { createdAtMs: last.created_at_ms, sequence: last.seq },
      };
    },
    revisionPropensities: ({ experiment, revision }) => {
      const text = propensities.get(experiment, revision);
      return text === undefined ? null : (JSON.parse(String(text)) as Readonly<Record<string, number>>);
    },
    ...createPolicyReads(database),
  };
}

/** Names hold no space. */
function cellKey({ policy_revision, arm }: { policy_revision: string; arm: string }): string {
  return `${policy_revision} ${arm}`;
}

function rewardCell(row: CellUnitsRow, rewards: CellOutcomesRow | undefined): RewardCell {
  return {
    policyRevision: row.policy_revision,
    arm: row.arm,
    propensities:
      row.propensities_json === null
        ? null
        : (JSON.parse(row.propensities_json) as Readonly<Record<string, number>>),
    closedUnits: row.closed_units,
    ...rewardsOf(rewards),
  };
}

function unitDecision(row: DecisionRow): UnitDecision {
  return {
    createdAtMs: row.created_at_ms,
    policyRevision: row.assigned_policy_revision ?? '',
    arm: row.arm ?? '',
    reward: row.reward,
  };
}
