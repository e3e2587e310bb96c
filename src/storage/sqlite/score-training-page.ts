import { candidatesOfJson } from '../../ledger/index.ts';
import type { LoggedChoice, RewardChange, TrainingPage, TrainingPageQuery } from '../../ranking/index.ts';
import type { Connection } from './connection.ts';

const MAX_PAGE_ROWS = 1_000;
/** Features of all candidates that one page may parse, in characters: a few milliseconds. */
const MAX_PAGE_CHARACTERS = 1_048_576;

/** The input as it was encoded, when that was under the model asked for; else what to encode it from. */
const CHOICE_COLUMNS = `
  CASE WHEN s.model_revision = @modelRevision THEN s.chosen_input_json END AS input_json,
  CASE WHEN s.model_revision IS NOT @modelRevision THEN s.candidates_json END AS candidates_json,
  s.chosen, s.profile_features_json, s.context_json`;

export const REWARD_CHANGES_SQL = `
  SELECT c.seq, c.previous_seq, c.score_seq, c.reward_before, c.reward_after, c.changed_at_ms, ${CHOICE_COLUMNS}
  FROM score_reward_changes c INDEXED BY score_reward_changes_by_policy
  LEFT JOIN scores s ON s.id = c.score_id
  WHERE c.policy = @policy AND c.metric = @metric AND c.seq > @afterChange
  ORDER BY c.seq LIMIT @limit`;

export const CLOSED_DECISIONS_SQL = `
  SELECT s.seq AS score_seq, s.created_at_ms, c.reward, ${CHOICE_COLUMNS}
  FROM scores s INDEXED BY scores_by_policy
  LEFT JOIN counting_score_outcomes c ON c.score_id = s.id AND c.metric = @metric
  WHERE s.policy = @policy AND s.seq > @afterDecision AND s.test = 0 AND s.shadow_of IS NULL
  ORDER BY s.seq LIMIT @limit`;

interface ChoiceRow {
  readonly score_seq: number;
  readonly input_json: string | null;
  readonly candidates_json: string | null;
  /** Null: the decision is gone. */
  readonly chosen: string | null;
  readonly profile_features_json: string | null;
  readonly context_json: string | null;
}

interface ChangeRow extends ChoiceRow {
  readonly seq: number;
  readonly previous_seq: number | null;
  readonly reward_before: number | null;
  readonly reward_after: number | null;
  readonly changed_at_ms: number;
}

interface ClosedRow extends ChoiceRow {
  readonly created_at_ms: number;
  readonly reward: number | null;
}

/**
 * One page of what a policy has not learnt yet, from one state of the file. Decisions come only with the last changes:
 * the reward they carry is then the one after every change that has been read.
 */
export function createScoreTrainingPage(database: Connection): (query: TrainingPageQuery) => TrainingPage {
  const changes = database.prepare(REWARD_CHANGES_SQL);
  const decisions = database.prepare(CLOSED_DECISIONS_SQL);
  const changeMark = database
    .prepare(
      `SELECT update_number FROM score_training_marks
       WHERE policy = ? AND model_revision = ? AND change_position >= ?
       ORDER BY change_position, update_number LIMIT 1`,
    )
    .pluck();
  const closeMark = database
    .prepare(
      `SELECT update_number FROM score_training_marks
       WHERE policy = ? AND model_revision = ? AND closed_position >= ?
       ORDER BY closed_position, update_number LIMIT 1`,
    )
    .pluck();

  const rewardChange = (
    row: ChangeRow,
    { policy, modelRevision, closed }: TrainingPageQuery,
  ): RewardChange => ({
    sequence: row.seq,
    previousSequence: row.previous_seq,
    changedAtMs: row.changed_at_ms,
    before: row.reward_before,
    after: row.reward_after,
    choice: choiceOf(row),
    // Row mappers: one integer each, or no row.
    beforeUpdate:
      row.previous_seq === null
        ? null
        : ((changeMark.get(policy, modelRevision, row.previous_seq) as number | undefined) ?? null),
    closedUpdate:
      closed === null
        ? null
        : ((closeMark.get(policy, modelRevision, row.score_seq) as number | undefined) ?? null),
  });

  return database.transaction((query: TrainingPageQuery): TrainingPage => {
    const { policy, modelRevision, metric, afterChange, closed } = query;
    const limit = Math.max(1, Math.min(query.limit, MAX_PAGE_ROWS));
    const changeRows = bounded<ChangeRow>(
      changes.iterate({ policy, modelRevision, metric, afterChange, limit }),
      limit,
    );
    const page = { changes: changeRows.rows.map((row) => rewardChange(row, query)) };
    if (!changeRows.isLast || closed === null) return { ...page, closed: [], isLast: changeRows.isLast };

    const { afterDecision, windowMs, nowMs } = closed;
    const closedRows = bounded<ClosedRow>(
      decisions.iterate({ policy, modelRevision, metric, afterDecision, limit }),
      limit,
      // In their order: the position says that everything before it is closed.
      (row) => row.created_at_ms + windowMs > nowMs,
    );
    return {
      ...page,
      closed: closedRows.rows.map((row) => ({
        closedAtMs: row.created_at_ms + windowMs,
        reward: row.reward,
        choice: choiceOf(row),
      })),
      isLast: closedRows.isLast,
    };
  });
}

function bounded<Row extends ChoiceRow>(
  found: IterableIterator<unknown>,
  limit: number,
  isBeyond: (row: Row) => boolean = () => false,
): { readonly rows: readonly Row[]; readonly isLast: boolean } {
  const rows: Row[] = [];
  let characters = 0;
  for (const item of found) {
    // Row mapper: the columns are those of the statement.
    const row = item as Row;
    if (isBeyond(row)) return { rows, isLast: true };
    rows.push(row);
    characters += row.candidates_json?.length ?? 0;
    if (characters >= MAX_PAGE_CHARACTERS) return { rows, isLast: false };
  }
  return { rows, isLast: rows.length < limit };
}

function choiceOf(row: ChoiceRow): LoggedChoice {
  const { score_seq: sequence, input_json, candidates_json } = row;
  if (input_json !== null)
    return { sequence, input: JSON.parse(input_json) as readonly number[], features: null };
  if (candidates_json === null) return { sequence, input: null, features: null };
  const chosen = candidatesOfJson(candidates_json).find(({ id }) => id === row.chosen);
  return {
    sequence,
    input: null,
    features:
      chosen === undefined
        ? null
        : {
            candidate: chosen.features,
            profile: featuresOf(row.profile_features_json),
            context: featuresOf(row.context_json),
          },
  };
}

type Features = Readonly<Record<string, unknown>>;

function featuresOf(json: string | null): Features | null {
  return json === null ? null : (JSON.parse(json) as Features);
}
