import type { ModelResult } from '../language-model.ts';
import type { ProviderFailure } from '../provider-failure.ts';
import type {
  Route,
  RouteAnswer,
  RouteCall,
  RouteOutcome,
  RouteRefusal,
  RouteStreamEvent,
} from '../route-types.ts';
import { Deadlines } from './deadlines.ts';
import { brokenStream, clientClosed } from './refusal.ts';
import type { RouteParts } from './route-parts.ts';
import { RouteRun, type Try } from './route-run.ts';
import { failureOfTry, StreamTry } from './stream-try.ts';

/**
 * A named list of targets behind one deadline: retries with backoff, fallbacks in order, circuit breakers and bounded
 * queues. The only layer that repeats anything.
 */
export class TargetRoute implements Route {
  readonly name: string;
  readonly targets: Route['targets'];
  readonly #parts: RouteParts;
  readonly #deadlines: Deadlines;

  constructor(parts: RouteParts) {
    this.#parts = parts;
    this.#deadlines = new Deadlines(parts.timeout.totalMs, parts.clock);
    this.name = parts.name;
    this.targets = parts.targets.map(({ provider, model, weight, order }) => ({
      provider,
      model,
      weight,
      order,
    }));
  }

  async generate(call: RouteCall, signal: AbortSignal): Promise<RouteOutcome> {
    const run = new RouteRun(this.#parts, this.#deadlines, call, signal);
    try {
      for (;;) {
        const attempt = await run.nextTry();
        if (attempt === null) return this.#refused(run);
        const { languageModel, isOffline } = attempt.target;
        let result: ModelResult;
        try {
          // Authored lines come even when the deadline has passed, so they get the caller's signal.
          result = await languageModel.generate(attempt.request, isOffline ? signal : run.scope.signal);
        } catch (thrown) {
          run.failed(attempt, failureOfTry(thrown, run.scope, this.#parts.timeout, null));
          continue;
        }
        run.succeeded(attempt);
        run.scope.answered();
        return this.#answered(run, attempt, result, null);
      }
    } finally {
      run.scope.end();
    }
  }

  async *stream(call: RouteCall, signal: AbortSignal): AsyncGenerator<RouteStreamEvent, void, undefined> {
    const run = new RouteRun(this.#parts, this.#deadlines, call, signal);
    try {
      for (;;) {
        const attempt = await run.nextTry();
        if (attempt === null) {
          yield { kind: 'outcome', outcome: this.#refused(run) };
          return;
        }
        const tried = new StreamTry(run, attempt, {
          limitSignal: attempt.target.isOffline ? signal : run.scope.signal,
          timeout: this.#parts.timeout,
          clock: this.#parts.clock,
        });
        let outcome: RouteOutcome | null = null;
        try {
          // Not delegated with yield*: that costs several turns of the event loop's queue per token.
          for (;;) {
            const event = await tried.next();
            if (event === null) break;
            yield event;
          }
          outcome = this.#outcomeOf(run, tried);
        } finally {
          await tried.end();
        }
        if (outcome !== null) {
          yield { kind: 'outcome', outcome };
          return;
        }
      }
    } finally {
      run.scope.end();
    }
  }

  /** How a try ended. Null when it failed before its first content, so that another one may follow. */
  #outcomeOf(run: RouteRun, tried: StreamTry): RouteOutcome | null {
    if (tried.result !== null) return this.#answered(run, tried.attempt, tried.result, tried.firstTokenMs);
    const { failure, firstTokenMs } = tried;
    if (failure === null || firstTokenMs === null) return null;
    return this.#broken(run, tried, failure, firstTokenMs);
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
      parameters: request.parameters,
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

  #refused(run: RouteRun): RouteRefusal {
    return {
      kind: 'failed',
      error: run.scope.callerLeft ? clientClosed() : run.refusal(),
      attempts: run.attempts,
      providerMs: run.elapsedMs,
      partial: null,
    };
  }

  #broken(run: RouteRun, tried: StreamTry, failure: ProviderFailure, firstTokenMs: number): RouteRefusal {
    const { target, request } = tried.attempt;
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
        text: failure.partial?.text ?? tried.sentText,
        usage: failure.partial?.usage ?? null,
        provider: target.provider,
        model: request.model,
        firstTokenMs,
      },
    };
  }
}

/**
 * Names to look up a price by: the model that answered, and the one asked for where the answer names a dated build of
 * it. A proxy may have answered with something else altogether.
 */
function pricedNames(requested: string, answered: string): readonly string[] {
  return answered.startsWith(requested) ? [answered, requested] : [answered];
}
