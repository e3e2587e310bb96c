import type { Clock } from '../kernel/index.ts';
import { type FailureClass, ProviderFailure } from './provider-failure.ts';

/** What `auto` becomes when the upstream cannot list its models: servers of a single model take any name. */
const UNLISTED_MODEL = 'default';

/** Listing models is one small request; an upstream that cannot answer it in this time cannot answer a call. */
const LIST_TIMEOUT_MS = 5_000;

/** Failures that a changed model explains. */
const MAY_BE_THE_MODEL = new Set<FailureClass>(['bad_request', 'bad_response', 'connection']);

/** Status of a model list that the upstream does not offer, as opposed to failing at it. */
const NOT_OFFERED = new Set([404, 405, 501]);

/**
 * Resolves the model name `auto` to the first model the upstream lists. The answer is kept for the process and asked
 * again after {@link reconsider}; calls at the same time share one request.
 */
export class ModelNames {
  readonly #listFirst: (signal: AbortSignal) => Promise<string | null>;
  readonly #clock: Clock;
  #first: Promise<string> | null = null;

  /**
   * `listFirst` answers the first id, or null when the list is empty or not understood. It throws ProviderFailures.
   */
  constructor(listFirst: (signal: AbortSignal) => Promise<string | null>, clock: Clock) {
    this.#listFirst = listFirst;
    this.#clock = clock;
  }

  /** Any name but `auto` is itself. Fails as the list request failed, unless the upstream just has no list. */
  async resolve(model: string, signal: AbortSignal): Promise<string> {
    if (model !== 'auto') return model;
    this.#first ??= this.#ask();
    const pending = this.#first;
    return await untilAborted(pending, signal);
  }

  /** A call to the resolved model failed: the upstream may serve another one by now. */
  reconsider(failure: ProviderFailure): void {
    if (MAY_BE_THE_MODEL.has(failure.failureClass)) this.#first = null;
  }

  #ask(): Promise<string> {
    const limit = new AbortController();
    void this.#clock.sleep(LIST_TIMEOUT_MS, limit.signal).then(() => limit.abort('too late'));
    const asked = this.#listFirst(limit.signal).then(
      (id) => {
        limit.abort('done');
        return id ?? UNLISTED_MODEL;
      },
      (thrown: unknown) => {
        limit.abort('done');
        if (thrown instanceof ProviderFailure && isNotOffered(thrown)) return UNLISTED_MODEL;
        if (this.#first === asked) this.#first = null;
        if (thrown instanceof ProviderFailure && thrown.failureClass === 'aborted') {
          throw new ProviderFailure('timeout', 'the list of models did not come in time', { cause: thrown });
        }
        throw thrown;
      },
    );
    // Every caller may have left by the time it fails.
    asked.catch(() => undefined);
    return asked;
  }
}

function isNotOffered(failure: ProviderFailure): boolean {
  return (
    failure.failureClass === 'bad_response' ||
    (failure.status !== undefined && NOT_OFFERED.has(failure.status))
  );
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new ProviderFailure('aborted', 'the call was aborted'));
    if (signal.aborted) {
      abort();
      return;
    }
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** First id of `{"data": [{"id": …}]}`; null for any other shape. */
export function firstModelId(body: unknown): string | null {
  if (typeof body !== 'object' || body === null || !('data' in body) || !Array.isArray(body.data))
    return null;
  const first: unknown = body.data[0];
  if (typeof first !== 'object' || first === null || !('id' in first)) return null;
  return typeof first.id === 'string' && first.id !== '' ? first.id : null;
}
