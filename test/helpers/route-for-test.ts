import { type Logger, type Random, seededRandom } from '../../src/kernel/index.ts';
import type { LanguageModel, RouteCall, RouteOutcome, RouteStreamEvent } from '../../src/providers/index.ts';
import { OfflineLanguageModel } from '../../src/providers/offline/index.ts';
import { PRICE_TABLE_VERSION, priceOf } from '../../src/providers/prices/index.ts';
import { TargetRoute } from '../../src/providers/route/route.ts';
import type { RouteParts } from '../../src/providers/route/route-parts.ts';
import { RouteTarget, type RouteTargetOptions } from '../../src/providers/route/target.ts';
import { TargetOrder } from '../../src/providers/route/target-order.ts';
import { type ManualClock, manualClock } from '../fakes/manual-clock.ts';
import { userMessage } from './model-request.ts';

export interface LogLine {
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  readonly message: string;
  readonly fields: object;
}

export interface RouteUnderTest {
  readonly route: TargetRoute;
  readonly targets: readonly RouteTarget[];
  readonly clock: ManualClock;
  readonly log: readonly LogLine[];
}

export interface RouteForTestOptions {
  readonly targets: readonly (Partial<RouteTargetOptions> & { readonly languageModel: LanguageModel })[];
  readonly timeout?: Partial<RouteParts['timeout']>;
  readonly retries?: Partial<RouteParts['retries']>;
  readonly random?: Random;
  readonly notConfigured?: string | null;
}

/** A route over scripted models with the configuration's defaults, a clock that stands still and a seeded chance. */
export function routeForTest(options: RouteForTestOptions): RouteUnderTest {
  const clock = manualClock();
  const log: LogLine[] = [];
  const line =
    (level: LogLine['level']) =>
    (fields: object, message: string): void => {
      log.push({ level, message, fields });
    };
  const logger: Logger = {
    error: line('error'),
    warn: line('warn'),
    info: line('info'),
    debug: line('debug'),
  };
  const targets = options.targets.map(
    (target, index) =>
      new RouteTarget({
        model: 'model-a',
        weight: 1,
        order: index + 1,
        parameters: {},
        maxConcurrency: 256,
        maxQueue: 512,
        isOffline: target.languageModel instanceof OfflineLanguageModel,
        breaker: { failureShare: 0.5, minimumCalls: 10, windowMs: 30_000, openMs: 10_000 },
        ...target,
      }),
  );
  const route = new TargetRoute({
    name: 'default',
    targets,
    order: new TargetOrder(targets),
    timeout: { totalMs: 60_000, firstTokenMs: 20_000, idleMs: 15_000, ...options.timeout },
    retries: {
      attemptsPerTarget: 2,
      maxAttempts: 3,
      backoffMs: 200,
      maxBackoffMs: 5_000,
      ...options.retries,
    },
    notConfigured: options.notConfigured ?? null,
    priceOf,
    priceTableVersion: PRICE_TABLE_VERSION,
    clock,
    random: options.random ?? seededRandom(7),
    logger,
  });
  return { route, targets, clock, log };
}

export function routeCall(fields: Partial<RouteCall> = {}): RouteCall {
  return {
    messages: [userMessage('Give one tip.')],
    parameters: {},
    generationId: 'gen_00000000000000000000000000000001',
    fallbackLines: [],
    modelOverride: null,
    modelByCaller: false,
    ...fields,
  };
}

/** Runs a call to its end, moving the clock a second at a time while it waits. */
export async function runToEnd<T>(clock: ManualClock, call: Promise<T>): Promise<T> {
  let isOver = false;
  const watched = call.finally(() => {
    isOver = true;
  });
  watched.catch(() => undefined);
  await clock.settle();
  for (let step = 0; step < 300 && !isOver; step += 1) await clock.advance(1_000);
  return watched;
}

export interface CollectedRoute {
  readonly text: string;
  readonly events: readonly RouteStreamEvent[];
  readonly outcome: RouteOutcome;
}

export async function collectRoute(stream: AsyncIterable<RouteStreamEvent>): Promise<CollectedRoute> {
  const events: RouteStreamEvent[] = [];
  for await (const event of stream) events.push(event);
  const last = events.at(-1);
  if (last?.kind !== 'outcome') throw new Error('the stream of a route ends with its outcome');
  return {
    text: events.map((event) => (event.kind === 'text' ? event.text : '')).join(''),
    events,
    outcome: last.outcome,
  };
}

export const NEVER_ABORTED = new AbortController().signal;
