import type { Clock } from '../../kernel/index.ts';

/** Constants, because an abort without a reason makes a DOMException with a stack each time. */
const CALLER_LEFT = 'caller left';
const DEADLINE_PASSED = 'deadline passed';
const ENDED = 'ended';

/** One deadline and one abort signal for all tries of a call. */
export class CallScope {
  readonly startedMs: number;
  readonly deadlineMs: number;
  readonly #controller = new AbortController();
  readonly #callerSignal: AbortSignal;
  readonly #onCallerAbort = (): void => this.#controller.abort(CALLER_LEFT);

  constructor(callerSignal: AbortSignal, totalMs: number, clock: Clock) {
    this.startedMs = clock.monotonicMs();
    this.deadlineMs = this.startedMs + totalMs;
    this.#callerSignal = callerSignal;
    if (callerSignal.aborted) {
      this.#onCallerAbort();
      return;
    }
    callerSignal.addEventListener('abort', this.#onCallerAbort, { once: true });
    const { signal } = this.#controller;
    void clock.sleep(totalMs, signal).then(() => {
      if (!signal.aborted) this.#controller.abort(DEADLINE_PASSED);
    });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get callerLeft(): boolean {
    return this.#controller.signal.reason === CALLER_LEFT;
  }

  get deadlinePassed(): boolean {
    return this.#controller.signal.reason === DEADLINE_PASSED;
  }

  /** Cancels the deadline and whatever is left of a try. */
  end(): void {
    this.#callerSignal.removeEventListener('abort', this.#onCallerAbort);
    if (!this.#controller.signal.aborted) this.#controller.abort(ENDED);
  }
}
