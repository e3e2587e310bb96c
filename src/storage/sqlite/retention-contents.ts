import type { Connection } from './connection.ts';
import type { RetentionState } from './retention-state.ts';

/** Everything that callers or models wrote, and the details of attempts; numbers and names stay. */
const ERASED = `variables_json = NULL, profile_features_json = NULL, messages_json = NULL, metadata_json = NULL,
  text = NULL, output_json = NULL, tool_calls_json = '[]', attempts_json = '[]', usage_raw_json = NULL`;

export interface ErasedContents {
  readonly erased: number;
  /** The last call erased; null: there was none. */
  readonly last: Pick<RetentionState, 'contentsHorizonMs' | 'contentsHorizonSeq'> | null;
  readonly isDone: boolean;
}

/** Erases contents of calls after a place, oldest first, in the writer's transaction. */
export function createContentsEraser(
  database: Connection,
): (after: RetentionState, beforeMs: number, limit: number) => ErasedContents {
  const page = database.prepare(
    `SELECT seq, id, external_id, created_at_ms FROM generations INDEXED BY generations_by_time
     WHERE created_at_ms >= @afterMs AND created_at_ms < @beforeMs AND (created_at_ms > @afterMs OR seq > @afterSeq)
     ORDER BY created_at_ms, seq LIMIT @limit`,
  );
  const eraseGeneration = database.prepare(`UPDATE generations SET ${ERASED} WHERE seq = ?`);
  const eraseOutcomes = database.prepare(
    'UPDATE outcomes SET metadata_json = NULL WHERE generation_id = ? AND metadata_json IS NOT NULL',
  );
  const eraseExternal = database.prepare(
    'UPDATE outcomes SET metadata_json = NULL WHERE external_id = ? AND metadata_json IS NOT NULL',
  );

  return (after, beforeMs, limit) => {
    // Row mapper: the columns of the statement.
    const rows = page.all({
      afterMs: after.contentsHorizonMs,
      afterSeq: after.contentsHorizonSeq,
      beforeMs,
      limit,
    }) as GenerationPlaceRow[];
    for (const { seq, id, external_id } of rows) {
      eraseGeneration.run(seq);
      eraseOutcomes.run(id);
      if (external_id !== null) eraseExternal.run(external_id);
    }
    const last = rows.at(-1);
    return {
      erased: rows.length,
      last:
        last === undefined ? null : { contentsHorizonMs: last.created_at_ms, contentsHorizonSeq: last.seq },
      isDone: rows.length < limit,
    };
  };
}

interface GenerationPlaceRow {
  readonly seq: number;
  readonly id: string;
  readonly external_id: string | null;
  readonly created_at_ms: number;
}
