import type { Connection } from './connection.ts';
import { createOutcomeRemover } from './retention-outcomes.ts';

export interface RemovedRows {
  readonly removed: number;
  /** Creation of the youngest row that went; null: none did. */
  readonly youngestMs: number | null;
  readonly heldBy: readonly string[];
  /** Fewer than the limit were there, of every kind. */
  readonly isDone: boolean;
}

/** Deletes whole rows, oldest first, in the writer's transaction. Derived sums stay as they are. */
export interface RowRemover {
  /** At most `limit` rows of each kind created before `beforeMs`. `policies`: whose unlearnt decisions stay. */
  removeBefore(beforeMs: number, limit: number, policies: readonly string[]): RemovedRows;
  /** A time before which at least `count` of the oldest rows were created, or every row; null: there is no row. */
  timeOfOldest(count: number): number | null;
}

interface Removed {
  readonly rows: number;
  readonly removed: number;
  readonly youngestMs: number | null;
  readonly heldBy: readonly string[];
}

const NOTHING: Removed = { rows: 0, removed: 0, youngestMs: null, heldBy: [] };

export function createRowRemover(database: Connection): RowRemover {
  const outcomes = createOutcomeRemover(database);
  const removeGenerations = createGenerationRemover(database, outcomes.ofTarget);
  const removeScores = createScoreRemover(database, outcomes.ofTarget);
  const pairs = database.prepare(
    `SELECT seq, created_at_ms FROM shadow_pairs INDEXED BY shadow_pairs_by_time
     WHERE created_at_ms < ? ORDER BY created_at_ms, seq LIMIT ?`,
  );
  const removePair = database.prepare('DELETE FROM shadow_pairs WHERE seq = ?');
  const nth = (['generations', 'scores', 'shadow_pairs'] as const).map((table) =>
    database
      .prepare(
        `SELECT created_at_ms FROM ${table} INDEXED BY ${table}_by_time ORDER BY created_at_ms LIMIT 1 OFFSET ?`,
      )
      .pluck(),
  );
  const youngest = (['generations', 'scores', 'shadow_pairs'] as const).map((table) =>
    database.prepare(`SELECT max(created_at_ms) FROM ${table} INDEXED BY ${table}_by_time`).pluck(),
  );

  const removePairs = (beforeMs: number, limit: number): Removed => {
    // Row mapper: the columns of the statement.
    const rows = pairs.all(beforeMs, limit) as PairRow[];
    for (const { seq } of rows) removePair.run(seq);
    return {
      ...NOTHING,
      rows: rows.length,
      removed: rows.length,
      youngestMs: rows.at(-1)?.created_at_ms ?? null,
    };
  };

  return {
    removeBefore: (beforeMs, limit, policies) => {
      const kinds = [
        removeGenerations(beforeMs, limit),
        removeScores(beforeMs, limit, policies),
        removePairs(beforeMs, limit),
      ];
      const strays = [outcomes.orphansBefore(beforeMs, limit), outcomes.voidsBefore(beforeMs, limit)];
      const times = kinds.flatMap(({ youngestMs }) => youngestMs ?? []);
      return {
        removed: [...kinds.map(({ removed }) => removed), ...strays].reduce((sum, count) => sum + count, 0),
        youngestMs: times.length === 0 ? null : Math.max(...times),
        heldBy: kinds.flatMap(({ heldBy }) => heldBy),
        isDone: [...kinds.map(({ rows }) => rows), ...strays].every((count) => count < limit),
      };
    },
    timeOfOldest: (count) => {
      // Row mappers: one number each, or none.
      const found = [
        ...nth.map((statement) => statement.get(count - 1) as number | undefined),
        outcomes.nthOrphanMs(count),
      ].filter((timeMs) => typeof timeMs === 'number');
      if (found.length > 0) return Math.min(...found) + 1;
      const last = [
        ...youngest.map((statement) => statement.get() as number | null),
        outcomes.nthOrphanMs(1),
      ].filter((timeMs) => timeMs !== null);
      return last.length === 0 ? null : Math.max(...last) + 1;
    },
  };
}

type OutcomesOf = (target: 'generation_id' | 'external_id' | 'score_id', id: string) => number;

