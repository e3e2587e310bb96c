import type { Connection } from './connection.ts';

/** Outcomes of one target that go with it at once; what is beyond becomes orphans and goes as they do. */
const MAX_OUTCOMES_PER_TARGET = 200;

type Target = 'generation_id' | 'external_id' | 'score_id';

/** Deletes outcomes, and the withdrawals of those, in the writer's transaction. Each method returns how many rows went. */
export interface OutcomeRemover {
  ofTarget(target: Target, id: string): number;
  /** Outcomes received before, whose target is not there; in order of arrival, at most `limit`. */
  orphansBefore(beforeMs: number, limit: number): number;
  /** Withdrawals received before, of outcomes that are not there. */
  voidsBefore(beforeMs: number, limit: number): number;
  /** When the orphan at this place, counted from the oldest, was received; null: there are fewer. */
  nthOrphanMs(place: number): number | null;
}

export function createOutcomeRemover(database: Connection): OutcomeRemover {
  const find = (target: Target) =>
    database.prepare(
      `SELECT seq, api_key_id, outcome_id FROM outcomes INDEXED BY outcomes_by_${target === 'generation_id' ? 'generation' : target === 'score_id' ? 'score' : 'external_id'}
       WHERE ${target} = ? LIMIT ${MAX_OUTCOMES_PER_TARGET}`,
    );
  const orphanRest = (target: Target) =>
    database.prepare(
      `INSERT INTO orphan_outcomes (outcome_seq) SELECT seq FROM outcomes WHERE ${target} = ?
       ON CONFLICT (outcome_seq) DO NOTHING`,
    );
  const statements = {
    generation_id: { find: find('generation_id'), orphanRest: orphanRest('generation_id') },
    external_id: { find: find('external_id'), orphanRest: orphanRest('external_id') },
    score_id: { find: find('score_id'), orphanRest: orphanRest('score_id') },
  } as const;
  const remove = database.prepare('DELETE FROM outcomes WHERE seq = ?');
  const removeVoid = database.prepare('DELETE FROM outcome_voids WHERE api_key_id = ? AND outcome_id = ?');
  const removeOrphan = database.prepare('DELETE FROM orphan_outcomes WHERE outcome_seq = ?');
  const orphans = database.prepare(
    `SELECT p.outcome_seq AS seq, o.api_key_id, o.outcome_id, o.received_at_ms
     FROM orphan_outcomes p LEFT JOIN outcomes o ON o.seq = p.outcome_seq
     ORDER BY p.outcome_seq LIMIT ?`,
  );
  const nthOrphan = database
    .prepare(
      `SELECT o.received_at_ms FROM orphan_outcomes p JOIN outcomes o ON o.seq = p.outcome_seq
       ORDER BY p.outcome_seq LIMIT 1 OFFSET ?`,
    )
    .pluck();
  const voids = database.prepare(
    `SELECT v.api_key_id, v.outcome_id FROM outcome_voids v INDEXED BY outcome_voids_by_time
     WHERE v.received_at_ms < ? AND NOT EXISTS (
       SELECT 1 FROM outcomes o WHERE o.api_key_id = v.api_key_id AND o.outcome_id = v.outcome_id
     )
     ORDER BY v.received_at_ms LIMIT ?`,
  );

  const removeOutcome = ({ seq, api_key_id, outcome_id }: OutcomePlaceRow): number => {
    const voided = removeVoid.run(api_key_id, outcome_id).changes;
    return voided + remove.run(seq).changes;
  };

  return {
    ofTarget: (target, id) => {
      // Row mapper: the columns of the statement.
      const rows = statements[target].find.all(id) as OutcomePlaceRow[];
      let removed = 0;
      for (const row of rows) removed += removeOutcome(row);
      if (rows.length === MAX_OUTCOMES_PER_TARGET) statements[target].orphanRest.run(id);
      return removed;
    },
    orphansBefore: (beforeMs, limit) => {
      let removed = 0;
      // Row mapper: an orphan without its outcome has null in the last three columns.
      for (const row of orphans.all(limit) as OrphanRow[]) {
        const { seq, api_key_id, outcome_id, received_at_ms } = row;
        if (received_at_ms !== null && received_at_ms >= beforeMs) break;
        removed += removeOrphan.run(seq).changes;
        if (api_key_id !== null && outcome_id !== null) removeOutcome({ seq, api_key_id, outcome_id });
      }
      return removed;
    },
    voidsBefore: (beforeMs, limit) => {
      // Row mapper: both columns are the primary key.
      const rows = voids.all(beforeMs, limit) as Pick<OutcomePlaceRow, 'api_key_id' | 'outcome_id'>[];
      for (const { api_key_id, outcome_id } of rows) removeVoid.run(api_key_id, outcome_id);
      return rows.length;
    },
    nthOrphanMs: (place) => {
      const receivedAtMs: unknown = nthOrphan.get(place - 1);
      return typeof receivedAtMs === 'number' ? receivedAtMs : null;
    },
  };
}

interface OutcomePlaceRow {
  readonly seq: number;
  readonly api_key_id: string;
  readonly outcome_id: string;
}

interface OrphanRow {
  readonly seq: number;
  readonly api_key_id: string | null;
  readonly outcome_id: string | null;
  readonly received_at_ms: number | null;
}
