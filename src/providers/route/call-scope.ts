import type { Deadlines } from './deadlines.ts';

/** Constants, because an abort without a reason makes a DOMException with a stack each time. */
const CALLER_LEFT = 'caller left';
const DEADLINE_PASSED = 'deadline passed';
const ENDED = 'ended';

/** One deadline and one abort signal for all tries of a call. */
export class CallScope {
  readonly startedMs: number;
  readonly #controller = new AbortController();
  readonly #callerSignal: AbortSignal;
  #isAnswered = false;
  #stopDeadline: (() => void) | null = null;
  readonly #onCallerAbort = (): void => this.#controller.abort(CALLER_LEFT);

  constructor(callerSignal: AbortSignal, startedMs: number, deadlines: Deadlines) {
    this.startedMs = startedMs;
    this.#callerSignal = callerSignal;
    if (callerSignal.aborted) {
      this.#onCallerAbort();
      return;
    }
    callerSignal.addEventListener('abort', this.#onCallerAbort, { once: true });
    this.#stopDeadline = deadlines.begin(startedMs, () => this.#controller.abort(DEADLINE_PASSED));
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

  /** An answer is there, whole: nothing is left to cancel but the deadline. */
  answered(): void {
    this.#isAnswered = true;
  }

  /** Cancels the deadline and whatever is left of a try. */
  end(): void {
    this.#callerSignal.removeEventListener('abort', this.#onCallerAbort);
    this.#stopDeadline?.();
    if (!this.#isAnswered && !this.#controller.signal.aborted) this.#controller.abort(ENDED);
  }
}
