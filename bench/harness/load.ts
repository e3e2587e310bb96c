/** The requests of one measurement: the bodies in their order, from the first again once all are sent. */
export interface RequestSet {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON on one line each. */
  readonly bodies: readonly string[];
  /** Every request gets an `Idempotency-Key` of its own. */
  readonly isKeyed?: boolean;
  /** A body sent twice would be another measurement: a load that runs out of them fails. */
  readonly isOnce?: boolean;
}

export interface Load {
  readonly url: string;
  readonly requests: RequestSet;
  /** Each sends its next request as soon as it has the answer to the last. */
  readonly connections: number;
  readonly seconds: number;
}

/** What the caller saw. Times are from the last byte sent to the last byte received. */
export interface LoadResult {
  /** Answers of status 2xx, and for streams with every event. */
  readonly answered: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Until the first event with text; null where the answer came whole. */
  readonly firstTokenP50Ms: number | null;
  readonly firstTokenP99Ms: number | null;
  /** Other statuses, broken connections, timeouts, incomplete streams. */
  readonly errors: number;
  /** The first error, in words. */
  readonly firstError: string | null;
  /** What the load itself cost. */
  readonly generatorCpuUs: number;
}
