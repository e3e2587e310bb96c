import type { NewRolloutEvent, RolloutEvent } from '../../experiments/index.ts';
import type { Connection } from './connection.ts';
import { fromRolloutEventRow, ROLLOUT_EVENT_COLUMNS, type RolloutEventRow } from './rollout-event-columns.ts';

/** Appends within the writer's transaction. What repeats the newest event of its subject is not written again. */
export function createRolloutEventAppender(database: Connection): (event: NewRolloutEvent) => RolloutEvent {
  const latest = database.prepare(
    `SELECT ${ROLLOUT_EVENT_COLUMNS} FROM rollout_events WHERE subject_kind = ? AND subject = ? ORDER BY seq DESC LIMIT 1`,
  );
  const insert = database.prepare(
    `INSERT INTO rollout_events (id, created_at_ms, subject_kind, subject, from_state, to_state, revision, decision,
       reason, actor, gate_json, live_json, facts_json)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );

  return (event) => {
    // Row mapper: the columns are those of the statement.
    const row = latest.get(event.subjectKind, event.subject) as RolloutEventRow | undefined;
    if (row !== undefined && isRepetition(event, row)) return fromRolloutEventRow(row);
    const { lastInsertRowid } = insert.run(
      event.id,
      event.createdAtMs,
      event.subjectKind,
      event.subject,
      event.from,
      event.to,
      event.revision ?? '',
      event.decision,
      event.reason,
      event.actor,
      event.gate.state === 'none' ? null : JSON.stringify(event.gate),
      event.live.length === 0 ? null : JSON.stringify(event.live),
      event.facts === null ? null : JSON.stringify(event.facts),
    );
    return { ...event, sequence: Number(lastInsertRowid) };
  };
}

/** A process that restarts and is refused again, or a caller that tries again, must not fill the history. */
function isRepetition(event: NewRolloutEvent, newest: RolloutEventRow): boolean {
  return (
    newest.decision === event.decision &&
    newest.to_state === event.to &&
    newest.revision === (event.revision ?? '') &&
    (event.subjectKind !== 'label' || event.decision === 'refused')
  );
}