function createGenerationRemover(
  database: Connection,
  removeOutcomes: OutcomesOf,
): (beforeMs: number, limit: number) => Removed {
  const page = database.prepare(
    `SELECT seq, id, created_at_ms, external_id, delivered, experiment, experiment_revision, unit_kind, unit_key, arm,
       propensities_json
     FROM generations INDEXED BY generations_by_time
     WHERE created_at_ms < ? ORDER BY created_at_ms, seq LIMIT ?`,
  );
  const isCounted = database
    .prepare(
      `SELECT 1 FROM experiment_units
       WHERE experiment = ? AND unit_kind = ? AND unit_key = ? AND generation_id = ?`,
    )
    .pluck();
  const keepDecision = database.prepare(
    `UPDATE experiment_decisions SET arm = ?, propensities_json = ?
     WHERE experiment = ? AND experiment_revision = ? AND created_at_ms = ? AND generation_id = ?`,
  );
  const removeReward = database.prepare('DELETE FROM counting_outcomes WHERE generation_id = ?');
  const latest = database
    .prepare(
      `SELECT id FROM generations WHERE external_id = ? AND delivered = 1 ORDER BY created_at_ms DESC, id DESC LIMIT 1`,
    )
    .pluck();
  const remove = database.prepare('DELETE FROM generations WHERE seq = ?');

  const removeOne = (row: GenerationRow): number => {
    const { seq, id, external_id, experiment } = row;
    // What an experiment counts is kept as its sums are: its intervals may be folded again from the first decision on.
    if (experiment !== null && isCounted.get(experiment, row.unit_kind, row.unit_key, id) === 1) {
      const revision = row.experiment_revision ?? '';
      keepDecision.run(row.arm, row.propensities_json, experiment, revision, row.created_at_ms, id);
    } else removeReward.run(id);
    let removed = removeOutcomes('generation_id', id);
    if (external_id !== null && row.delivered === 1 && latest.get(external_id) === id) {
      removed += removeOutcomes('external_id', external_id);
    }
    return removed + remove.run(seq).changes;
  };

  return (beforeMs, limit) => {
    // Row mapper: the columns of the statement.
    const rows = page.all(beforeMs, limit) as GenerationRow[];
    let removed = 0;
    for (const row of rows) removed += removeOne(row);
    return { rows: rows.length, removed, youngestMs: rows.at(-1)?.created_at_ms ?? null, heldBy: [] };
  };
}

function createScoreRemover(
  database: Connection,
  removeOutcomes: OutcomesOf,
): (beforeMs: number, limit: number, policies: readonly string[]) => Removed {
  const page = database.prepare(
    `SELECT seq, id, created_at_ms, policy FROM scores INDEXED BY scores_by_time
     WHERE created_at_ms < ? ORDER BY created_at_ms, seq LIMIT ?`,
  );
  const learntUntil = database
    .prepare('SELECT coalesce(max(change_position), 0) FROM score_training_state WHERE policy = ?')
    .pluck();
  const isUnlearnt = database
    .prepare('SELECT 1 FROM score_reward_changes WHERE score_id = ? AND seq > ? LIMIT 1')
    .pluck();
  const removeReward = database.prepare('DELETE FROM counting_score_outcomes WHERE score_id = ?');
  const removeChanges = database.prepare('DELETE FROM score_reward_changes WHERE score_id = ?');
  const remove = database.prepare('DELETE FROM scores WHERE seq = ?');

  return (beforeMs, limit, policies) => {
    const positions = new Map(policies.map((policy) => [policy, Number(learntUntil.get(policy))]));
    let removed = 0;
    let rows = 0;
    let youngestMs: number | null = null;
    // Row mapper: the columns of the statement.
    for (const { seq, id, created_at_ms, policy } of page.all(beforeMs, limit) as ScoreRow[]) {
      const position = positions.get(policy);
      if (position !== undefined && isUnlearnt.get(id, position) === 1) {
        return { rows, removed, youngestMs, heldBy: [policy] };
      }
      removeReward.run(id);
      removeChanges.run(id);
      removed += removeOutcomes('score_id', id) + remove.run(seq).changes;
      rows += 1;
      youngestMs = created_at_ms;
    }
    return { rows, removed, youngestMs, heldBy: [] };
  };
}

interface GenerationRow {
  readonly seq: number;
  readonly id: string;
  readonly created_at_ms: number;
  readonly external_id: string | null;
  readonly delivered: number;
  readonly experiment: string | null;
  readonly experiment_revision: string | null;
  readonly unit_kind: string | null;
  readonly unit_key: string | null;
  readonly arm: string | null;
  readonly propensities_json: string | null;
}

interface ScoreRow {
  readonly seq: number;
  readonly id: string;
  readonly created_at_ms: number;
  readonly policy: string;
}

interface PairRow {
  readonly seq: number;
  readonly created_at_ms: number;
}
