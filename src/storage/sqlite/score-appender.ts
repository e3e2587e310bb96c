import type { Connection } from './connection.ts';
import type { JoinableOutcome } from './reward-joiner.ts';
import {
  boundScore,
  SCORE_FACT_COLUMNS,
  SCORE_INSERT_COLUMNS,
  type ScoreFacts,
  type ScoreValues,
} from './score-columns.ts';
import { createScoreRewards } from './score-rewards.ts';
import { createScoreRollups } from './score-rollups.ts';

/** Decisions per step of a rebuild: bounds what is held in memory. */
const REBUILD_PAGE_ROWS = 1_000;

/** The write side of ranking decisions and their rewards. */
export interface ScoreAppender {
  /** The stored decision: a known id writes nothing. */
  append(values: ScoreValues, waitedMs: number): ScoreFacts;
  /** `atMs`: when the ledger received what changed. */
  outcomeArrived(outcome: JoinableOutcome, atMs: number): void;
  /** The outcome was voided, or its effective time became earlier. */
  outcomeChanged(outcome: JoinableOutcome, atMs: number): void;
  /**
   * Fills the derived tables, which are empty from `frozenMs` on; what differs from the rewards so far is logged as a
   * change.
   */
  rebuild(frozenMs: number): void;
}

export function createScoreAppender(database: Connection): ScoreAppender {
  const rollups = createScoreRollups(database);
  const rewards = createScoreRewards(database);
  // An id is minted once: the same id again is the same decision sent twice, and changes nothing.
  const insert = database.prepare(
    `INSERT INTO scores (${SCORE_INSERT_COLUMNS.join(', ')}, commit_wait_ms, forced, degraded, replay, delivered, status)
     VALUES (${SCORE_INSERT_COLUMNS.map(() => '?').join(', ')}, ?, 0, 0, 0, 1, 'ok')
     ON CONFLICT (id) DO NOTHING
     RETURNING ${SCORE_FACT_COLUMNS}`,
  );
  const byId = database.prepare(`SELECT ${SCORE_FACT_COLUMNS} FROM scores WHERE id = ?`);
  const page = database.prepare(
    `SELECT ${SCORE_FACT_COLUMNS} FROM scores WHERE seq > ? ORDER BY seq LIMIT ?`,
  );
  const addOrphan = database.prepare('INSERT INTO orphan_outcomes (outcome_seq) VALUES (?)');
  const adopt = database.prepare(
    'DELETE FROM orphan_outcomes WHERE outcome_seq IN (SELECT seq FROM outcomes WHERE score_id = ?)',
  );
  const findOrphans = database.prepare(
    `INSERT INTO orphan_outcomes (outcome_seq)
     SELECT o.seq FROM outcomes o
     WHERE o.score_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM scores s WHERE s.id = o.score_id)`,
  );

  // Row mappers: the columns are those of SCORE_FACT_COLUMNS.
  const ownerOf = ({ score_id }: JoinableOutcome): ScoreFacts | undefined =>
    byId.get(score_id) as ScoreFacts | undefined;

  const settle = (score: ScoreFacts, metric: string, atMs: number): void => {
    const change = rewards.settle(score, metric, atMs);
    if (change !== null) rollups.changeReward(score, metric, change.before, change.after);
  };

  return {
    append: (values, waitedMs) => {
      const score = insert.get(...boundScore(values), waitedMs) as ScoreFacts | undefined;
      // The id is the first column.
      if (score === undefined) return byId.get(values.row[0]) as ScoreFacts;
      rollups.addDecision(score);
      const metrics = rewards.reportedMetrics(score.id);
      if (metrics.length > 0) {
        adopt.run(score.id);
        for (const metric of metrics) settle(score, metric, score.finished_at_ms);
      }
      return score;
    },
    outcomeArrived: (outcome, atMs) => {
      const score = ownerOf(outcome);
      if (score === undefined) addOrphan.run(outcome.seq);
      else settle(score, outcome.metric, atMs);
    },
    outcomeChanged: (outcome, atMs) => {
      const score = ownerOf(outcome);
      if (score !== undefined) settle(score, outcome.metric, atMs);
    },
    rebuild: (frozenMs) => {
      let afterSequence = 0;
      while (true) {
        const scores = page.all(afterSequence, REBUILD_PAGE_ROWS) as ScoreFacts[];
        for (const score of scores) {
          if (score.created_at_ms < frozenMs) continue;
          rollups.addDecision(score);
          for (const metric of rewards.knownMetrics(score.id)) {
            rewards.settle(score, metric, score.finished_at_ms);
            const reward = rewards.current(score.id, metric);
            if (reward !== null) rollups.changeReward(score, metric, null, reward);
          }
        }
        const last = scores.at(-1);
        if (last === undefined || scores.length < REBUILD_PAGE_ROWS) break;
        afterSequence = last.seq;
      }
      findOrphans.run();
    },
  };
}
