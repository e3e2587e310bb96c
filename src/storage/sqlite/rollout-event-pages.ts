import type { RolloutEvent, RolloutPageQuery } from '../../experiments/index.ts';
import type { Connection } from './connection.ts';
import { fromRolloutEventRow, ROLLOUT_EVENT_COLUMNS, type RolloutEventRow } from './rollout-event-columns.ts';

/** A page holds at most this many events: a report waits for one page at most. */
const MAX_PAGE_EVENTS = 1_000;

export interface RolloutEventPages {
  readonly rolloutsAfter: (parameters: {
    readonly sequence: number;
    readonly limit: number;
  }) => readonly RolloutEvent[];
  readonly rolloutPage: (query: RolloutPageQuery) => readonly RolloutEvent[];
}

export function createRolloutEventPages(database: Connection): RolloutEventPages {
  const after = database.prepare(
    `SELECT ${ROLLOUT_EVENT_COLUMNS} FROM rollout_events WHERE seq > ? ORDER BY seq LIMIT ?`,
  );
  const page = database.prepare(
    `SELECT ${ROLLOUT_EVENT_COLUMNS} FROM rollout_events
     WHERE seq < @before AND (@kind IS NULL OR subject_kind = @kind) AND (@subject IS NULL OR subject = @subject)
     ORDER BY seq DESC LIMIT @limit`,
  );
  // Row mapper: the columns are those of the statements.
  const eventsOf = (rows: readonly unknown[]): readonly RolloutEvent[] =>
    (rows as readonly RolloutEventRow[]).map(fromRolloutEventRow);

  return {
    rolloutsAfter: ({ sequence, limit }) => eventsOf(after.all(sequence, pageSize(limit))),
    rolloutPage: ({ subject, subjectKind, beforeSequence, limit }) =>
      eventsOf(
        page.all({
          subject,
          kind: subjectKind,
          before: beforeSequence ?? Number.MAX_SAFE_INTEGER,
          limit: pageSize(limit),
        }),
      ),
  };
}

function pageSize(limit: number): number {
  return Math.max(1, Math.min(limit, MAX_PAGE_EVENTS));
}
