import { describe, expect, test } from '@jest/globals';
import { ProviderFailure } from '../../../src/providers/index.ts';
import { OfflineLanguageModel } from '../../../src/providers/offline/index.ts';
import { scriptedLanguageModel } from '../../fakes/scripted-language-model.ts';
import {
  collectRoute,
  NEVER_ABORTED,
  routeCall,
  routeForTest,
  runToEnd,
} from '../../helpers/route-for-test.ts';

const down = new ProviderFailure('connection', 'scripted connection');

describe('the stream of a route', () => {
  test('passes content through and ends with one outcome', async () => {
    const { route } = routeForTest({
      targets: [{ languageModel: scriptedLanguageModel('a', { kind: 'answer', text: 'Take a walk.' }) }],
    });

    const { events, text, outcome } = await collectRoute(route.stream(routeCall(), NEVER_ABORTED));

    expect(text).toBe('Take a walk.');
    expect(events.filter((event) => event.kind === 'outcome')).toHaveLength(1);
    expect(outcome).toMatchObject({ kind: 'answered', firstTokenMs: 0, result: { text: 'Take a walk.' } });
  });

  test('falls back silently until the first content', async () => {
    const { route, clock } = routeForTest({
      targets: [
        { languageModel: scriptedLanguageModel('a', { kind: 'fail', failure: down }) },
        { languageModel: scriptedLanguageModel('b', { kind: 'answer', text: 'From b.' }) },
      ],
    });

    const { text, outcome } = await runToEnd(clock, collectRoute(route.stream(routeCall(), NEVER_ABORTED)));

    expect(text).toBe('From b.');
    expect(outcome).toMatchObject({ kind: 'answered', provider: 'b', fellBack: true });
    expect(outcome.attempts.map((attempt) => attempt.outcome)).toEqual(['connection', 'connection', 'ok']);
  });

  test('never starts anew once content was sent', async () => {
    const second = scriptedLanguageModel('b');
    const { route } = routeForTest({
      targets: [
        {
          languageModel: scriptedLanguageModel('a', { kind: 'fail', failure: down, after: ['Take ', 'a '] }),
        },
        { languageModel: second },
        { languageModel: new OfflineLanguageModel('offline') },
      ],
    });

    const { text, outcome } = await collectRoute(
      route.stream(routeCall({ fallbackLines: ['Walk.'] }), NEVER_ABORTED),
    );

    expect(text).toBe('Take a ');
    expect(outcome).toMatchObject({
      kind: 'failed',
      error: { code: 'provider_unavailable' },
      partial: { text: 'Take a ', usage: null, provider: 'a', model: 'model-a', firstTokenMs: 0 },
    });
    expect(second.requests).toHaveLength(0);
  });

  test('gives up on a target whose first content is late', async () => {
    const silent = scriptedLanguageModel('a', { kind: 'hang' });
    const { route, clock } = routeForTest({
      targets: [{ languageModel: silent }, { languageModel: scriptedLanguageModel('b') }],
      timeout: { firstTokenMs: 2_000 },
      retries: { attemptsPerTarget: 1 },
    });

    const { outcome } = await runToEnd(clock, collectRoute(route.stream(routeCall(), NEVER_ABORTED)));

    expect(outcome).toMatchObject({
      kind: 'answered',
      provider: 'b',
      firstTokenMs: 2_000,
      attempts: [
        { outcome: 'timeout', durationMs: 2_000, error: 'no content within 2000 ms' },
        { outcome: 'ok' },
      ],
    });
    expect(silent.cancelled).toBe(1);
  });

  test('cuts off an upstream that falls silent in mid-stream', async () => {
    const drip = scriptedLanguageModel('a', { kind: 'hang', after: ['Take '] });
    const { route, clock } = routeForTest({ targets: [{ languageModel: drip }], timeout: { idleMs: 3_000 } });

    const { outcome } = await runToEnd(clock, collectRoute(route.stream(routeCall(), NEVER_ABORTED)));

    expect(outcome).toMatchObject({
      kind: 'failed',
      error: { code: 'provider_timeout' },
      partial: { text: 'Take ' },
      providerMs: 3_000,
    });
    expect(drip.cancelled).toBe(1);
  });

  test('does not blame the upstream for a reader that is slow', async () => {
    const { route, clock } = routeForTest({
      targets: [{ languageModel: scriptedLanguageModel('a', { kind: 'answer', text: 'one two three' }) }],
      timeout: { idleMs: 1_000, firstTokenMs: 1_000, totalMs: 60_000 },
    });
    const reader = route.stream(routeCall(), NEVER_ABORTED);

    const kinds: string[] = [];
    for await (const event of reader) {
      kinds.push(event.kind);
      await clock.advance(5_000);
    }

    expect(kinds).toEqual(['text', 'text', 'text', 'outcome']);
  });

  test('ends at the deadline even while content flows', async () => {
    const { route, clock } = routeForTest({
      targets: [{ languageModel: scriptedLanguageModel('a', { kind: 'hang', after: ['a ', 'b '] }) }],
      timeout: { totalMs: 2_000, idleMs: 15_000 },
    });

    const { outcome } = await runToEnd(clock, collectRoute(route.stream(routeCall(), NEVER_ABORTED)));

    expect(outcome).toMatchObject({
      kind: 'failed',
      error: { code: 'provider_timeout' },
      partial: { text: 'a b ' },
      providerMs: 2_000,
    });
  });

  test('answers client_closed with what was sent when the caller leaves', async () => {
    const model = scriptedLanguageModel('a', { kind: 'hang', after: ['Take '] });
    const { route, clock, targets } = routeForTest({ targets: [{ languageModel: model }] });
    const caller = new AbortController();

    const collected = collectRoute(route.stream(routeCall(), caller.signal));
    await clock.settle();
    caller.abort();
    const { outcome } = await collected;

    expect(outcome).toMatchObject({
      kind: 'failed',
      error: { code: 'client_closed' },
      partial: { text: 'Take ', provider: 'a' },
    });
    expect(model.cancelled).toBe(1);
    expect(targets[0]?.limit.inFlight).toBe(0);
    expect(targets[0]?.breaker.state(clock.monotonicMs())).toBe('closed');
  });

  test('stops the upstream and frees the place when its reader just stops reading', async () => {
    const model = scriptedLanguageModel('a', { kind: 'answer', text: 'one two three' });
    const { route, clock, targets } = routeForTest({
      targets: [{ languageModel: model, maxConcurrency: 1 }],
    });

    for await (const event of route.stream(routeCall(), NEVER_ABORTED)) {
      if (event.kind === 'text') break;
    }
    await clock.settle();

    expect(model.cancelled).toBe(1);
    expect(targets[0]?.limit.inFlight).toBe(0);
    expect(clock.sleeping).toBe(0);
  });

  test('streams authored lines word by word as last resort', async () => {
    const { route, clock } = routeForTest({
      targets: [
        { languageModel: scriptedLanguageModel('a', { kind: 'hang' }) },
        { languageModel: new OfflineLanguageModel('offline') },
      ],
      timeout: { totalMs: 2_000 },
    });

    const { events, text, outcome } = await runToEnd(
      clock,
      collectRoute(route.stream(routeCall({ fallbackLines: ['Take a short walk.'] }), NEVER_ABORTED)),
    );

    expect(text).toBe('Take a short walk.');
    expect(events).toHaveLength(5);
    expect(outcome).toMatchObject({ kind: 'answered', provider: 'offline', degraded: true });
  });

  test('yields only the outcome when nothing could be had', async () => {
    const { route, clock } = routeForTest({
      targets: [{ languageModel: scriptedLanguageModel('a', { kind: 'fail', failure: down }) }],
    });

    const { events, outcome } = await runToEnd(clock, collectRoute(route.stream(routeCall(), NEVER_ABORTED)));

    expect(events).toHaveLength(1);
    expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'provider_unavailable' }, partial: null });
  });
});
