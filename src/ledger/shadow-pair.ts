import type { GenerationRecord, GenerationStatus, ScoreRecord } from './records.ts';

/** One side of a pair. Durations in milliseconds, money in nano-dollars. */
export interface ShadowSide {
  /** Of the generation or score. */
  readonly id: string;
  /** Prompt version, or the definition of the policy that ranked. */
  readonly version: string;
  /** Content hash of the prompt version; of a policy its definition. */
  readonly hash: string;
  readonly route: string | null;
  readonly model: string | null;
  readonly status: GenerationStatus;
  readonly errorCode: string | null;
  /** Authored lines instead of a model's answer. */
  readonly degraded: boolean;
  /** The last answer fits the version's output schema; null: none is asked for, or nothing was answered. */
  readonly schemaOk: boolean | null;
  readonly totalMs: number;
  readonly costNanoUsd: number | null;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
}

/** A live call and the same call on a candidate. */
export interface ShadowPair {
  readonly rule: string;
  /** Hash over what the rule compares; its limits and its share are no part of it. */
  readonly ruleRevision: string;
  /** What the candidate changes of version, route and model, sorted and joined by `+`; or `policy`. */
  readonly changes: string;
  /** Null: a pair of scores. */
  readonly prompt: string | null;
  /** When the shadow call began, epoch milliseconds. */
  readonly createdAtMs: number;
  readonly live: ShadowSide;
  readonly shadow: ShadowSide;
  /** The shadow call reached an upstream that may have charged for it. */
  readonly charged: boolean;
  /** Both policies chose the same candidate; null for generations. */
  readonly agrees: boolean | null;
}

/** The write side of shadow runs: a row and its pair in one transaction. Fails with `storage_unavailable`. */
export interface ShadowLedger {
  appendShadowGeneration(record: GenerationRecord, pair: ShadowPair): Promise<void>;
  /** Null: the candidate could not rank; its failure is in the pair alone. */
  appendShadowScore(record: ScoreRecord | null, pair: ShadowPair): Promise<void>;
}
