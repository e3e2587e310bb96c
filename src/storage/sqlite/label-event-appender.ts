import type { LabelEvent, LabelMove, RolloutEvent } from '../../experiments/index.ts';
import { AppError } from '../../kernel/index.ts';
import type { Connection } from './connection.ts';
import {
  fromLabelEventRow,
  LABEL_EVENT_COLUMNS,
  type LabelEventRow,
  targetName,
} from './label-event-columns.ts';
import { createRolloutEventAppender } from './rollout-event-appender.ts';

/** Compare and set of a label. Runs within the writer's transaction: nothing can come between the two. */
export function createLabelEventAppender(database: Connection): (move: LabelMove) => LabelEvent {
  const latest = database.prepare(
    `SELECT ${LABEL_EVENT_COLUMNS} FROM label_events WHERE prompt = ? AND label = ? ORDER BY seq DESC LIMIT 1`,
  );
  const insert = database.prepare(
    `INSERT INTO label_events
       (id, prompt, label, created_at_ms, from_kind, from_target, to_kind, to_target, to_hash, reason, actor, seeded,
        gate_overridden, gate_json)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const appendRollout = createRolloutEventAppender(database);

  return (move) => {
    // Row mapper: the columns are those of the statement.
    const row = latest.get(move.prompt, move.label) as LabelEventRow | undefined;
    const current = row === undefined ? null : fromLabelEventRow(row);
    const sequence = current?.sequence ?? 0;
    if (move.expectedSequence !== null && move.expectedSequence !== sequence) {
      throw new AppError(
        'conflict',
        current === null
          ? `prompt "${move.prompt}" has no label "${move.label}", so it is not at sequence ${move.expectedSequence}`
          : `label "${move.label}" of prompt "${move.prompt}" is at sequence ${sequence}, not ${move.expectedSequence}`,
      );
    }
    const name = targetName(move.to);
    if (current !== null && current.to.kind === move.to.kind && targetName(current.to) === name)
      return current;
    const { lastInsertRowid } = insert.run(
      move.id,
      move.prompt,
      move.label,
      move.createdAtMs,
      current?.to.kind ?? null,
      current === null ? null : targetName(current.to),
      move.to.kind,
      name,
      move.toHash,
      move.reason,
      move.actor,
      move.seeded ? 1 : 0,
      move.gate.state === 'overridden' ? 1 : 0,
      move.gate.state === 'none' ? null : JSON.stringify(move.gate),
    );
    appendRollout({
      // One move, one event: their ids tell which belong together.
      id: move.id.replace(/^lbl_/, 'rol_'),
      createdAtMs: move.createdAtMs,
      subjectKind: 'label',
      subject: `${move.prompt}@${move.label}`,
      from: current === null ? null : stateOf(current.to),
      to: stateOf(move.to),
      revision: null,
      decision: decisionOf(move),
      reason: move.reason,
      actor: move.actor,
      gate: move.gate,
      live: move.live,
      facts: null,
    });
    const { id: _id, expectedSequence: _expected, live: _live, ...facts } = move;
    return { ...facts, sequence: Number(lastInsertRowid), from: current?.to ?? null };
  };
}

function stateOf(target: LabelEvent['to']): string {
  return `${target.kind} ${targetName(target)}`;
}

function decisionOf({ gate }: LabelMove): RolloutEvent['decision'] {
  return gate.state === 'overridden' || gate.state === 'exempt' ? gate.state : 'allowed';
}
