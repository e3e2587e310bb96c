import type { ModelResult, ModelStreamEvent } from '../language-model.ts';
import { ProviderFailure } from '../provider-failure.ts';
import type {
  Route,
  RouteAnswer,
  RouteCall,
  RouteOutcome,
  RouteRefusal,
  RouteStreamEvent,
} from '../route-types.ts';
import { brokenStream, clientClosed } from './refusal.ts';
import type { RouteParts } from './route-parts.ts';
import { RouteRun, type Try } from './route-run.ts';
import { StreamWatch } from './stream-watch.ts';

/**
 * A named list of targets behind one deadline: retries with backoff, fallbacks in order, circuit breakers and bounded
 * queues. The only layer that repeats anything.
 */
export class TargetRoute implements Route {
  readonly name: string;
  readonly targets: Route['targets'];
  readonly #parts: RouteParts;

  constructor(parts: RouteParts) {
    this.#parts = parts;
    this.name = parts.name;
    this.targets = [...parts.targets]
      .sort((a, b) => a.order - b.order)
      .map(({ provider, model, weight, order }) => ({ provider, model, weight, order }));
  }

  async generate(call: RouteCall, signal: AbortSignal): Promise<RouteOutcome> {
    const run = new RouteRun(this.#parts, call, signal);
    try {
      for (;;) {
        const attempt = await run.nextTry();
        if (attempt === null) return this.#refused(run, null);
        const { languageModel, isOffline } = attempt.target;
        let result: ModelResult;
        try {
          // Authored lines come even when the deadline has passed, so they get the caller's signal.
          result = await languageModel.generate(attempt.request, isOffline ? signal : run.scope.signal);
        } catch (thrown) {
          run.failed(attempt, this.#failureOf(thrown, run, null));
          continue;
        }
        run.succeeded(attempt);
        return this.#answered(run, attempt, result, null);
      }
    } finally {
      run.scope.end();
    }
  }

  async *stream(call: RouteCall, signal: AbortSignal): AsyncGenerator<RouteStreamEvent, void, undefined> {
    const run = new RouteRun(this.#parts, call, signal);
    try {
      for (;;) {
        const attempt = await run.nextTry();
        if (attempt === null) {
          yield { kind: 'outcome', outcome: this.#refused(run, null) };
          return;
        }
        const outcome = yield* this.#streamTry(run, attempt, signal);
        if (outcome !== null) {
          yield { kind: 'outcome', outcome };
          return;
        }
      }
    } finally {
      run.scope.end();
    }
  }

  /** One try of a stream. Null when it failed before its first content, so that another one may follow. */
  async *#streamTry(
    run: RouteRun,
    attempt: Try,
    callerSignal: AbortSignal,
  ): AsyncGenerator<RouteStreamEvent, RouteOutcome | null, undefined> {
    const { target, request } = attempt;
    const limit = target.isOffline ? callerSignal : run.scope.signal;
    const watch = new StreamWatch(limit, this.#parts.timeout, this.#parts.clock);
    const events = target.languageModel.stream(request, watch.signal)[Symbol.asyncIterator]();
    let isSettled = false;
    let sentText = '';
    let firstTokenMs: number | null = null;
    try {
      for (;;) {
        let event: ModelStreamEvent;
        try {
          const next = await events.next();
          if (next.done === true)
            throw new ProviderFailure('connection', 'the stream ended without a result');
          event = next.value;
        } catch (thrown) {
          const failure = this.#failureOf(thrown, run, watch);
          isSettled = true;
          run.failed(attempt, failure);
          if (firstTokenMs === null) return null;
          return this.#broken(run, attempt, failure, { sentText, firstTokenMs });
        }
        if (event.kind === 'done') {
          isSettled = true;
          run.succeeded(attempt);
          return this.#answered(run, attempt, event.result, firstTokenMs);
        }
        firstTokenMs ??= run.elapsedMs;
        if (event.kind === 'text') sentText += event.text;
        watch.pause();
        yield event;
        watch.resume();
      }
    } finally {
      if (!isSettled) run.abandoned(attempt);
      watch.end();
      await events.return?.(undefined);
    }
  }

  #answered(run: RouteRun, attempt: Try, result: ModelResult, firstTokenMs: number | null): RouteAnswer {
    const { target, request } = attempt;
    const stated = result.upstreamCostNanoUsd;
    const listed =
      stated === null && !target.isOffline
        ? this.#parts.priceOf(pricedNames(request.model, result.model), result.usage)
        : null;
    return {
      kind: 'answered',
      result,
      provider: target.provider,
      modelRequested: request.model,
      attempts: run.attempts,
      fellBack: run.fellBackTo(target),
      degraded: target.isOffline,
      providerMs: run.elapsedMs,
      firstTokenMs,
      costNanoUsd: stated ?? listed,
      costSource: stated !== null ? 'upstream' : listed !== null ? 'price_table' : null,
      priceTableVersion: listed === null ? null : this.#parts.priceTableVersion,
    };
  }

  #refused(run: RouteRun, partial: RouteRefusal['partial']): RouteRefusal {
    return {
      kind: 'failed',
      error: run.scope.callerLeft ? clientClosed() : run.refusal(),
      attempts: run.attempts,
      providerMs: run.elapsedMs,
      partial,
    };
  }

  #broken(
    run: RouteRun,
    attempt: Try,
    failure: ProviderFailure,
    sent: { readonly sentText: string; readonly firstTokenMs: number },
  ): RouteRefusal {
    const { target, request } = attempt;
    const error = run.scope.callerLeft
      ? clientClosed(failure)
      : brokenStream(target.provider, failure, {
          route: this.name,
          deadlinePassed: run.scope.deadlinePassed,
          totalMs: this.#parts.timeout.totalMs,
        });
    return {
      kind: 'failed',
      error,
      attempts: run.attempts,
      providerMs: run.elapsedMs,
      partial: {
        text: failure.partial?.text ?? sent.sentText,
        usage: failure.partial?.usage ?? null,
        provider: target.provider,
        model: request.model,
        firstTokenMs: sent.firstTokenMs,
      },
    };
  }

  /** An abort of our own making is a timeout; anything an adapter let through is its fault, not the caller's. */
  #failureOf(thrown: unknown, run: RouteRun, watch: StreamWatch | null): ProviderFailure {
    const failure =
      thrown instanceof ProviderFailure
        ? thrown
        : new ProviderFailure('bad_response', 'the adapter failed', { cause: thrown });
    if (failure.failureClass !== 'aborted' || run.scope.callerLeft) return failure;
    const { totalMs, firstTokenMs, idleMs } = this.#parts.timeout;
    const reason =
      watch?.expired === 'first_token'
        ? `no content within ${firstTokenMs} ms`
        : watch?.expired === 'idle'
          ? `no event for ${idleMs} ms`
          : `no answer within ${totalMs} ms for all tries`;
    return new ProviderFailure('timeout', reason, {
      cause: failure,
      ...(failure.partial === undefined ? {} : { partial: failure.partial }),
    });
  }
}

/**
 * Names to look up a price by: the model that answered, and the one asked for where the answer names a dated build of
 * it. A proxy may have answered with something else altogether.
 */
function pricedNames(requested: string, answered: string): readonly string[] {
  return answered.startsWith(requested) ? [answered, requested] : [answered];
}
