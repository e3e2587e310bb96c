import { gateFacts, type LabelEvent, type LabelTarget } from '../experiments/index.ts';

/** One move; the newest one of a label is its state. */
export function labelToWire(event: LabelEvent) {
  return {
    prompt: event.prompt,
    label: event.label,
    target: targetToWire(event.to),
    previous: event.from === null ? null : targetToWire(event.from),
    hash: event.toHash,
    sequence: event.sequence,
    moved_at: new Date(event.createdAtMs).toISOString(),
    reason: event.reason,
    actor: event.actor,
    seeded: event.seeded,
    gate: gateFacts(event.gate),
  };
}

function targetToWire(target: LabelTarget) {
  return target.kind === 'version' ? { version: target.version } : { experiment: target.experiment };
}
