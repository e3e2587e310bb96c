import type { Clock } from '../../kernel/index.ts';
import type { ModelResult, ModelStreamEvent } from '../language-model.ts';
import { ProviderFailure } from '../provider-failure.ts';
import type { CallScope } from './call-scope.ts';
import type { RouteParts } from './route-parts.ts';
import type { RouteRun, Try } from './route-run.ts';
import { StreamWatch } from './stream-watch.ts';

type ContentEvent = Exclude<ModelStreamEvent, { kind: 'done' }>;

/** One try of a stream: its content events, and at the end either a result or a failure. */
export class StreamTry {
  readonly attempt: Try;
  /** Set once the stream ended well. */
  result: ModelResult | null = null;
  /** Set once it failed. */
  failure: ProviderFailure | null = null;
  /** Milliseconds from the begin of the call to the first content. */
  firstTokenMs: number | null = null;
  sentText = '';
  readonly #run: RouteRun;
  readonly #timeout: RouteParts['timeout'];
  readonly #watch: StreamWatch;
  #events: AsyncIterator<ModelStreamEvent> | null = null;

  constructor(
    run: RouteRun,
    attempt: Try,
    context: {
      readonly limitSignal: AbortSignal;
      readonly timeout: RouteParts['timeout'];
      readonly clock: Clock;
    },
  ) {
    this.attempt = attempt;
    this.#run = run;
    this.#timeout = context.timeout;
    this.#watch = new StreamWatch(context.limitSignal, context.timeout, context.clock);
  }

  /** The next content; null at the end, with the try settled. */
  async next(): Promise<ContentEvent | null> {
    if (this.firstTokenMs !== null) this.#watch.resume();
    let event: ModelStreamEvent;
    try {
      const { target, request } = this.attempt;
      this.#events ??= target.languageModel.stream(request, this.#watch.signal)[Symbol.asyncIterator]();
      const next = await this.#events.next();
      if (next.done === true) throw new ProviderFailure('connection', 'the stream ended without a result');
      event = next.value;
    } catch (thrown) {
      this.failure = failureOfTry(thrown, this.#run.scope, this.#timeout, this.#watch.expired);
      this.#run.failed(this.attempt, this.failure);
      return null;
    }
    if (event.kind === 'done') {
      this.result = event.result;
      this.#run.succeeded(this.attempt);
      return null;
    }
    this.firstTokenMs ??= this.#run.elapsedMs;
    if (event.kind === 'text') this.sentText += event.text;
    this.#watch.pause();
    return event;
  }

  /** Stops the upstream if it still runs. A reader who left between two events leaves the try unsettled: nobody failed. */
  async end(): Promise<void> {
    if (this.result === null && this.failure === null) this.#run.abandoned(this.attempt);
    this.#watch.end();
    await this.#events?.return?.(undefined);
  }
}

/** An abort of our own making is a timeout; anything else an adapter let through is its fault, not the caller's. */
export function failureOfTry(
  thrown: unknown,
  scope: CallScope,
  timeout: RouteParts['timeout'],
  expired: StreamWatch['expired'],
): ProviderFailure {
  if (!(thrown instanceof ProviderFailure)) {
    return new ProviderFailure('bad_response', 'the adapter failed', { cause: thrown });
  }
  if (thrown.failureClass !== 'aborted' || scope.callerLeft) return thrown;
  const reason =
    expired === 'first_token'
      ? `no content within ${timeout.firstTokenMs} ms`
      : expired === 'idle'
        ? `no event for ${timeout.idleMs} ms`
        : `no answer within ${timeout.totalMs} ms for all tries`;
  return new ProviderFailure('timeout', reason, {
    cause: thrown,
    ...(thrown.partial === undefined ? {} : { partial: thrown.partial }),
  });
}
