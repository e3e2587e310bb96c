import type { SequenceDecision, SequenceState } from './sequence-state.ts';

/** One sequence: a metric of an experiment under one definition. */
export interface SequenceKey {
  readonly experiment: string;
  readonly experimentRevision: string;
  readonly metric: string;
}

/** The state after the last decision of an hour. */
export interface SequenceCheckpoint {
  readonly hourMs: number;
  readonly state: SequenceState;
}

export interface SequenceHead {
  /** Decision hours before this have been folded. */
  readonly foldedUntilMs: number;
  /** The folded hours before this hold what the rows say now; equal to `foldedUntilMs` unless a change waits. */
  readonly soundUntilMs: number;
  /** Changes of rewards in hours that had been claimed, since the sequence began. */
  readonly corrections: number;
  /** The newest one; while a change waits it still holds what was known before. */
  readonly checkpoint: SequenceCheckpoint | null;
}

/** Where a page of decisions begins: after this one. */
export interface DecisionPosition {
  readonly createdAtMs: number;
  readonly generationId: string;
}

export interface DecisionPageQuery extends SequenceKey {
  readonly after: DecisionPosition;
  /** Exclusive. */
  readonly untilMs: number;
  readonly limit: number;
}

export interface SequenceCommit extends SequenceKey {
  /** As counted by the claim: when another change has come since, the commit is refused. */
  readonly corrections: number;
  /** The checkpoint folded from; null: from the beginning. Those between it and `untilMs` are replaced. */
  readonly afterHourMs: number | null;
  /** Null: there is no decision between the two. */
  readonly checkpoint: SequenceCheckpoint | null;
  readonly untilMs: number;
}

/** What a report reads of a sequence. */
export interface SequenceReader {
  /** Null: nothing was folded yet. Reads one row, however long the history. */
  sequenceHead(key: SequenceKey): Promise<SequenceHead | null>;
}

/**
 * Keeps sequences. Every method fails with `storage_unavailable`. Used by one leader: two of them would refuse each other's
 * commits at worst.
 */
export interface SequenceStore extends SequenceReader {
  /**
   * From now on every change of a decision hour before `untilMs` is a correction. Returns the corrections so far. Must
   * precede the reading of the rows, so that no change falls between reading and commit.
   */
  claim(key: SequenceKey, untilMs: number): Promise<number>;
  /** The newest checkpoint that the present rows still give; null: begin anew. */
  soundCheckpoint(key: SequenceKey): Promise<SequenceCheckpoint | null>;
  /** In decision order: by time, then id. */
  decisionPage(query: DecisionPageQuery): Promise<readonly SequenceDecision[]>;
  /** False: refused, because a reward has changed since the claim or everything was rebuilt. Nothing is written then. */
  commit(commit: SequenceCommit): Promise<boolean>;
}
