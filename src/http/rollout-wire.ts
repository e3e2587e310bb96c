import { gateFacts, type RolloutEvent } from '../experiments/index.ts';

/** One event as the wire shows it. Its facts are written by us, in wire names. */
export function rolloutToWire(event: RolloutEvent) {
  return {
    sequence: event.sequence,
    at: new Date(event.createdAtMs).toISOString(),
    subject_kind: event.subjectKind,
    subject: event.subject,
    from: event.from,
    to: event.to,
    revision: event.revision,
    decision: event.decision,
    reason: event.reason,
    actor: event.actor,
    gate: gateFacts(event.gate),
    facts: event.facts,
  };
}
