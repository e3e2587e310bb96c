import type { Clock } from '../../kernel/index.ts';

export interface StreamLimits {
  readonly firstTokenMs: number;
  readonly idleMs: number;
}

/**
 * Watches one try of a stream: it aborts when the first content is late, or when the upstream falls silent. One waiting
 * loop per try instead of one timer per event.
 */
export class StreamWatch {
  readonly #controller = new AbortController();
  readonly #firstContent = new AbortController();
  readonly #clock: Clock;
  readonly #scopeSignal: AbortSignal;
  readonly #onScopeAbort = (): void => this.#stop('aborted');
  #expired: 'first_token' | 'idle' | null = null;
  #lastEventMs = 0;
  #isPaused = false;

  constructor(scopeSignal: AbortSignal, limits: StreamLimits, clock: Clock) {
    this.#clock = clock;
    this.#scopeSignal = scopeSignal;
    if (scopeSignal.aborted) {
      this.#onScopeAbort();
      return;
    }
    scopeSignal.addEventListener('abort', this.#onScopeAbort, { once: true });
    void this.#watch(limits);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Which limit passed; null when none did. */
  get expired(): 'first_token' | 'idle' | null {
    return this.#expired;
  }

  /** An event arrived and goes to the reader: until {@link resume} the upstream is not the one who is slow. */
  pause(): void {
    this.#isPaused = true;
    if (!this.#firstContent.signal.aborted) this.#firstContent.abort('first content');
  }

  resume(): void {
    this.#isPaused = false;
    this.#lastEventMs = this.#clock.monotonicMs();
  }

  /** Ends the watch and whatever the upstream still does. */
  end(): void {
    this.#scopeSignal.removeEventListener('abort', this.#onScopeAbort);
    this.#stop('ended');
  }

  async #watch(limits: StreamLimits): Promise<void> {
    await this.#clock.sleep(limits.firstTokenMs, this.#firstContent.signal);
    if (this.#controller.signal.aborted) return;
    if (!this.#firstContent.signal.aborted) {
      this.#expire('first_token');
      return;
    }
    this.#lastEventMs = this.#clock.monotonicMs();
    while (!this.#controller.signal.aborted) {
      const silentMs = this.#isPaused ? 0 : this.#clock.monotonicMs() - this.#lastEventMs;
      if (silentMs >= limits.idleMs) {
        this.#expire('idle');
        return;
      }
      await this.#clock.sleep(limits.idleMs - silentMs, this.#controller.signal);
    }
  }

  #expire(limit: 'first_token' | 'idle'): void {
    this.#expired = limit;
    this.#stop(limit);
  }

  #stop(reason: string): void {
    if (!this.#controller.signal.aborted) this.#controller.abort(reason);
    if (!this.#firstContent.signal.aborted) this.#firstContent.abort(reason);
  }
}
