import type { Logger, ModelParameters } from '../../kernel/index.ts';
import type { LanguageModel } from '../language-model.ts';
import type { ProviderFailure } from '../provider-failure.ts';
import { type Admission, CircuitBreaker, type CircuitBreakerOptions } from './circuit-breaker.ts';
import { ConcurrencyLimit } from './concurrency-limit.ts';

export interface RouteTargetOptions {
  readonly languageModel: LanguageModel;
  /** Model by environment or configuration; what `offline` serves is named by its adapter. */
  readonly model: string;
  readonly weight: number;
  readonly order: number;
  /** For what neither request nor prompt set. */
  readonly parameters: ModelParameters;
  readonly maxConcurrency: number;
  readonly maxQueue: number;
  /** Authored lines: no limits, no breaker, not an upstream call. */
  readonly isOffline: boolean;
  readonly breaker: CircuitBreakerOptions;
}

/** One upstream of one route with its own breaker and places. */
export class RouteTarget {
  readonly languageModel: LanguageModel;
  readonly provider: string;
  readonly model: string;
  readonly weight: number;
  readonly order: number;
  readonly parameters: ModelParameters;
  readonly isOffline: boolean;
  readonly breaker: CircuitBreaker;
  readonly limit: ConcurrencyLimit;
  /** The failure that opened the circuit, for the error of a call that found it open. */
  openedBy: ProviderFailure | null = null;

  constructor(options: RouteTargetOptions) {
    this.languageModel = options.languageModel;
    this.provider = options.languageModel.provider;
    this.model = options.model;
    this.weight = options.weight;
    this.order = options.order;
    this.parameters = options.parameters;
    this.isOffline = options.isOffline;
    this.breaker = new CircuitBreaker(options.breaker);
    this.limit = new ConcurrencyLimit(options.maxConcurrency, options.maxQueue);
  }

  succeeded(admission: Admission, nowMs: number): void {
    this.breaker.succeed(admission, nowMs);
    if (this.openedBy !== null && this.breaker.state(nowMs) === 'closed') this.openedBy = null;
  }

  /** Counts a failure, and logs only when it changes something: a dead upstream must not flood the log. */
  failed(
    failure: ProviderFailure,
    admission: Admission,
    context: {
      readonly nowMs: number;
      readonly route: string;
      readonly modelBy: 'caller' | 'prompt' | 'route';
      logger: Logger;
    },
  ): void {
    const { nowMs, logger } = context;
    const fields = {
      event: 'provider_circuit_open',
      route: context.route,
      provider: this.provider,
      model: this.model,
      failure_class: failure.failureClass,
      status: failure.status,
      reason: failure.message,
    };
    switch (failure.failureClass) {
      case 'aborted':
        this.breaker.withdraw(admission);
        return;
      case 'bad_request':
      case 'context_overflow':
      case 'content_filter':
        // The upstream is well: it understood the request and refused it.
        this.succeeded(admission, nowMs);
        return;
      case 'auth': {
        // A key that may not use one model may be good for the others. Some upstreams say so with 401, so what a caller
        // chose never counts: else one caller could shut a route for everybody.
        const isAboutModel =
          context.modelBy === 'caller' || (context.modelBy === 'prompt' && failure.status !== 401);
        if (isAboutModel) {
          this.breaker.withdraw(admission);
          return;
        }
        const isNews = this.openedBy?.failureClass !== 'auth';
        this.breaker.trip(nowMs);
        this.openedBy = failure;
        if (isNews) {
          logger.error(fields, 'a provider refused its credentials: calls skip it until they work');
        }
        return;
      }
      default: {
        const isNews = this.openedBy === null;
        if (!this.breaker.fail(admission, nowMs)) return;
        this.openedBy = failure;
        if (isNews) logger.warn(fields, 'a provider keeps failing: calls skip it for a while');
      }
    }
  }
}
