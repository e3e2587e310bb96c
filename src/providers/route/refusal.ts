import { AppError } from '../../kernel/index.ts';
import type { FailureClass, ProviderFailure } from '../provider-failure.ts';

/** Why a call got no answer, in the order things happened. */
export interface Setbacks {
  readonly route: string;
  /** Of upstream calls, and of targets that were skipped because such a failure opened their circuit. */
  readonly failures: readonly { readonly provider: string; readonly failure: ProviderFailure }[];
  /** Providers whose queue was full or whose queue outlasted the deadline. */
  readonly overloaded: readonly string[];
  /** The soonest time at which an open circuit lets a call through; null when none is open. */
  readonly circuitWaitMs: number | null;
  readonly deadlinePassed: boolean;
  readonly totalMs: number;
  /** What to set so that the route has a provider at all; null when it has one. */
  readonly notConfigured: string | null;
}

/** When to come back after our own queue was full: places free up as fast as answers come. */
const OVERLOAD_RETRY_MS = 1_000;

/** The error for the caller: by class, in words that say whose turn it is, without keys, addresses or prompt text. */
export function refusalOf(setbacks: Setbacks): AppError {
  const { failures, route } = setbacks;
  const last = failures.at(-1);
  if (last !== undefined && isFinal(last.failure.failureClass))
    return finalError(last.provider, last.failure);
  if (setbacks.deadlinePassed) return deadlineError(setbacks);
  if (last === undefined) return nothingTried(setbacks);
  if (failures.every(({ failure }) => failure.failureClass === 'rate_limit')) return rateLimited(setbacks);
  // A rate limit beside another fault says less than the fault: waiting would not help alone.
  const telling = failures.findLast(({ failure }) => failure.failureClass !== 'rate_limit') ?? last;
  return errorOf(telling.provider, telling.failure, route, setbacks.circuitWaitMs);
}

/** The error of a stream that broke after its first content. */
export function brokenStream(
  provider: string,
  failure: ProviderFailure,
  context: { readonly route: string; readonly deadlinePassed: boolean; readonly totalMs: number },
): AppError {
  if (context.deadlinePassed) {
    return new AppError(
      'provider_timeout',
      `The stream was cut off: the call did not end within ${context.totalMs} ms.`,
      { details: details(provider, failure), cause: failure },
    );
  }
  return isFinal(failure.failureClass)
    ? finalError(provider, failure)
    : errorOf(provider, failure, context.route, null);
}

export function clientClosed(cause?: unknown): AppError {
  return new AppError('client_closed', 'The caller closed the connection before the answer was complete.', {
    cause,
  });
}

/** Another try, here or elsewhere, would end the same. */
export function isFinal(failureClass: FailureClass): boolean {
  return (
    failureClass === 'bad_request' || failureClass === 'context_overflow' || failureClass === 'content_filter'
  );
}

function finalError(provider: string, failure: ProviderFailure): AppError {
  const options = { details: details(provider, failure), cause: failure };
  switch (failure.failureClass) {
    case 'context_overflow':
      return new AppError(
        'context_overflow',
        `The messages are longer than the model of provider "${provider}" takes: shorten them. It said: ${failure.message}`,
        options,
      );
    case 'content_filter':
      return new AppError(
        'content_filtered',
        `The content filter of provider "${provider}" refused the messages: change them.`,
        options,
      );
    default:
      return new AppError(
        'provider_rejected',
        `Provider "${provider}" refused the request; the same request will be refused again. It said: ${failure.message}`,
        options,
      );
  }
}

function errorOf(
  provider: string,
  failure: ProviderFailure,
  route: string,
  circuitWaitMs: number | null,
): AppError {
  const wait = failure.retryAfterMs ?? circuitWaitMs;
  const options = {
    details: { ...details(provider, failure), route },
    cause: failure,
    ...(wait === null || wait === undefined ? {} : { retryAfterMs: Math.ceil(wait) }),
  };
  switch (failure.failureClass) {
    case 'auth':
      return new AppError(
        'provider_rejected',
        `Provider "${provider}" refused the gateway's credentials. The gateway's operator has to correct the key or its rights; the request is not at fault.`,
        options,
      );
    case 'timeout':
      return new AppError(
        'provider_timeout',
        `Provider "${provider}" did not answer in time. Try again later.`,
        options,
      );
    case 'rate_limit':
      return new AppError(
        'rate_limited',
        `Provider "${provider}" limits the rate of calls. Try again later.`,
        options,
      );
    case 'bad_response':
      return new AppError(
        'provider_bad_response',
        `Provider "${provider}" sent an answer that is not what its API promises (${failure.message}).`,
        options,
      );
    default:
      return new AppError(
        'provider_unavailable',
        `Provider "${provider}" is not available at the moment. Try again later.`,
        options,
      );
  }
}

function rateLimited({ failures, route }: Setbacks): AppError {
  // The soonest of the targets decides when a new call has a chance.
  const waits = failures.map(({ failure }) => failure.retryAfterMs).filter((ms) => ms !== undefined);
  const providers = [...new Set(failures.map(({ provider }) => provider))];
  return new AppError(
    'rate_limited',
    `Every provider of route "${route}" limits the rate of calls (${providers.join(', ')}). Try again later.`,
    {
      details: { failure_class: 'rate_limit', providers, route },
      cause: failures.at(-1)?.failure,
      ...(waits.length === 0 ? {} : { retryAfterMs: Math.min(...waits) }),
    },
  );
}

function deadlineError({ failures, overloaded, route, totalMs }: Setbacks): AppError {
  if (failures.length === 0 && overloaded.length > 0) return overloadedError(route, overloaded);
  const last = failures.at(-1);
  return new AppError('provider_timeout', `Route "${route}" got no answer within ${totalMs} ms.`, {
    details: {
      failure_class: 'timeout',
      route,
      ...(last === undefined ? {} : { provider: last.provider }),
    },
    cause: last?.failure,
  });
}

function nothingTried({ route, overloaded, notConfigured, circuitWaitMs }: Setbacks): AppError {
  if (overloaded.length > 0) return overloadedError(route, overloaded);
  if (notConfigured !== null) {
    return new AppError('provider_unavailable', `Route "${route}" has no provider in use: ${notConfigured}`, {
      details: { route },
    });
  }
  return new AppError('provider_unavailable', `No provider of route "${route}" is available at the moment.`, {
    details: { route },
    ...(circuitWaitMs === null ? {} : { retryAfterMs: Math.ceil(circuitWaitMs) }),
  });
}

function overloadedError(route: string, providers: readonly string[]): AppError {
  return new AppError(
    'overloaded',
    `The gateway has more calls for route "${route}" than it may make at once, and its queue is full. Try again later.`,
    { details: { route, providers: [...new Set(providers)] }, retryAfterMs: OVERLOAD_RETRY_MS },
  );
}

function details(provider: string, failure: ProviderFailure): Readonly<Record<string, unknown>> {
  return {
    failure_class: failure.failureClass,
    provider,
    ...(failure.status === undefined ? {} : { upstream_status: failure.status }),
  };
}
