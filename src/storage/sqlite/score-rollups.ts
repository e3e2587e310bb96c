import { hourOf } from '../../kernel/index.ts';
import type { Connection } from './connection.ts';
import { addExactly, type ExactSum } from './exact-sum.ts';
import type { ScoreFacts } from './score-columns.ts';

/** Totals of decisions and of their rewards, by policy, definition, revision and hour. */
export interface ScoreRollups {
  addDecision(score: ScoreFacts): void;
  /** A decision's reward for a metric changed; null: had none, has none. */
  changeReward(score: ScoreFacts, metric: string, before: number | null, after: number | null): void;
}

interface RewardCell {
  readonly n: number;
  readonly reward_sum: number;
  readonly reward_sum_low: number;
  readonly reward_sum_sq: number;
  readonly reward_sum_sq_low: number;
}

const KEY = 'policy, policy_definition, policy_revision, test, shadow';
const KEY_IS = 'policy = ? AND policy_definition = ? AND policy_revision = ? AND test = ? AND shadow = ?';

export function createScoreRollups(database: Connection): ScoreRollups {
  const upsertDecision = database.prepare(
    `INSERT INTO score_rollups (${KEY}, hour_ms, decisions, candidates, chosen_best, chosen_propensity_sum)
     VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?)
     ON CONFLICT (${KEY}, hour_ms) DO UPDATE SET
       decisions = score_rollups.decisions + 1,
       candidates = score_rollups.candidates + excluded.candidates,
       chosen_best = score_rollups.chosen_best + excluded.chosen_best,
       chosen_propensity_sum = score_rollups.chosen_propensity_sum + excluded.chosen_propensity_sum`,
  );
  const readCell = database.prepare(
    `SELECT n, reward_sum, reward_sum_low, reward_sum_sq, reward_sum_sq_low FROM score_reward_rollups
     WHERE ${KEY_IS} AND metric = ? AND hour_ms = ?`,
  );
  const deleteCell = database.prepare(
    `DELETE FROM score_reward_rollups WHERE ${KEY_IS} AND metric = ? AND hour_ms = ?`,
  );
  const upsertCell = database.prepare(
    `INSERT INTO score_reward_rollups
       (${KEY}, metric, hour_ms, n, reward_sum, reward_sum_low, reward_sum_sq, reward_sum_sq_low)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (${KEY}, metric, hour_ms) DO UPDATE SET
       n = excluded.n, reward_sum = excluded.reward_sum, reward_sum_low = excluded.reward_sum_low,
       reward_sum_sq = excluded.reward_sum_sq, reward_sum_sq_low = excluded.reward_sum_sq_low`,
  );

  return {
    addDecision: (score) => {
      upsertDecision.run(
        ...keyOf(score),
        hourOf(score.created_at_ms),
        score.candidate_count,
        score.chosen_best,
        score.chosen_propensity,
      );
    },
    changeReward: (score, metric, before, after) => {
      const cell = [...keyOf(score), metric, hourOf(score.created_at_ms)] as const;
      // Row mapper: all five columns are NOT NULL numbers.
      const stored = readCell.get(...cell) as RewardCell | undefined;
      const n = (stored?.n ?? 0) - (before === null ? 0 : 1) + (after === null ? 0 : 1);
      if (n === 0) {
        deleteCell.run(...cell);
        return;
      }
      let sum: ExactSum = { high: stored?.reward_sum ?? 0, low: stored?.reward_sum_low ?? 0 };
      let squares: ExactSum = { high: stored?.reward_sum_sq ?? 0, low: stored?.reward_sum_sq_low ?? 0 };
      if (before !== null) {
        sum = addExactly(sum, -before);
        squares = addExactly(squares, -(before * before));
      }
      if (after !== null) {
        sum = addExactly(sum, after);
        squares = addExactly(squares, after * after);
      }
      upsertCell.run(...cell, n, sum.high, sum.low, squares.high, squares.low);
    },
  };
}

function keyOf(score: ScoreFacts): readonly [string, string, string, number, number] {
  const { policy, policy_definition, policy_revision, test, shadow_of } = score;
  return [policy, policy_definition, policy_revision, test, shadow_of === null ? 0 : 1];
}
