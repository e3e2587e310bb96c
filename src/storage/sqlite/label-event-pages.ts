import type { LabelEvent } from '../../experiments/index.ts';
import type { Connection } from './connection.ts';
import { fromLabelEventRow, LABEL_EVENT_COLUMNS, type LabelEventRow } from './label-event-columns.ts';

/** A page holds at most this many events: a report waits for one page at most. */
const MAX_PAGE_EVENTS = 1_000;

export interface LabelEventPages {
  readonly labelEventsAfter: (parameters: {
    readonly sequence: number;
    readonly limit: number;
  }) => readonly LabelEvent[];
  readonly labelHistory: (parameters: {
    readonly prompt: string;
    readonly label: string;
    readonly limit: number;
  }) => readonly LabelEvent[];
}

export function createLabelEventPages(database: Connection): LabelEventPages {
  const after = database.prepare(
    `SELECT ${LABEL_EVENT_COLUMNS} FROM label_events WHERE seq > ? ORDER BY seq LIMIT ?`,
  );
  const ofLabel = database.prepare(
    `SELECT ${LABEL_EVENT_COLUMNS} FROM label_events WHERE prompt = ? AND label = ? ORDER BY seq DESC LIMIT ?`,
  );
  // Row mapper: the columns are those of the statements.
  const eventsOf = (rows: readonly unknown[]): readonly LabelEvent[] =>
    (rows as readonly LabelEventRow[]).map(fromLabelEventRow);

  return {
    labelEventsAfter: ({ sequence, limit }) => eventsOf(after.all(sequence, pageSize(limit))),
    labelHistory: ({ prompt, label, limit }) => eventsOf(ofLabel.all(prompt, label, pageSize(limit))),
  };
}

function pageSize(limit: number): number {
  return Math.max(1, Math.min(limit, MAX_PAGE_EVENTS));
}
