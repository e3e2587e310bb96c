import type {
  DecisionPageQuery,
  SequenceCheckpoint,
  SequenceCommit,
  SequenceDecision,
  SequenceHead,
  SequenceKey,
} from '../../analytics/index.ts';
import type { Connection } from './connection.ts';

const KEY = 'experiment = @experiment AND experiment_revision = @experimentRevision AND metric = @metric';

const keyOf = ({ experiment, experimentRevision, metric }: SequenceKey): SequenceKey => ({
  experiment,
  experimentRevision,
  metric,
});

/** The writer's part: claims and commits, each within the writer's transaction. */
export interface SequenceWrites {
  /** Returns the corrections so far. */
  claim(key: SequenceKey, untilMs: number): number;
  commit(commit: SequenceCommit): boolean;
}

export function createSequenceWrites(database: Connection): SequenceWrites {
  const claim = database
    .prepare(
      `INSERT INTO sequence_heads (experiment, experiment_revision, metric, claimed_until_ms, folded_until_ms,
         sound_until_ms, corrections)
       VALUES (@experiment, @experimentRevision, @metric, @untilMs, 0, 0, 0)
       ON CONFLICT (experiment, experiment_revision, metric) DO UPDATE SET
         claimed_until_ms = max(claimed_until_ms, excluded.claimed_until_ms)
       RETURNING corrections`,
    )
    .pluck();
  const advance = database.prepare(
    `UPDATE sequence_heads
     SET sound_until_ms = @untilMs, folded_until_ms = max(folded_until_ms, @untilMs)
     WHERE ${KEY} AND corrections = @corrections AND claimed_until_ms >= @untilMs`,
  );
  const dropReplaced = database.prepare(
    `DELETE FROM sequence_checkpoints WHERE ${KEY} AND hour_ms > @afterHourMs AND hour_ms < @untilMs`,
  );
  const insert = database.prepare(
    `INSERT INTO sequence_checkpoints (experiment, experiment_revision, metric, hour_ms, decisions, state_json)
     VALUES (@experiment, @experimentRevision, @metric, @hourMs, @decisions, @stateJson)`,
  );
  return {
    claim: (key, untilMs) => Number(claim.get({ ...keyOf(key), untilMs })),
    commit: (commit) => {
      const { corrections, untilMs, afterHourMs, checkpoint } = commit;
      const key = keyOf(commit);
      if (advance.run({ ...key, corrections, untilMs }).changes === 0) return false;
      dropReplaced.run({ ...key, afterHourMs: afterHourMs ?? -1, untilMs });
      if (checkpoint !== null) {
        const { hourMs, state } = checkpoint;
        insert.run({ ...key, hourMs, decisions: state.decisions, stateJson: JSON.stringify(state) });
      }
      return true;
    },
  };
}

/** What the reader can be asked about sequences. */
export interface SequenceReads {
  readonly sequenceHead: (key: SequenceKey) => SequenceHead | null;
  readonly soundCheckpoint: (key: SequenceKey) => SequenceCheckpoint | null;
  readonly decisionPage: (query: DecisionPageQuery) => readonly SequenceDecision[];
}

/** Exported for the test of its query plan: a page must not read more than itself. */
export const DECISION_PAGE_SQL = `
  SELECT d.created_at_ms, d.generation_id, COALESCE(g.arm, d.arm) AS arm,
    COALESCE(g.propensities_json, d.propensities_json) AS propensities_json, c.reward
  FROM experiment_decisions d
  LEFT JOIN generations g ON g.id = d.generation_id
  LEFT JOIN counting_outcomes c ON c.generation_id = d.generation_id AND c.metric = @metric
  WHERE d.experiment = @experiment AND d.experiment_revision = @experimentRevision
    AND (d.created_at_ms, d.generation_id) > (@afterMs, @afterId) AND d.created_at_ms < @untilMs
  ORDER BY d.created_at_ms, d.generation_id
  LIMIT @limit`;

export function createSequenceReads(database: Connection): SequenceReads {
  const head = database.prepare(
    `SELECT folded_until_ms, sound_until_ms, corrections FROM sequence_heads WHERE ${KEY}`,
  );
  const newest = database.prepare(
    `SELECT hour_ms, state_json FROM sequence_checkpoints WHERE ${KEY} ORDER BY hour_ms DESC LIMIT 1`,
  );
  const sound = database.prepare(
    `SELECT hour_ms, state_json FROM sequence_checkpoints
     WHERE ${KEY} AND hour_ms < (SELECT sound_until_ms FROM sequence_heads WHERE ${KEY})
     ORDER BY hour_ms DESC LIMIT 1`,
  );
  const page = database.prepare(DECISION_PAGE_SQL);

  // Row mappers: the columns are those of the statements above, all NOT NULL but the last three of a decision.
  const sequenceHead = database.transaction((key: SequenceKey): SequenceHead | null => {
    const row = head.get(keyOf(key)) as HeadRow | undefined;
    if (row === undefined) return null;
    return {
      foldedUntilMs: row.folded_until_ms,
      soundUntilMs: row.sound_until_ms,
      corrections: row.corrections,
      checkpoint: checkpointOf(newest.get(keyOf(key))),
    };
  });
  return {
    sequenceHead: (key) => sequenceHead(key),
    soundCheckpoint: (key) => checkpointOf(sound.get(keyOf(key))),
    decisionPage: (query) => {
      const { after, untilMs, limit } = query;
      const rows = page.all({
        ...keyOf(query),
        afterMs: after.createdAtMs,
        afterId: after.generationId,
        untilMs,
        limit,
      }) as DecisionRow[];
      return rows.map((row) => ({
        createdAtMs: row.created_at_ms,
        generationId: row.generation_id,
        arm: row.arm,
        propensities:
          row.propensities_json === null
            ? null
            : (JSON.parse(row.propensities_json) as SequenceDecision['propensities']),
        reward: row.reward,
      }));
    },
  };
}

function checkpointOf(row: unknown): SequenceCheckpoint | null {
  if (row === undefined) return null;
  const { hour_ms, state_json } = row as CheckpointRow;
  return { hourMs: hour_ms, state: JSON.parse(state_json) as SequenceCheckpoint['state'] };
}

interface HeadRow {
  readonly folded_until_ms: number;
  readonly sound_until_ms: number;
  readonly corrections: number;
}

interface CheckpointRow {
  readonly hour_ms: number;
  readonly state_json: string;
}

interface DecisionRow {
  readonly created_at_ms: number;
  readonly generation_id: string;
  readonly arm: string | null;
  readonly propensities_json: string | null;
  readonly reward: number | null;
}
