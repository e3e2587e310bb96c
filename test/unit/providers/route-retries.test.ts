import { describe, expect, test } from '@jest/globals';
import type { Random } from '../../../src/kernel/index.ts';
import { type FailureClass, ProviderFailure, type RouteRefusal } from '../../../src/providers/index.ts';
import { OfflineLanguageModel } from '../../../src/providers/offline/index.ts';
import { type Script, scriptedLanguageModel } from '../../fakes/scripted-language-model.ts';
import { NEVER_ABORTED, routeCall, routeForTest, runToEnd } from '../../helpers/route-for-test.ts';

const failing = (failureClass: FailureClass, retryAfterMs?: number): Script => ({
  kind: 'fail',
  failure: new ProviderFailure(failureClass, `scripted ${failureClass}`, {
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  }),
});
const ANSWER: Script = { kind: 'answer' };
const HANG: Script = { kind: 'hang' };
const half: Random = { next: () => 0.5 };

function refused(outcome: { kind: string }): RouteRefusal {
  if (outcome.kind !== 'failed') throw new Error('expected a refusal');
  return outcome as RouteRefusal;
}

describe('a route', () => {
  test('answers from its first target and says so', async () => {
    const model = scriptedLanguageModel('a', { kind: 'answer', text: 'Walk.' });
    const { route } = routeForTest({ targets: [{ languageModel: model }] });

    const outcome = await route.generate(routeCall(), NEVER_ABORTED);

    expect(outcome).toMatchObject({
      kind: 'answered',
      provider: 'a',
      modelRequested: 'model-a',
      fellBack: false,
      degraded: false,
      firstTokenMs: null,
      result: { text: 'Walk.' },
      attempts: [{ provider: 'a', outcome: 'ok', status: null, error: null }],
    });
  });

  test.each(['server', 'timeout', 'connection', 'rate_limit'] as const)(
    'tries the same target again after a failure of class %s',
    async (failureClass) => {
      const model = scriptedLanguageModel('a', [failing(failureClass), ANSWER]);
      const { route, clock } = routeForTest({ targets: [{ languageModel: model }] });

      const outcome = await runToEnd(clock, route.generate(routeCall(), NEVER_ABORTED));

      expect(outcome.kind).toBe('answered');
      expect(outcome.attempts.map((attempt) => attempt.outcome)).toEqual([failureClass, 'ok']);
    },
  );

  test.each(['auth', 'bad_response'] as const)(
    'goes to the next target at once after %s',
    async (failureClass) => {
      const first = scriptedLanguageModel('a', failing(failureClass));
      const second = scriptedLanguageModel('b');
      const { route } = routeForTest({ targets: [{ languageModel: first }, { languageModel: second }] });

      const outcome = await route.generate(routeCall(), NEVER_ABORTED);

      expect(outcome).toMatchObject({ kind: 'answered', provider: 'b', fellBack: true });
      expect(first.requests).toHaveLength(1);
    },
  );

  test.each([
    ['bad_request', 'provider_rejected'],
    ['context_overflow', 'context_overflow'],
    ['content_filter', 'content_filtered'],
  ] as const)('gives up after %s: another try would end the same', async (failureClass, code) => {
    const second = scriptedLanguageModel('b');
    const { route } = routeForTest({
      targets: [
        { languageModel: scriptedLanguageModel('a', failing(failureClass)) },
        { languageModel: second },
        { languageModel: new OfflineLanguageModel('offline') },
      ],
    });

    const outcome = await route.generate(routeCall({ fallbackLines: ['Walk.'] }), NEVER_ABORTED);

    expect(refused(outcome).error).toMatchObject({ code, details: { failure_class: failureClass } });
    expect(second.requests).toHaveLength(0);
  });

  test('waits with full jitter, doubling, and as long as the upstream asks', async () => {
    const model = scriptedLanguageModel('a', [
      failing('server'),
      failing('server'),
      failing('rate_limit', 3_000),
      ANSWER,
    ]);
    const { route, clock } = routeForTest({
      targets: [{ languageModel: model }],
      retries: { attemptsPerTarget: 5, maxAttempts: 5 },
      random: half,
    });

    const outcome = await runToEnd(clock, route.generate(routeCall(), NEVER_ABORTED));

    // Half of 200, half of 400, then Retry-After above half of 800.
    expect(outcome.attempts.map((attempt) => attempt.startedMs)).toEqual([0, 100, 300, 3_300]);
  });

  test('moves on when Retry-After is longer than it may wait', async () => {
    const first = scriptedLanguageModel('a', failing('rate_limit', 5_001));
    const { route } = routeForTest({
      targets: [{ languageModel: first }, { languageModel: scriptedLanguageModel('b') }],
    });

    const outcome = await route.generate(routeCall(), NEVER_ABORTED);

    expect(outcome).toMatchObject({ kind: 'answered', provider: 'b' });
    expect(first.requests).toHaveLength(1);
  });

  test('moves on when the wait would outlast the deadline', async () => {
    const { route } = routeForTest({
      targets: [
        { languageModel: scriptedLanguageModel('a', failing('rate_limit', 2_000)) },
        { languageModel: scriptedLanguageModel('b') },
      ],
      timeout: { totalMs: 1_500 },
    });

    const outcome = await route.generate(routeCall(), NEVER_ABORTED);

    expect(outcome).toMatchObject({ kind: 'answered', provider: 'b' });
  });

  test('answers rate_limited with the soonest Retry-After when every target is limited', async () => {
    const { route } = routeForTest({
      targets: [
        { languageModel: scriptedLanguageModel('a', failing('rate_limit', 30_000)) },
        { languageModel: scriptedLanguageModel('b', failing('rate_limit', 9_000)) },
      ],
    });

    const { error } = refused(await route.generate(routeCall(), NEVER_ABORTED));

    expect(error).toMatchObject({ code: 'rate_limited', retryAfterMs: 9_000 });
  });

  test('never makes more upstream calls than max_attempts over all targets', async () => {
    const models = ['a', 'b', 'c'].map((name) => scriptedLanguageModel(name, failing('server')));
    const { route, clock } = routeForTest({ targets: models.map((languageModel) => ({ languageModel })) });

    const outcome = await runToEnd(clock, route.generate(routeCall(), NEVER_ABORTED));

    expect(models.map((model) => model.requests.length)).toEqual([2, 1, 0]);
    expect(refused(outcome).error.code).toBe('provider_unavailable');
  });

  test('keeps one deadline over all tries', async () => {
    const model = scriptedLanguageModel('a', HANG);
    const { route, clock } = routeForTest({
      targets: [{ languageModel: model }],
      timeout: { totalMs: 4_000 },
    });

    const outcome = await runToEnd(clock, route.generate(routeCall(), NEVER_ABORTED));

    expect(refused(outcome).error.code).toBe('provider_timeout');
    expect(outcome.providerMs).toBe(4_000);
    expect(outcome.attempts).toMatchObject([{ outcome: 'timeout', durationMs: 4_000 }]);
    expect(model.cancelled).toBe(1);
  });

  test('leaves no timer behind once it has answered', async () => {
    const { route, clock } = routeForTest({ targets: [{ languageModel: scriptedLanguageModel('a') }] });

    await route.generate(routeCall(), NEVER_ABORTED);
    await clock.settle();

    expect(clock.sleeping).toBe(0);
  });

  test('stops the upstream and answers client_closed when the caller leaves', async () => {
    const model = scriptedLanguageModel('a', HANG);
    const { route, clock } = routeForTest({
      targets: [{ languageModel: model }, { languageModel: new OfflineLanguageModel('offline') }],
    });
    const caller = new AbortController();

    const call = route.generate(routeCall({ fallbackLines: ['Walk.'] }), caller.signal);
    await clock.settle();
    caller.abort();
    const outcome = await call;

    expect(refused(outcome)).toMatchObject({ error: { code: 'client_closed' }, partial: null });
    expect(outcome.attempts).toMatchObject([{ outcome: 'aborted' }]);
    expect(model.cancelled).toBe(1);
  });

  test('does not ask anybody for a caller who has already left', async () => {
    const model = scriptedLanguageModel('a');
    const { route } = routeForTest({ targets: [{ languageModel: model }] });

    const outcome = await route.generate(routeCall(), AbortSignal.abort());

    expect(refused(outcome).error.code).toBe('client_closed');
    expect(model.requests).toHaveLength(0);
  });

  test('serves authored lines when every model failed, past max_attempts, and marks them', async () => {
    const { route, clock } = routeForTest({
      targets: [
        { languageModel: scriptedLanguageModel('a', failing('server')) },
        { languageModel: scriptedLanguageModel('b', failing('server')) },
        { languageModel: new OfflineLanguageModel('offline') },
      ],
      retries: { maxAttempts: 1 },
    });

    const outcome = await runToEnd(
      clock,
      route.generate(routeCall({ fallbackLines: ['Walk.'] }), NEVER_ABORTED),
    );

    expect(outcome).toMatchObject({
      kind: 'answered',
      provider: 'offline',
      degraded: true,
      fellBack: true,
      costNanoUsd: null,
      result: { text: 'Walk.' },
      // Authored lines are no upstream call.
      attempts: [{ provider: 'a', outcome: 'server' }],
    });
  });

  test('serves authored lines also after the deadline', async () => {
    const { route, clock } = routeForTest({
      targets: [
        { languageModel: scriptedLanguageModel('a', HANG) },
        { languageModel: new OfflineLanguageModel('offline') },
      ],
      timeout: { totalMs: 2_000 },
    });

    const outcome = await runToEnd(
      clock,
      route.generate(routeCall({ fallbackLines: ['Walk.'] }), NEVER_ABORTED),
    );

    expect(outcome).toMatchObject({ kind: 'answered', degraded: true, providerMs: 2_000 });
  });

  test('lets the earlier failure stand when the prompt has no authored lines', async () => {
    const { route } = routeForTest({
      targets: [
        { languageModel: scriptedLanguageModel('a', failing('bad_response')) },
        { languageModel: new OfflineLanguageModel('offline') },
      ],
    });

    const { error } = refused(await route.generate(routeCall(), NEVER_ABORTED));

    expect(error.code).toBe('provider_bad_response');
  });

  test('says which variables to set when no provider is in use', async () => {
    const { route } = routeForTest({ targets: [], notConfigured: 'set LITELLM_BASE_URL.' });

    const { error } = refused(await route.generate(routeCall(), NEVER_ABORTED));

    expect(error.code).toBe('provider_unavailable');
    expect(error.message).toContain('LITELLM_BASE_URL');
  });

  test('tells the operator, not the caller, to correct refused credentials', async () => {
    const { route } = routeForTest({
      targets: [{ languageModel: scriptedLanguageModel('a', failing('auth')) }],
    });

    const { error } = refused(await route.generate(routeCall(), NEVER_ABORTED));

    expect(error).toMatchObject({ code: 'provider_rejected', details: { failure_class: 'auth' } });
    expect(error.message).toContain('operator');
    expect(error.message).not.toContain('scripted auth');
  });

  test('gives the words of a bad request to the caller, who needs them', async () => {
    const failure = new ProviderFailure('bad_request', 'temperature must be a number', { status: 400 });
    const { route } = routeForTest({
      targets: [{ languageModel: scriptedLanguageModel('a', { kind: 'fail', failure }) }],
    });

    const { error } = refused(await route.generate(routeCall(), NEVER_ABORTED));

    expect(error.message).toContain('temperature must be a number');
    expect(error.details).toMatchObject({ upstream_status: 400, provider: 'a' });
  });

  test('names the real fault when a rate limit stands beside it', async () => {
    const { route } = routeForTest({
      targets: [
        { languageModel: scriptedLanguageModel('a', failing('bad_response')) },
        { languageModel: scriptedLanguageModel('b', failing('rate_limit', 60_000)) },
      ],
    });

    const { error } = refused(await route.generate(routeCall(), NEVER_ABORTED));

    expect(error.code).toBe('provider_bad_response');
  });

  test('turns anything else an adapter throws into a failed attempt', async () => {
    const broken = {
      ...scriptedLanguageModel('a'),
      generate: () => Promise.reject(new TypeError('a bug')),
    };
    const { route } = routeForTest({
      targets: [{ languageModel: broken }, { languageModel: scriptedLanguageModel('b') }],
    });

    const outcome = await route.generate(routeCall(), NEVER_ABORTED);

    expect(outcome).toMatchObject({ kind: 'answered', provider: 'b' });
  });
});

