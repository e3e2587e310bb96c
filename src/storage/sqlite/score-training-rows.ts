import type { ScorePolicySnapshot, ScoreTrainingMark, ScoreTrainingState } from '../../ranking/index.ts';
import type { Connection } from './connection.ts';

/** What a policy has learnt, stored at once: positions, sums and snapshot never disagree. */
export interface ScoreTraining {
  readonly state: ScoreTrainingState | null;
  readonly marks: readonly ScoreTrainingMark[];
  readonly snapshot: ScorePolicySnapshot | null;
}

/** Runs within the writer's transaction. */
export function createScoreTrainingAppender(database: Connection): (training: ScoreTraining) => void {
  const putState = database.prepare(
    `INSERT INTO score_training_state (policy, model_revision, change_position, closed_position, state_json)
     VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (policy, model_revision) DO UPDATE SET
       change_position = excluded.change_position, closed_position = excluded.closed_position,
       state_json = excluded.state_json`,
  );
  const putMark = database.prepare(
    `INSERT INTO score_training_marks (policy, model_revision, update_number, change_position, closed_position)
     VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (policy, model_revision, update_number) DO UPDATE SET
       change_position = excluded.change_position, closed_position = excluded.closed_position`,
  );
  const insertSnapshot = database.prepare(
    `INSERT INTO score_policy_snapshots
       (policy, sequence, revision, policy_definition, model_revision, computed_at_ms, rewards, weight, coefficients_json)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (policy, sequence) DO NOTHING`,
  );
  return ({ state, marks, snapshot }) => {
    if (state !== null) {
      const { policy, modelRevision } = state;
      for (const { update, changePosition, closedPosition } of marks) {
        putMark.run(policy, modelRevision, update, changePosition, closedPosition);
      }
      const { changePosition, closedPosition } = state;
      putState.run(policy, modelRevision, changePosition, closedPosition, JSON.stringify(state));
    }
    if (snapshot !== null) {
      insertSnapshot.run(
        snapshot.policy,
        snapshot.sequence,
        snapshot.revision,
        snapshot.policyRevision,
        snapshot.modelRevision,
        snapshot.computedAtMs,
        snapshot.rewards,
        snapshot.weight,
        JSON.stringify(snapshot.coefficients),
      );
    }
  };
}

interface SnapshotRow {
  readonly sequence: number;
  readonly revision: string;
  readonly policy_definition: string;
  readonly model_revision: string;
  readonly computed_at_ms: number;
  readonly rewards: number;
  readonly weight: number;
  readonly coefficients_json: string;
}

export function createLatestScoreSnapshot(
  database: Connection,
): (query: { readonly policy: string }) => ScorePolicySnapshot | null {
  const find = database.prepare(
    `SELECT sequence, revision, policy_definition, model_revision, computed_at_ms, rewards, weight, coefficients_json
     FROM score_policy_snapshots WHERE policy = ? ORDER BY sequence DESC LIMIT 1`,
  );
  return ({ policy }) => {
    // Row mapper: the columns of the statement above, all NOT NULL.
    const row = find.get(policy) as SnapshotRow | undefined;
    if (row === undefined) return null;
    return {
      policy,
      revision: row.revision,
      sequence: row.sequence,
      policyRevision: row.policy_definition,
      modelRevision: row.model_revision,
      computedAtMs: row.computed_at_ms,
      rewards: row.rewards,
      weight: row.weight,
      coefficients: JSON.parse(row.coefficients_json) as readonly number[],
    };
  };
}

export function createFindTrainingState(
  database: Connection,
): (query: { readonly policy: string; readonly modelRevision: string }) => ScoreTrainingState | null {
  const find = database
    .prepare('SELECT state_json FROM score_training_state WHERE policy = ? AND model_revision = ?')
    .pluck();
  return ({ policy, modelRevision }) => {
    const stored: unknown = find.get(policy, modelRevision);
    // Written by the appender above alone. JSON keeps every bit of a double.
    return typeof stored === 'string' ? (JSON.parse(stored) as ScoreTrainingState) : null;
  };
}
