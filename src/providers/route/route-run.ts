import type { AppError, ModelParameters } from '../../kernel/index.ts';
import type { ModelRequest } from '../language-model.ts';
import { ProviderFailure } from '../provider-failure.ts';
import type { AttemptRecord, RouteCall } from '../route-types.ts';
import { backoffMs } from './backoff.ts';
import { CallScope } from './call-scope.ts';
import type { Admission } from './circuit-breaker.ts';
import type { Deadlines } from './deadlines.ts';
import { isFinal, refusalOf } from './refusal.ts';
import type { RouteParts } from './route-parts.ts';
import type { RouteTarget } from './target.ts';

/** One upstream call that may be made now. */
export interface Try {
  readonly target: RouteTarget;
  readonly request: ModelRequest;
  readonly admission: Admission;
  readonly startedMs: number;
}

/**
 * The bookkeeping of one route call: which target is next, how long to wait, what happened so far. `generate` and
 * `stream` differ only in what they do with a try.
 */
export class RouteRun {
  readonly scope: CallScope;
  readonly attempts: AttemptRecord[] = [];
  readonly #parts: RouteParts;
  readonly #call: RouteCall;
  readonly #order: readonly RouteTarget[];
  readonly #failures: { readonly provider: string; readonly failure: ProviderFailure }[] = [];
  readonly #overloaded: string[] = [];
  #circuitWaitMs: number | null = null;
  /** Index into the order; past its end there is nothing left to try. */
  #position = 0;
  #triesHere = 0;
  #upstreamCalls = 0;
  #waitMs = 0;

  constructor(parts: RouteParts, deadlines: Deadlines, call: RouteCall, signal: AbortSignal) {
    this.#parts = parts;
    this.#call = call;
    this.#order = parts.order.draw(parts.random);
    this.scope = new CallScope(signal, parts.clock.monotonicMs(), deadlines);
  }

  /** Milliseconds since the call began. */
  get elapsedMs(): number {
    return this.#parts.clock.monotonicMs() - this.scope.startedMs;
  }

  /** True when something stood before the target that answered. */
  fellBackTo(target: RouteTarget): boolean {
    return this.#order[0] !== target;
  }