describe('what a target is asked', () => {
  test('the model of the request beats the target’s own, but never that of authored lines', async () => {
    const model = scriptedLanguageModel('a', failing('bad_response'));
    const { route } = routeForTest({
      targets: [
        { languageModel: model },
        { languageModel: new OfflineLanguageModel('offline'), model: 'authored' },
      ],
    });

    const outcome = await route.generate(
      routeCall({ modelOverride: 'model-b', fallbackLines: ['Walk.'] }),
      NEVER_ABORTED,
    );

    expect(model.requests[0]?.model).toBe('model-b');
    expect(outcome).toMatchObject({ kind: 'answered', modelRequested: 'authored' });
  });

  test('parameters of the target fill only what the call leaves unset', async () => {
    const model = scriptedLanguageModel('a');
    const { route } = routeForTest({
      targets: [{ languageModel: model, parameters: { temperature: 0.2, maxOutputTokens: 100 } }],
    });

    const outcome = await route.generate(routeCall({ parameters: { temperature: 0.9 } }), NEVER_ABORTED);

    const sent = { temperature: 0.9, maxOutputTokens: 100 };
    expect(model.requests[0]?.parameters).toEqual(sent);
    expect(outcome).toMatchObject({ kind: 'answered', parameters: sent });
  });
});

