import { AppError, listNames } from '../../kernel/index.ts';
import type { OutcomeReceipt } from '../../ledger/index.ts';
import type { Connection } from './connection.ts';
import { OUTCOME_COLUMN_NAMES, type OutcomeRow, PAYLOAD_COLUMNS } from './outcome-columns.ts';
import { JOINABLE_COLUMNS, type JoinableOutcome, type RewardJoiner } from './reward-joiner.ts';
import type { ScoreAppender } from './score-appender.ts';
import type { OutcomeEntry } from './writer-commands.ts';

export interface OutcomeAppender {
  /** All or none; fails with `conflict` before anything is written. */
  append(apiKeyId: string, entries: readonly OutcomeEntry[]): OutcomeReceipt;
}

export function createOutcomeAppender(
  database: Connection,
  {
    generations,
    scores,
  }: {
    readonly generations: Pick<RewardJoiner, 'outcomeArrived' | 'outcomeChanged'>;
    readonly scores: Pick<ScoreAppender, 'outcomeArrived' | 'outcomeChanged'>;
  },
): OutcomeAppender {
  const payload = database.prepare(
    `SELECT ${PAYLOAD_COLUMNS.join(', ')} FROM outcomes WHERE api_key_id = ? AND outcome_id = ?`,
  );
  const insert = database.prepare(
    `INSERT INTO outcomes (api_key_id, ${OUTCOME_COLUMN_NAMES.join(', ')})
     VALUES (@api_key_id, ${OUTCOME_COLUMN_NAMES.map((column) => `@${column}`).join(', ')})
     ON CONFLICT (api_key_id, outcome_id) DO NOTHING
     RETURNING ${JOINABLE_COLUMNS}`,
  );
  // The receipt that counts is the earliest, so that two copies of a report give one result in either order.
  const receiveEarlier = database.prepare(
    `UPDATE outcomes SET received_at_ms = @received_at_ms
     WHERE api_key_id = @api_key_id AND outcome_id = @outcome_id AND received_at_ms > @received_at_ms
     RETURNING ${JOINABLE_COLUMNS}`,
  );
  const joinable = database.prepare(
    `SELECT ${JOINABLE_COLUMNS} FROM outcomes WHERE api_key_id = ? AND outcome_id = ?`,
  );
  const insertVoid = database.prepare(
    `INSERT INTO outcome_voids (api_key_id, outcome_id, received_at_ms) VALUES (?, ?, ?)
     ON CONFLICT (api_key_id, outcome_id) DO NOTHING`,
  );

  const arrived = (outcome: JoinableOutcome, atMs: number): void => {
    if (outcome.score_id === null) generations.outcomeArrived(outcome);
    else scores.outcomeArrived(outcome, atMs);
  };
  const changed = (outcome: JoinableOutcome, atMs: number): void => {
    if (outcome.score_id === null) generations.outcomeChanged(outcome);
    else scores.outcomeChanged(outcome, atMs);
  };

  /** Outcome ids that come with two payloads, within the batch or against what is stored. */
  const conflicts = (apiKeyId: string, entries: readonly OutcomeEntry[]): readonly string[] => {
    const firstById = new Map<string, Partial<OutcomeRow> | null>();
    const conflicting = new Set<string>();
    for (const entry of entries) {
      if (entry.kind === 'void') continue;
      const id = String(entry.row.outcome_id);
      let first = firstById.get(id);
      if (first === undefined) {
        // Row mapper: the columns are those of the payload.
        first = (payload.get(apiKeyId, id) as Partial<OutcomeRow> | undefined) ?? entry.row;
        firstById.set(id, first);
      }
      if (PAYLOAD_COLUMNS.some((column) => first?.[column] !== entry.row[column])) conflicting.add(id);
    }
    return [...conflicting];
  };

  const appendOutcome = (apiKeyId: string, row: OutcomeRow): boolean => {
    const bound = { ...row, api_key_id: apiKeyId };
    // Row mappers: RETURNING names the columns of a joinable outcome.
    const stored = insert.get(bound) as JoinableOutcome | undefined;
    if (stored !== undefined) {
      arrived(stored, Number(row.received_at_ms));
      return true;
    }
    const earlier = receiveEarlier.get({
      api_key_id: apiKeyId,
      outcome_id: row.outcome_id,
      received_at_ms: row.received_at_ms,
    }) as JoinableOutcome | undefined;
    if (earlier !== undefined && row.occurred_at_ms === null) changed(earlier, Number(row.received_at_ms));
    return false;
  };

  const appendVoid = (apiKeyId: string, outcomeId: string, receivedAtMs: number): boolean => {
    if (insertVoid.run(apiKeyId, outcomeId, receivedAtMs).changes === 0) return false;
    const outcome = joinable.get(apiKeyId, outcomeId) as JoinableOutcome | undefined;
    if (outcome !== undefined) changed(outcome, receivedAtMs);
    return true;
  };

  return {
    append: (apiKeyId, entries) => {
      const conflicting = conflicts(apiKeyId, entries);
      if (conflicting.length > 0) {
        throw new AppError(
          'conflict',
          `Already reported with another target, metric, value or occurred_at: outcome_id ${listNames(conflicting, 5)}. ` +
            'Nothing of this batch was stored; report a correction under a new outcome_id.',
          { details: { outcome_ids: conflicting } },
        );
      }
      let accepted = 0;
      const outcomeIds: string[] = [];
      for (const entry of entries) {
        const isNew =
          entry.kind === 'outcome'
            ? appendOutcome(apiKeyId, entry.row)
            : appendVoid(apiKeyId, entry.void.outcomeId, entry.void.receivedAtMs);
        if (isNew) accepted += 1;
        outcomeIds.push(entry.kind === 'outcome' ? String(entry.row.outcome_id) : entry.void.outcomeId);
      }
      return { accepted, duplicates: entries.length - accepted, outcomeIds };
    },
  };
}
