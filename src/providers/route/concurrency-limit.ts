/** Places for calls at once, and a bounded queue of calls that wait for one, first come first served. */
export class ConcurrencyLimit {
  readonly #maxConcurrency: number;
  readonly #maxQueue: number;
  // A Set keeps the order of arrival and drops a waiter that left in constant time.
  readonly #waiting = new Set<() => void>();
  #inFlight = 0;

  constructor(maxConcurrency: number, maxQueue: number) {
    this.#maxConcurrency = maxConcurrency;
    this.#maxQueue = maxQueue;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get queued(): number {
    return this.#waiting.size;
  }

  /** Takes a free place without waiting. */
  tryEnter(): boolean {
    if (this.#inFlight >= this.#maxConcurrency) return false;
    this.#inFlight += 1;
    return true;
  }

  /** Waits for a place until `signal` aborts. Every `entered` is followed by one {@link leave}. */
  enter(signal: AbortSignal): Promise<'entered' | 'full' | 'aborted'> {
    if (signal.aborted) return Promise.resolve('aborted');
    if (this.tryEnter()) return Promise.resolve('entered');
    if (this.#waiting.size >= this.#maxQueue) return Promise.resolve('full');
    return new Promise((resolve) => {
      const admit = (): void => {
        signal.removeEventListener('abort', abort);
        resolve('entered');
      };
      const abort = (): void => {
        this.#waiting.delete(admit);
        resolve('aborted');
      };
      this.#waiting.add(admit);
      signal.addEventListener('abort', abort, { once: true });
    });
  }

  leave(): void {
    for (const admit of this.#waiting) {
      // The place changes hands: the count stays.
      this.#waiting.delete(admit);
      admit();
      return;
    }
    this.#inFlight -= 1;
  }
}