describe('the cost of an answer', () => {
  const cost = async (fields: object, model = 'gpt-4o-mini') => {
    const languageModel = scriptedLanguageModel('a', { kind: 'answer', fields });
    const { route } = routeForTest({ targets: [{ languageModel, model }] });
    const outcome = await route.generate(routeCall(), NEVER_ABORTED);
    if (outcome.kind !== 'answered') throw new Error('expected an answer');
    return outcome;
  };

  test('is what the upstream states, before any table', async () => {
    expect(await cost({ upstreamCostNanoUsd: 42 })).toMatchObject({
      costNanoUsd: 42,
      costSource: 'upstream',
      priceTableVersion: null,
    });
  });

  test('comes from the price table otherwise, with its version', async () => {
    // 31 × 150 + 18 × 600 nano-dollars.
    expect(await cost({})).toMatchObject({
      costNanoUsd: 15_450,
      costSource: 'price_table',
      priceTableVersion: expect.stringContaining('litellm'),
    });
  });

  test('uses the price of the model asked for when the answer names a dated build of it', async () => {
    expect(await cost({ model: 'gpt-4o-mini-2031-01-01' })).toMatchObject({ costNanoUsd: 15_450 });
  });

  test('is unknown, not zero, when another model answered than was asked for', async () => {
    expect(await cost({ model: 'house-model' })).toMatchObject({ costNanoUsd: null, costSource: null });
  });
});
