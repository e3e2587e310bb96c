import type { GateFinding, LiveVersion } from './rollout-types.ts';

/** What a label points to. */
export type LabelTarget =
  | { readonly kind: 'version'; readonly version: string }
  | { readonly kind: 'experiment'; readonly experiment: string };

/** One move of a label; the history is the state. */
export interface LabelEvent {
  /** Order of all moves of all labels, ascending. */
  readonly sequence: number;
  readonly prompt: string;
  /** Without the `@`. */
  readonly label: string;
  readonly createdAtMs: number;
  /** Null for the first event of a label. */
  readonly from: LabelTarget | null;
  readonly to: LabelTarget;
  /** Content hash of the version it was moved to; null for an experiment. */
  readonly toHash: string | null;
  readonly reason: string;
  /** API key id, or `config` for first values. */
  readonly actor: string;
  /** First value from the configuration. */
  readonly seeded: boolean;
  /** What its rollout gate said. */
  readonly gate: GateFinding;
}

export interface LabelMove {
  /** `lbl_…`, minted by the caller. */
  readonly id: string;
  readonly prompt: string;
  readonly label: string;
  readonly to: LabelTarget;
  readonly toHash: string | null;
  readonly reason: string;
  readonly actor: string;
  readonly seeded: boolean;
  readonly gate: GateFinding;
  /** Versions that users get by the label from then on. */
  readonly live: readonly LiveVersion[];
  readonly createdAtMs: number;
  /** Sequence of the last event the caller has seen of this label; 0: it has none. Null: whatever it is. */
  readonly expectedSequence: number | null;
}

/** Where label events are kept. Implementations append atomically and number without gaps visible to readers. */
export interface LabelEventStore {
  /**
   * Appends a move and, in one transaction with it, its rollout event. One to where the label already points appends nothing and answers the event in force. Fails with `conflict` when the label
   * has moved since `expectedSequence` (checked first), and with `storage_unavailable`.
   */
  appendMove(move: LabelMove): Promise<LabelEvent>;
  /** Events after `sequence`, oldest first, at most `limit`. */
  eventsAfter(sequence: number, limit: number): Promise<readonly LabelEvent[]>;
  /** Events of one label, newest first, at most `limit`. */
  history(prompt: string, label: string, limit: number): Promise<readonly LabelEvent[]>;
}

/** The labels as this process sees them. */
export interface LabelView {
  /** Null: no such label. `label` without the `@`. */
  find(prompt: string, label: string): LabelEvent | null;
  /** Names of a prompt's labels, without the `@`. */
  names(prompt: string): readonly string[];
  /** Labels of a prompt that point to the experiment, or are being moved there at this moment. */
  leadingTo(prompt: string, experiment: string): readonly string[];
}