  /** The next try, admitted and with a place taken; null when nothing is left. Each is ended by one settle method. */
  async nextTry(): Promise<Try | null> {
    for (;;) {
      const target = this.#order[this.#position];
      if (target === undefined || this.scope.callerLeft) return null;
      if (target.isOffline) {
        this.#nextTarget();
        // Authored lines cost nothing and take no time: they are served past every limit, the deadline included.
        if (this.#call.fallbackLines.length > 0) return this.#tryOf(target, 'ordinary');
        continue;
      }
      const maySpend = this.#upstreamCalls < this.#parts.retries.maxAttempts && !this.scope.signal.aborted;
      if (!maySpend) {
        this.#nextTarget();
        continue;
      }
      if (this.#waitMs > 0) {
        await this.#parts.clock.sleep(this.#waitMs, this.scope.signal);
        this.#waitMs = 0;
        continue;
      }
      const admission = await this.#admit(target);
      if (admission === null) {
        this.#nextTarget();
        continue;
      }
      this.#upstreamCalls += 1;
      this.#triesHere += 1;
      return this.#tryOf(target, admission);
    }
  }

  /** The try brought an answer. */
  succeeded({ target, admission, startedMs, request }: Try): void {
    if (target.isOffline) return;
    const nowMs = this.#parts.clock.monotonicMs();
    target.limit.leave();
    target.succeeded(admission, nowMs);
    this.attempts.push(this.#record(target, request.model, { startedMs, nowMs, failure: null }));
  }

  /** The try failed: decides what comes next. */
  failed(attempt: Try, failure: ProviderFailure): void {
    const { target, admission, startedMs, request } = attempt;
    if (target.isOffline) return;
    const nowMs = this.#parts.clock.monotonicMs();
    target.limit.leave();
    target.failed(failure, admission, {
      nowMs,
      route: this.#parts.name,
      modelBy: this.#modelBy(),
      logger: this.#parts.logger,
    });
    this.attempts.push(this.#record(target, request.model, { startedMs, nowMs, failure }));
    this.#failures.push({ provider: target.provider, failure });
    this.#plan(target, failure, nowMs);
  }

  /** The reader of a stream left between two events: nobody failed. */
  abandoned({ target, admission }: Try): void {
    if (target.isOffline) return;
    target.limit.leave();
    target.breaker.withdraw(admission);
  }

  refusal(): AppError {
    return refusalOf({
      route: this.#parts.name,
      failures: this.#failures,
      overloaded: this.#overloaded,
      circuitWaitMs: this.#circuitWaitMs,
      deadlinePassed: this.scope.deadlinePassed,
      totalMs: this.#parts.timeout.totalMs,
      notConfigured: this.#parts.notConfigured,
    });
  }

  #plan(target: RouteTarget, failure: ProviderFailure, nowMs: number): void {
    const { failureClass } = failure;
    if (isFinal(failureClass) || this.scope.callerLeft) {
      this.#position = this.#order.length;
      return;
    }
    const isRepeatable =
      failureClass === 'rate_limit' ||
      failureClass === 'server' ||
      failureClass === 'timeout' ||
      failureClass === 'connection';
    if (!isRepeatable || this.#triesHere >= this.#parts.retries.attemptsPerTarget) {
      this.#nextTarget();
      return;
    }
    const waitMs = backoffMs(this.#triesHere, failure.retryAfterMs, this.#parts.retries, this.#parts.random);
    if (
      waitMs === null ||
      nowMs + waitMs >= this.scope.startedMs + this.#parts.timeout.totalMs ||
      target.breaker.waitMs(nowMs) > waitMs
    ) {
      this.#nextTarget();
      return;
    }
    this.#waitMs = waitMs;
  }

  async #admit(target: RouteTarget): Promise<Admission | null> {
    const { clock } = this.#parts;
    // Asked before the queue too: nobody should wait for a place at a target that is cut off.
    if (target.breaker.refuses(clock.monotonicMs())) return this.#skipOpen(target);
    if (!target.limit.tryEnter()) {
      const entered = await target.limit.enter(this.scope.signal);
      if (entered !== 'entered') {
        this.#overloaded.push(target.provider);
        this.attempts.push(this.#skipped(target, 'skipped_queue_full'));
        return null;
      }
    }
    const admission = target.breaker.admit(clock.monotonicMs());
    if (admission !== null) return admission;
    target.limit.leave();
    return this.#skipOpen(target);
  }

  #skipOpen(target: RouteTarget): null {
    const waitMs = target.breaker.waitMs(this.#parts.clock.monotonicMs());
    this.#circuitWaitMs = Math.min(this.#circuitWaitMs ?? Number.POSITIVE_INFINITY, waitMs);
    this.attempts.push(this.#skipped(target, 'skipped_open_circuit'));
    const { openedBy } = target;
    if (openedBy !== null) {
      // Without the old Retry-After, which counted from another moment.
      const { failureClass, message, status } = openedBy;
      this.#failures.push({
        provider: target.provider,
        failure: new ProviderFailure(failureClass, message, {
          retryAfterMs: Math.ceil(waitMs),
          ...(status === undefined ? {} : { status }),
        }),
      });
    }
    return null;
  }

  #nextTarget(): void {
    this.#position += 1;
    this.#triesHere = 0;
    this.#waitMs = 0;
  }

  #modelBy(): 'caller' | 'prompt' | 'route' {
    if (this.#call.modelByCaller) return 'caller';
    return this.#call.modelOverride === null ? 'route' : 'prompt';
  }

  #tryOf(target: RouteTarget, admission: Admission): Try {
    const call = this.#call;
    const model = target.isOffline ? target.model : (call.modelOverride ?? target.model);
    const parameters = withDefaults(call.parameters, target.parameters);
    return {
      target,
      admission,
      request: { ...call, model, parameters },
      startedMs: this.#parts.clock.monotonicMs(),
    };
  }

  #record(
    target: RouteTarget,
    model: string,
    of: { readonly startedMs: number; readonly nowMs: number; readonly failure: ProviderFailure | null },
  ): AttemptRecord {
    return {
      provider: target.provider,
      model,
      startedMs: Math.round(of.startedMs - this.scope.startedMs),
      durationMs: Math.round(of.nowMs - of.startedMs),
      outcome: of.failure?.failureClass ?? 'ok',
      status: of.failure?.status ?? null,
      error: of.failure?.message.slice(0, 300) ?? null,
    };
  }

  #skipped(target: RouteTarget, outcome: 'skipped_open_circuit' | 'skipped_queue_full'): AttemptRecord {
    return {
      provider: target.provider,
      model: this.#call.modelOverride ?? target.model,
      startedMs: Math.round(this.elapsedMs),
      durationMs: 0,
      outcome,
      status: null,
      error: null,
    };
  }
}

function withDefaults(own: ModelParameters, defaults: ModelParameters): ModelParameters {
  for (const _ in defaults) return { ...defaults, ...own };
  return own;
}
