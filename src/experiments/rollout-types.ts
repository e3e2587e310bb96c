/**
 * What a gate found. `none` no gate is configured here · `exempt` it was live before, or nothing was · `held` every
 * condition holds · `overridden` somebody let it pass with a reason · `closed`.
 */
export type GateState = 'none' | 'exempt' | 'held' | 'overridden' | 'closed';

export interface GateCondition {
  /** Key of the gate's configuration. */
  readonly condition: string;
  readonly required: number;
  /** Null: the shadow runs do not say. */
  readonly actual: number | null;
  readonly holds: boolean;
}

/** One version, or one definition of a policy, that the gate looked at. */
export interface GateTarget {
  readonly promptVersion: string | null;
  /** `sha256:…` of the policy's definition; null for a version. */
  readonly definition: string | null;
  /** `unread`: the shadow runs could not be read, and an override did not need them. */
  readonly state: 'exempt' | 'held' | 'closed' | 'unread';
  readonly conditions: readonly GateCondition[];
}

export interface GateFinding {
  readonly state: GateState;
  readonly overrideReason: string | null;
  readonly targets: readonly GateTarget[];
}

export const NO_GATE: GateFinding = { state: 'none', overrideReason: null, targets: [] };

/** A version that a label leads users to. */
export interface LiveVersion {
  readonly prompt: string;
  /** Without the `@`. */
  readonly label: string;
  readonly version: string;
  /** Content hash: a changed text under an old name was never live. */
  readonly hash: string;
}

export type RolloutSubject = 'label' | 'experiment' | 'policy';

/**
 * `allowed` no gate, or one that holds · `exempt`, `overridden`, `refused` by a gate · `stopped`, `resumed` an experiment
 * back to its baseline, and on · `alarmed` its units do not arrive as the propensities say.
 */
export type RolloutDecision =
  | 'allowed'
  | 'exempt'
  | 'overridden'
  | 'refused'
  | 'stopped'
  | 'resumed'
  | 'alarmed';

/** Something about to reach users, or taken back: never changed afterwards. */
export interface RolloutEvent {
  /** Order of all events, ascending. */
  readonly sequence: number;
  readonly id: string;
  readonly createdAtMs: number;
  readonly subjectKind: RolloutSubject;
  /** `tip@live`, or the name of an experiment or a policy. */
  readonly subject: string;
  /** Null: nothing was before. */
  readonly from: string | null;
  readonly to: string;
  /** Definition that the event is about; null for a label. */
  readonly revision: string | null;
  readonly decision: RolloutDecision;
  readonly reason: string;
  /** API key id; `config`: the configuration; `gateway`: a guardrail or an alarm. */
  readonly actor: string;
  readonly gate: GateFinding;
  /** Versions that became live with it. */
  readonly live: readonly LiveVersion[];
  /** Numbers behind a stop or an alarm, and what a resumption waives. */
  readonly facts: Readonly<Record<string, unknown>> | null;
}

export type NewRolloutEvent = Omit<RolloutEvent, 'sequence'>;

export interface RolloutPageQuery {
  /** Null: of every subject. */
  readonly subject: string | null;
  readonly subjectKind: RolloutSubject | null;
  /** Only events before this one; null: from the newest on. */
  readonly beforeSequence: number | null;
  readonly limit: number;
}

/** Where rollout events are kept: append-only. */
export interface RolloutEventStore {
  /**
   * Appends an event. A refusal, an alarm or a definition that says what the newest event of its subject says already
   * appends nothing and answers that one. Fails with `storage_unavailable`.
   */
  appendRollout(event: NewRolloutEvent): Promise<RolloutEvent>;
  /** Events after `sequence`, oldest first, at most `limit`. */
  rolloutsAfter(sequence: number, limit: number): Promise<readonly RolloutEvent[]>;
  /** Newest first. */
  rolloutPage(query: RolloutPageQuery): Promise<readonly RolloutEvent[]>;
}

/** What shadow runs say, by version or by definition of a policy. */
export interface GateEvidence {
  /** Fails with `storage_unavailable`. */
  totals(query: {
    /** Null: shadow runs of scores. */
    readonly prompt: string | null;
    readonly version: string | null;
    readonly policyDefinition?: string;
    readonly sinceMs: number;
  }): Promise<GateTotals>;
}

export interface GateTotals {
  readonly runs: number;
  readonly errors: number;
  readonly liveErrors: number;
  readonly schemaFailures: number;
  readonly latencyRatio: number | null;
  readonly costRatio: number | null;
}
