import { describe, expect, test } from '@jest/globals';
import { seededRandom } from '../../../src/kernel/index.ts';
import { ProviderFailure } from '../../../src/providers/index.ts';
import { OfflineLanguageModel } from '../../../src/providers/offline/index.ts';
import { ConcurrencyLimit } from '../../../src/providers/route/concurrency-limit.ts';
import { type Script, scriptedLanguageModel } from '../../fakes/scripted-language-model.ts';
import { NEVER_ABORTED, routeCall, routeForTest, runToEnd } from '../../helpers/route-for-test.ts';

const SERVER: Script = { kind: 'fail', failure: new ProviderFailure('server', 'scripted server') };
const AUTH: Script = { kind: 'fail', failure: new ProviderFailure('auth', 'wrong key', { status: 401 }) };
const ANSWER: Script = { kind: 'answer' };
const HANG: Script = { kind: 'hang' };
const ONE_TRY = { attemptsPerTarget: 1, maxAttempts: 3 };

describe('the circuit breaker of a target', () => {
  test('opens after enough failures, skips the target, lets one probe through and closes again', async () => {
    const model = scriptedLanguageModel('a', [SERVER, SERVER, SERVER, SERVER, ANSWER]);
    const { route, clock, targets } = routeForTest({
      targets: [
        {
          languageModel: model,
          breaker: { failureShare: 0.5, minimumCalls: 4, windowMs: 30_000, openMs: 10_000 },
        },
      ],
      retries: ONE_TRY,
    });
    const generate = () => route.generate(routeCall(), NEVER_ABORTED);
    const state = () => targets[0]?.breaker.state(clock.monotonicMs());

    for (let call = 0; call < 4; call += 1) await generate();
    expect(state()).toBe('open');

    const skipped = await generate();
    expect(skipped).toMatchObject({
      kind: 'failed',
      error: { code: 'provider_unavailable', retryAfterMs: 10_000 },
      attempts: [{ outcome: 'skipped_open_circuit', durationMs: 0 }],
    });
    expect(model.requests).toHaveLength(4);

    await clock.advance(10_000);
    expect(state()).toBe('half_open');
    expect((await generate()).kind).toBe('answered');
    expect(state()).toBe('closed');
  });

  test('lets exactly one probe through, and opens again when it fails', async () => {
    const model = scriptedLanguageModel('a', [SERVER, HANG, SERVER]);
    const { route, clock, targets } = routeForTest({
      targets: [
        {
          languageModel: model,
          breaker: { failureShare: 0.5, minimumCalls: 1, windowMs: 30_000, openMs: 10_000 },
        },
      ],
      retries: ONE_TRY,
      timeout: { totalMs: 5_000 },
    });
    await route.generate(routeCall(), NEVER_ABORTED);
    await clock.advance(10_000);

    const probe = route.generate(routeCall(), NEVER_ABORTED);
    await clock.settle();
    const beside = await route.generate(routeCall(), NEVER_ABORTED);
    await runToEnd(clock, probe);

    expect(beside.attempts).toMatchObject([{ outcome: 'skipped_open_circuit' }]);
    expect(model.requests).toHaveLength(2);
    expect(targets[0]?.breaker.state(clock.monotonicMs())).toBe('open');
  });

  test('gives the probe back when its caller leaves', async () => {
    const model = scriptedLanguageModel('a', [SERVER, HANG, ANSWER]);
    const { route, clock } = routeForTest({
      targets: [
        {
          languageModel: model,
          breaker: { failureShare: 0.5, minimumCalls: 1, windowMs: 30_000, openMs: 10_000 },
        },
      ],
      retries: ONE_TRY,
    });
    await route.generate(routeCall(), NEVER_ABORTED);
    await clock.advance(10_000);
    const caller = new AbortController();
    const probe = route.generate(routeCall(), caller.signal);
    await clock.settle();
    caller.abort();
    await probe;

    expect((await route.generate(routeCall(), NEVER_ABORTED)).kind).toBe('answered');
  });

  test.each(['bad_request', 'context_overflow', 'content_filter'] as const)(
    'does not count %s: the upstream is well',
    async (failureClass) => {
      const failure = new ProviderFailure(failureClass, 'scripted');
      const { route, clock, targets } = routeForTest({
        targets: [
          {
            languageModel: scriptedLanguageModel('a', { kind: 'fail', failure }),
            breaker: { failureShare: 0.5, minimumCalls: 2, windowMs: 30_000, openMs: 10_000 },
          },
        ],
      });

      for (let call = 0; call < 10; call += 1) await route.generate(routeCall(), NEVER_ABORTED);

      expect(targets[0]?.breaker.state(clock.monotonicMs())).toBe('closed');
    },
  );

  test('forgets failures that are older than its window', async () => {
    const model = scriptedLanguageModel('a', [SERVER, SERVER, SERVER, ANSWER]);
    const { route, clock, targets } = routeForTest({
      targets: [
        {
          languageModel: model,
          breaker: { failureShare: 0.5, minimumCalls: 4, windowMs: 30_000, openMs: 10_000 },
        },
      ],
      retries: ONE_TRY,
    });

    for (let call = 0; call < 3; call += 1) await route.generate(routeCall(), NEVER_ABORTED);
    await clock.advance(33_000);
    for (let call = 0; call < 4; call += 1) await route.generate(routeCall(), NEVER_ABORTED);

    expect(targets[0]?.breaker.state(clock.monotonicMs())).toBe('closed');
  });

  test('cuts a target off at the first refused credential, and logs that once', async () => {
    const model = scriptedLanguageModel('a', AUTH);
    const { route, clock, log } = routeForTest({
      targets: [{ languageModel: model }, { languageModel: scriptedLanguageModel('b') }],
    });

    for (let call = 0; call < 5; call += 1) await route.generate(routeCall(), NEVER_ABORTED);
    await clock.advance(10_000);
    await route.generate(routeCall(), NEVER_ABORTED);

    expect(model.requests).toHaveLength(2);
    expect(log).toMatchObject([{ level: 'error', fields: { provider: 'a', failure_class: 'auth' } }]);
  });

  test('says that credentials are at fault also to calls that find the circuit open', async () => {
    const { route } = routeForTest({ targets: [{ languageModel: scriptedLanguageModel('a', AUTH) }] });
    await route.generate(routeCall(), NEVER_ABORTED);

    const outcome = await route.generate(routeCall(), NEVER_ABORTED);

    expect(outcome).toMatchObject({
      kind: 'failed',
      error: { code: 'provider_rejected', details: { failure_class: 'auth', upstream_status: 401 } },
    });
  });

  test.each([401, 403])(
    'does not let one caller’s forbidden model (%i) cut off everybody',
    async (status) => {
      const forbidden = new ProviderFailure('auth', 'no access to this model', { status });
      const model = scriptedLanguageModel('a', [{ kind: 'fail', failure: forbidden }, ANSWER]);
      const { route } = routeForTest({ targets: [{ languageModel: model }] });

      await route.generate(routeCall({ modelOverride: 'secret-model', modelByCaller: true }), NEVER_ABORTED);

      expect((await route.generate(routeCall(), NEVER_ABORTED)).kind).toBe('answered');
    },
  );

  test.each([
    [401, 'failed'],
    [403, 'answered'],
  ])('takes a %i for a model that a prompt names as it is meant', async (status, next) => {
    const refused = new ProviderFailure('auth', 'refused', { status });
    const model = scriptedLanguageModel('a', [{ kind: 'fail', failure: refused }, ANSWER]);
    const { route } = routeForTest({ targets: [{ languageModel: model }] });

    await route.generate(routeCall({ modelOverride: 'front-matter-model' }), NEVER_ABORTED);

    expect((await route.generate(routeCall(), NEVER_ABORTED)).kind).toBe(next);
  });
});

