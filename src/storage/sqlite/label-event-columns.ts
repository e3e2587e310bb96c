import type { LabelEvent, LabelTarget } from '../../experiments/index.ts';

/** What a row without a finding stands for. */
export const NO_GATE: LabelEvent['gate'] = { state: 'none', overrideReason: null, targets: [] };

/** What both sides select, in any order. */
export const LABEL_EVENT_COLUMNS =
  'seq, prompt, label, created_at_ms, from_kind, from_target, to_kind, to_target, to_hash, reason, actor, seeded, gate_json';

export interface LabelEventRow {
  readonly seq: number;
  readonly prompt: string;
  readonly label: string;
  readonly created_at_ms: number;
  readonly from_kind: string | null;
  readonly from_target: string | null;
  readonly to_kind: string;
  readonly to_target: string;
  readonly to_hash: string | null;
  readonly reason: string;
  readonly actor: string;
  readonly seeded: number;
  readonly gate_json: string | null;
}

export function fromLabelEventRow(row: LabelEventRow): LabelEvent {
  return {
    sequence: row.seq,
    prompt: row.prompt,
    label: row.label,
    createdAtMs: row.created_at_ms,
    from:
      row.from_kind === null || row.from_target === null ? null : toTarget(row.from_kind, row.from_target),
    to: toTarget(row.to_kind, row.to_target),
    toHash: row.to_hash,
    reason: row.reason,
    actor: row.actor,
    seeded: row.seeded === 1,
    // Written by the appender alone, from the same type.
    gate: row.gate_json === null ? NO_GATE : (JSON.parse(row.gate_json) as LabelEvent['gate']),
  };
}

export function targetName(target: LabelTarget): string {
  return target.kind === 'version' ? target.version : target.experiment;
}

function toTarget(kind: string, name: string): LabelTarget {
  return kind === 'experiment' ? { kind, experiment: name } : { kind: 'version', version: name };
}
