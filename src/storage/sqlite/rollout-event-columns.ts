import type { RolloutEvent } from '../../experiments/index.ts';
import { NO_GATE } from './label-event-columns.ts';

/** What both sides select, in any order. */
export const ROLLOUT_EVENT_COLUMNS =
  'seq, id, created_at_ms, subject_kind, subject, from_state, to_state, revision, decision, reason, actor, gate_json, live_json, facts_json';

export interface RolloutEventRow {
  readonly seq: number;
  readonly id: string;
  readonly created_at_ms: number;
  readonly subject_kind: RolloutEvent['subjectKind'];
  readonly subject: string;
  readonly from_state: string | null;
  readonly to_state: string;
  readonly revision: string;
  readonly decision: RolloutEvent['decision'];
  readonly reason: string;
  readonly actor: string;
  readonly gate_json: string | null;
  readonly live_json: string | null;
  readonly facts_json: string | null;
}

/** The JSON columns are written by the appender alone, from the same types. */
export function fromRolloutEventRow(row: RolloutEventRow): RolloutEvent {
  return {
    sequence: row.seq,
    id: row.id,
    createdAtMs: row.created_at_ms,
    subjectKind: row.subject_kind,
    subject: row.subject,
    from: row.from_state,
    to: row.to_state,
    revision: row.revision === '' ? null : row.revision,
    decision: row.decision,
    reason: row.reason,
    actor: row.actor,
    gate: row.gate_json === null ? NO_GATE : (JSON.parse(row.gate_json) as RolloutEvent['gate']),
    live: row.live_json === null ? [] : (JSON.parse(row.live_json) as RolloutEvent['live']),
    facts: row.facts_json === null ? null : (JSON.parse(row.facts_json) as RolloutEvent['facts']),
  };
}