describe('the places of a target', () => {
  test('are given in the order of arrival, and one call more than fits is refused', async () => {
    const model = scriptedLanguageModel('a', [HANG, ANSWER, ANSWER]);
    const { route, clock, targets } = routeForTest({
      targets: [{ languageModel: model, maxConcurrency: 1, maxQueue: 1 }],
    });
    const caller = new AbortController();
    const running = route.generate(routeCall(), caller.signal);
    await clock.settle();
    const waiting = route.generate(routeCall(), NEVER_ABORTED);
    await clock.settle();
    expect(targets[0]?.limit).toMatchObject({ inFlight: 1, queued: 1 });

    const refused = await route.generate(routeCall(), NEVER_ABORTED);
    caller.abort();
    await running;

    expect(refused).toMatchObject({
      kind: 'failed',
      error: { code: 'overloaded', retryAfterMs: 1_000 },
      attempts: [{ outcome: 'skipped_queue_full' }],
    });
    expect((await waiting).kind).toBe('answered');
    expect(targets[0]?.limit).toMatchObject({ inFlight: 0, queued: 0 });
  });

  test('overflow to the next target', async () => {
    const { route, clock } = routeForTest({
      targets: [
        { languageModel: scriptedLanguageModel('a', HANG), maxConcurrency: 1, maxQueue: 0 },
        { languageModel: scriptedLanguageModel('b') },
      ],
    });
    const caller = new AbortController();
    const running = route.generate(routeCall(), caller.signal);
    await clock.settle();

    expect(await route.generate(routeCall(), NEVER_ABORTED)).toMatchObject({
      kind: 'answered',
      provider: 'b',
    });
    caller.abort();
    await running;
  });

  test('are not kept for one who stopped waiting', async () => {
    const limit = new ConcurrencyLimit(1, 5);
    const leaving = new AbortController();
    await limit.enter(NEVER_ABORTED);
    const left = limit.enter(leaving.signal);
    const stayed = limit.enter(NEVER_ABORTED);

    leaving.abort();
    limit.leave();

    expect(await left).toBe('aborted');
    expect(await stayed).toBe('entered');
    expect(limit).toMatchObject({ inFlight: 1, queued: 0 });
    expect(await limit.enter(AbortSignal.abort())).toBe('aborted');
  });

  test('are free again after any end of a call', async () => {
    const { route, clock, targets } = routeForTest({
      targets: [{ languageModel: scriptedLanguageModel('a', [SERVER, ANSWER, HANG]), maxConcurrency: 1 }],
      retries: ONE_TRY,
      timeout: { totalMs: 1_000 },
    });

    for (let call = 0; call < 3; call += 1) await runToEnd(clock, route.generate(routeCall(), NEVER_ABORTED));

    expect(targets[0]?.limit.inFlight).toBe(0);
  });
});

