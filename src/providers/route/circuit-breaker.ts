export interface CircuitBreakerOptions {
  /** Share of failures, 0 to 1, that opens the circuit. */
  readonly failureShare: number;
  readonly minimumCalls: number;
  readonly windowMs: number;
  readonly openMs: number;
}

/** What a call was let in as: results of calls from before the circuit opened must not close it again. */
export type Admission = 'ordinary' | 'probe';

const SLICES = 10;

/**
 * Circuit breaker of one target over a sliding window, kept in {@link SLICES} slices. Written by hand for the hot path:
 * a call costs a few integer operations and allocates nothing, where a policy library costs closures and events.
 *
 * All times are monotonic milliseconds, given by the caller.
 */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  readonly #sliceMs: number;
  readonly #calls = new Int32Array(SLICES);
  readonly #failures = new Int32Array(SLICES);
  #sliceNumber = 0;
  /** Null while closed. */
  #openUntilMs: number | null = null;
  #probing = false;

  constructor(options: CircuitBreakerOptions) {
    this.#options = options;
    this.#sliceMs = options.windowMs / SLICES;
  }

  state(nowMs: number): 'closed' | 'half_open' | 'open' {
    if (this.#openUntilMs === null) return 'closed';
    return nowMs < this.#openUntilMs ? 'open' : 'half_open';
  }

  /** Null when the call must not be made. Every admission is ended by one of the three methods below. */
  admit(nowMs: number): Admission | null {
    if (this.#openUntilMs === null) return 'ordinary';
    if (nowMs < this.#openUntilMs || this.#probing) return null;
    this.#probing = true;
    return 'probe';
  }

  /** True when {@link admit} would refuse. */
  refuses(nowMs: number): boolean {
    return this.#openUntilMs !== null && (nowMs < this.#openUntilMs || this.#probing);
  }

  succeed(admission: Admission, nowMs: number): void {
    if (admission === 'probe') {
      this.#close();
      return;
    }
    if (this.#openUntilMs === null) this.#count(nowMs, 0);
  }

  /** Returns true when this failure opened the circuit. */
  fail(admission: Admission, nowMs: number): boolean {
    if (admission === 'probe') {
      this.#open(nowMs);
      return true;
    }
    if (this.#openUntilMs !== null) return false;
    this.#count(nowMs, 1);
    let calls = 0;
    let failures = 0;
    for (let slice = 0; slice < SLICES; slice += 1) {
      calls += this.#calls[slice] ?? 0;
      failures += this.#failures[slice] ?? 0;
    }
    if (calls < this.#options.minimumCalls || failures < calls * this.#options.failureShare) return false;
    this.#open(nowMs);
    return true;
  }

  /** The call says nothing about the target: the caller left, or there was no place. */
  withdraw(admission: Admission): void {
    if (admission === 'probe') this.#probing = false;
  }

  /** Opens at once, whatever the window holds. */
  trip(nowMs: number): void {
    this.#open(nowMs);
  }

  /** Milliseconds until a probe is let in; 0 when a call may be made. */
  waitMs(nowMs: number): number {
    return this.#openUntilMs === null ? 0 : Math.max(0, this.#openUntilMs - nowMs);
  }

  #open(nowMs: number): void {
    this.#openUntilMs = nowMs + this.#options.openMs;
    this.#probing = false;
  }

  #close(): void {
    this.#openUntilMs = null;
    this.#probing = false;
    this.#calls.fill(0);
    this.#failures.fill(0);
  }

  #count(nowMs: number, failure: 0 | 1): void {
    const number = Math.floor(nowMs / this.#sliceMs);
    const passed = number - this.#sliceNumber;
    if (passed > 0) {
      for (let step = 1; step <= Math.min(passed, SLICES); step += 1) {
        const slice = (this.#sliceNumber + step) % SLICES;
        this.#calls[slice] = 0;
        this.#failures[slice] = 0;
      }
      this.#sliceNumber = number;
    }
    const slice = this.#sliceNumber % SLICES;
    this.#calls[slice] = (this.#calls[slice] ?? 0) + 1;
    this.#failures[slice] = (this.#failures[slice] ?? 0) + failure;
  }
}
