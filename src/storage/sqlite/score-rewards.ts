import type { Connection } from './connection.ts';
import type { ScoreFacts } from './score-columns.ts';

/** The outcome that counts for a decision and a metric: the rule is that of generations, without external ids. */
export const SCORE_WINNER_SQL = `
  SELECT o.api_key_id, o.outcome_id, COALESCE(o.occurred_at_ms, o.received_at_ms) AS effective_at_ms, o.reward
  FROM outcomes o INDEXED BY outcomes_by_score
  WHERE o.score_id = @scoreId AND o.metric = @metric AND o.test = 0
    AND COALESCE(o.occurred_at_ms, o.received_at_ms) - o.window_ms <= @createdAtMs
    AND NOT EXISTS (
      SELECT 1 FROM outcome_voids v WHERE v.api_key_id = o.api_key_id AND v.outcome_id = o.outcome_id
    )
  ORDER BY COALESCE(o.occurred_at_ms, o.received_at_ms) DESC, o.outcome_id DESC, o.api_key_id DESC
  LIMIT 1`;

interface CountingRow {
  readonly api_key_id: string;
  readonly outcome_id: string;
  readonly effective_at_ms: number;
  readonly reward: number;
}

/**
 * Keeps `counting_score_outcomes` equal to a function of the *set* of decisions, outcomes and voids, whatever order they
 * arrive in, and logs every change of a reward for whoever learns from it.
 */
export interface ScoreRewards {
  /** Chooses among all outcomes of the decision. Null: its reward is what it was. */
  settle(
    score: ScoreFacts,
    metric: string,
    atMs: number,
  ): { readonly before: number | null; readonly after: number | null } | null;
  /** Null: none. */
  current(scoreId: string, metric: string): number | null;
  /** Metrics that outcomes of the decision name. */
  reportedMetrics(scoreId: string): readonly string[];
  /** With those that a reward counts for although nothing names them any more. */
  knownMetrics(scoreId: string): readonly string[];
}

export function createScoreRewards(database: Connection): ScoreRewards {
  const winner = database.prepare(SCORE_WINNER_SQL);
  const counting = database.prepare(
    `SELECT api_key_id, outcome_id, effective_at_ms, reward FROM counting_score_outcomes
     WHERE score_id = ? AND metric = ?`,
  );
  const setCounting = database.prepare(
    `INSERT INTO counting_score_outcomes (score_id, metric, api_key_id, outcome_id, effective_at_ms, reward)
     VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (score_id, metric) DO UPDATE SET
       api_key_id = excluded.api_key_id, outcome_id = excluded.outcome_id,
       effective_at_ms = excluded.effective_at_ms, reward = excluded.reward`,
  );
  const clearCounting = database.prepare(
    'DELETE FROM counting_score_outcomes WHERE score_id = ? AND metric = ?',
  );
  const logChange = database.prepare(
    `INSERT INTO score_reward_changes
       (policy, metric, score_id, score_seq, previous_seq, reward_before, reward_after, changed_at_ms)
     VALUES (@policy, @metric, @scoreId, @scoreSeq, @previousSeq, @before, @after, @atMs)`,
  );
  const lastChange = database.prepare(
    `SELECT seq, reward_after FROM score_reward_changes INDEXED BY score_reward_changes_by_score
     WHERE score_id = ? AND metric = ? ORDER BY seq DESC LIMIT 1`,
  );
  const reported = database
    .prepare('SELECT DISTINCT metric FROM outcomes INDEXED BY outcomes_by_score WHERE score_id = ?')
    .pluck();
  const counted = database.prepare('SELECT metric FROM counting_score_outcomes WHERE score_id = ?').pluck();

  // Row mappers: the columns are those named in the statements above.
  const countingOf = (scoreId: string, metric: string): CountingRow | undefined =>
    counting.get(scoreId, metric) as CountingRow | undefined;
  const reportedMetrics = (scoreId: string): readonly string[] => reported.all(scoreId) as string[];

  /** From the log itself: what was learnt from it must be taken back, whatever became of the derived row. */
  const log = (score: ScoreFacts, metric: string, after: number | null, atMs: number): void => {
    const { id: scoreId, seq: scoreSeq, policy } = score;
    // Row mapper: the columns of the statement above.
    const last = lastChange.get(scoreId, metric) as
      | { readonly seq: number; readonly reward_after: number | null }
      | undefined;
    const before = last?.reward_after ?? null;
    if (before === after) return;
    const previousSeq = last?.seq ?? null;
    logChange.run({ policy, metric, scoreId, scoreSeq, previousSeq, before, after, atMs });
  };

  return {
    settle: (score, metric, atMs) => {
      const { id: scoreId, created_at_ms: createdAtMs } = score;
      const after = winner.get({ scoreId, metric, createdAtMs }) as CountingRow | undefined;
      const before = countingOf(scoreId, metric);
      if (after === undefined) {
        if (before !== undefined) clearCounting.run(scoreId, metric);
      } else {
        const { api_key_id, outcome_id, effective_at_ms, reward } = after;
        setCounting.run(scoreId, metric, api_key_id, outcome_id, effective_at_ms, reward);
      }
      if (score.test === 0 && score.shadow_of === null) log(score, metric, after?.reward ?? null, atMs);
      const change = { before: before?.reward ?? null, after: after?.reward ?? null };
      return change.before === change.after ? null : change;
    },
    current: (scoreId, metric) => countingOf(scoreId, metric)?.reward ?? null,
    reportedMetrics,
    // Row mapper: one text column.
    knownMetrics: (scoreId) => [
      ...new Set([...reportedMetrics(scoreId), ...(counted.all(scoreId) as string[])]),
    ],
  };
}
