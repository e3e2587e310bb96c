import type { GenerationRecord, GenerationStatus } from './records.ts';

/** Which calls a list holds; null: whichever. */
export interface GenerationListQuery {
  readonly prompt: string | null;
  readonly promptVersion: string | null;
  readonly status: GenerationStatus | null;
  readonly experiment: string | null;
  readonly arm: string | null;
  readonly label: string | null;
  readonly externalId: string | null;
  /** Keyed hash of the unit. */
  readonly unitKey: string | null;
  /** The id of a call or how it begins, or an external id whole. */
  readonly search: string | null;
  /** Epoch milliseconds, `toMs` excluded. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
  readonly limit: number;
  /** Only calls after this place of the list; null: from the newest on. */
  readonly after: GenerationPlace | null;
}

/** Where a call stands in a list: lists go by time, then by insertion, newest first. */
export interface GenerationPlace {
  readonly createdAtMs: number;
  readonly sequence: number;
}

export interface GenerationSummary
  extends Pick<
    GenerationRecord,
    | 'id'
    | 'createdAtMs'
    | 'surface'
    | 'externalId'
    | 'prompt'
    | 'promptVersion'
    | 'promptHash'
    | 'versionSource'
    | 'label'
    | 'experiment'
    | 'arm'
    | 'status'
    | 'errorCode'
    | 'route'
    | 'provider'
    | 'model'
    | 'forced'
    | 'degraded'
    | 'fellBack'
    | 'test'
    | 'replay'
    | 'shadowOf'
    | 'streamed'
    | 'inputTokens'
    | 'outputTokens'
    | 'costNanoUsd'
  > {
  /** Tries at upstreams, passed-over targets among them. */
  readonly attempts: number;
  readonly totalMs: number;
  /** Begin of the answer. */
  readonly textStart: string | null;
  /** Of the outcomes that count, by metric. */
  readonly rewards: readonly { readonly metric: string; readonly reward: number }[];
}

export interface GenerationPage {
  readonly generations: readonly GenerationSummary[];
  /**
   * Where the next page begins; null: there is none. A page ends early, or empty, when too many calls had to be looked at
   * that do not belong to the list.
   */
  readonly next: GenerationPlace | null;
}