describe('targets of one order', () => {
  test('share the calls by weight', async () => {
    const heavy = scriptedLanguageModel('heavy');
    const light = scriptedLanguageModel('light');
    const { route } = routeForTest({
      targets: [
        { languageModel: heavy, weight: 3, order: 1 },
        { languageModel: light, weight: 1, order: 1 },
      ],
      random: seededRandom(11),
    });

    for (let call = 0; call < 4_000; call += 1) await route.generate(routeCall(), NEVER_ABORTED);

    // 3 of 4, give or take five standard deviations of a binomial: sqrt(4000 × 0.75 × 0.25) = 27.
    expect(Math.abs(heavy.requests.length - 3_000)).toBeLessThan(137);
    expect(heavy.requests.length + light.requests.length).toBe(4_000);
  });

  test('fall back to each other before the next order', async () => {
    const down = scriptedLanguageModel('down', {
      kind: 'fail',
      failure: new ProviderFailure('bad_response', 'scripted'),
    });
    const up = scriptedLanguageModel('up');
    const { route } = routeForTest({
      targets: [
        { languageModel: scriptedLanguageModel('last'), order: 2 },
        { languageModel: down, order: 1 },
        { languageModel: up, order: 1 },
        { languageModel: new OfflineLanguageModel('offline'), order: 3 },
      ],
    });

    for (let call = 0; call < 8; call += 1) {
      expect(await route.generate(routeCall(), NEVER_ABORTED)).toMatchObject({ provider: 'up' });
    }
  });
});
