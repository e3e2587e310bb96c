import type { Clock } from '../../kernel/index.ts';

/** A constant, because an abort without a reason makes a DOMException with a stack each time. */
const IDLE = 'idle';

interface Deadline {
  readonly dueMs: number;
  readonly expire: () => void;
}

/**
 * The deadlines of all running calls of a route. They are equally long, so they fall due in the order in which they
 * began: one timer, for the oldest, does for all of them.
 */
export class Deadlines {
  readonly #totalMs: number;
  readonly #clock: Clock;
  readonly #running = new Set<Deadline>();
  #idle = new AbortController();
  #isWatching = false;

  constructor(totalMs: number, clock: Clock) {
    this.#totalMs = totalMs;
    this.#clock = clock;
  }

  /** Calls `expire` when the time has passed, unless the returned function is called before. */
  begin(startedMs: number, expire: () => void): () => void {
    const deadline = { dueMs: startedMs + this.#totalMs, expire };
    this.#running.add(deadline);
    if (!this.#isWatching) void this.#watch();
    return () => {
      // The last one out stops the timer, so that an idle route holds none.
      if (this.#running.delete(deadline) && this.#running.size === 0) this.#idle.abort(IDLE);
    };
  }

  async #watch(): Promise<void> {
    this.#isWatching = true;
    for (let [oldest] = this.#running; oldest !== undefined; [oldest] = this.#running) {
      if (this.#idle.signal.aborted) this.#idle = new AbortController();
      const waitMs = oldest.dueMs - this.#clock.monotonicMs();
      if (waitMs > 0) {
        await this.#clock.sleep(waitMs, this.#idle.signal);
        continue;
      }
      this.#running.delete(oldest);
      oldest.expire();
    }
    this.#isWatching = false;
  }
}
