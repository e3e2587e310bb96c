import type { StoredScore } from '../../ledger/index.ts';
import type {
  ScorePolicySnapshot,
  ScoreTrainingState,
  TrainingPage,
  TrainingPageQuery,
} from '../../ranking/index.ts';
import type { Connection } from './connection.ts';
import { OUTCOME_COLUMN_NAMES } from './outcome-columns.ts';
import { fromScoreRow, SCORE_COLUMN_NAMES } from './score-columns.ts';
import { createScoreTrainingPage } from './score-training-page.ts';
import { createFindTrainingState, createLatestScoreSnapshot } from './score-training-rows.ts';
import { storedOutcome } from './stored-outcome.ts';

/** Outcomes of one decision that are shown: more than anybody reports by purpose. */
const MAX_OUTCOMES = 1_000;

/** What the reader can be asked about ranking decisions and what is learnt from them. */
export interface ScoreReads {
  readonly findScore: (parameters: { readonly id: string }) => StoredScore | null;
  readonly latestScoreSnapshot: (query: { readonly policy: string }) => ScorePolicySnapshot | null;
  readonly findTrainingState: (query: {
    readonly policy: string;
    readonly modelRevision: string;
  }) => ScoreTrainingState | null;
  readonly trainingPage: (query: TrainingPageQuery) => TrainingPage;
}

export function createScoreReads(database: Connection): ScoreReads {
  const score = database.prepare(
    `SELECT ${SCORE_COLUMN_NAMES.join(', ')}, commit_wait_ms FROM scores WHERE id = ?`,
  );
  const outcomesOf = database.prepare(
    `SELECT o.api_key_id, ${OUTCOME_COLUMN_NAMES.map((column) => `o.${column} AS ${column}`).join(', ')},
       EXISTS (
         SELECT 1 FROM outcome_voids v WHERE v.api_key_id = o.api_key_id AND v.outcome_id = o.outcome_id
       ) AS voided,
       c.outcome_id IS NOT NULL AS counts
     FROM outcomes o
     LEFT JOIN counting_score_outcomes c ON c.score_id = o.score_id AND c.metric = o.metric
       AND c.outcome_id = o.outcome_id AND c.api_key_id = o.api_key_id
     WHERE o.score_id = ?
     ORDER BY o.metric, o.occurred_at_ms, o.received_at_ms, o.outcome_id
     LIMIT ${MAX_OUTCOMES}`,
  );
  const findScore = database.transaction((id: string): StoredScore | null => {
    // Row mappers: the columns are those of the statements above.
    const row = score.get(id) as Record<string, unknown> | undefined;
    if (row === undefined) return null;
    const outcomes = outcomesOf.all(id) as Record<string, unknown>[];
    return {
      ...fromScoreRow(row),
      commitWaitMs: Number(row['commit_wait_ms']),
      outcomes: outcomes.map(storedOutcome),
    };
  });
  return {
    findScore: ({ id }) => findScore(id),
    latestScoreSnapshot: createLatestScoreSnapshot(database),
    findTrainingState: createFindTrainingState(database),
    trainingPage: createScoreTrainingPage(database),
  };
}
