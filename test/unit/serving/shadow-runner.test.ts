import { describe, expect, test } from '@jest/globals';
import { configSchema } from '../../../src/config/index.ts';
import { AppError, seededRandom, silentLogger } from '../../../src/kernel/index.ts';
import type { GenerationRecord, ShadowPair } from '../../../src/ledger/index.ts';
import type { RouteOutcome } from '../../../src/providers/index.ts';
import {
  createGenerateService,
  createRedaction,
  createShadowRunner,
  type GenerateRequest,
  loadShadowRules,
  type ShadowDropReason,
  type ShadowSpend,
} from '../../../src/serving/index.ts';
import { countingIds } from '../../fakes/counting-ids.ts';
import { heldRoutes } from '../../fakes/held-routes.ts';
import { manualClock } from '../../fakes/manual-clock.ts';
import { recordingLedger } from '../../fakes/recording-ledger.ts';
import { scriptedSelector } from '../../fakes/scripted-experiments.ts';
import { jsonVersion, scriptedPrompts, scriptedVersion } from '../../fakes/scripted-prompts.ts';
import { answered, modelResult, refused, scriptedRoutes } from '../../fakes/scripted-routes.ts';

const UPSTREAMS = {
  providers: { scripted: { kind: 'offline' } },
  routes: {
    default: { targets: [{ provider: 'scripted' }] },
    cheap: { targets: [{ provider: 'scripted' }] },
  },
};
const TO_V2 = { prompt: 'tip', version: 'v2', sample: 1 };

interface SetUp {
  readonly shadow?: Record<string, object>;
  readonly live?: readonly RouteOutcome[];
  readonly deltas?: readonly string[];
  readonly spends?: readonly ShadowSpend[];
}

function compose(options: SetUp = {}) {
  const config = configSchema.parse({ ...UPSTREAMS, shadow: options.shadow ?? { candidate: TO_V2 } });
  const prompts = scriptedPrompts([
    scriptedVersion('tip', 'v1'),
    scriptedVersion('tip', 'v2', { parameters: { temperature: 0.3 } }),
    scriptedVersion('tip', 'broken', {
      render: () => {
        throw new AppError('template_input_invalid', 'the variables do not fit');
      },
    }),
    jsonVersion('tip', 'v3'),
    scriptedVersion('digest', 'v1'),
  ]);
  const clock = manualClock();
  /** What the event loop is late by. */
  const lag = { ms: 0 };
  const ledger = recordingLedger();
  const liveRoutes = scriptedRoutes(
    options.live ?? Array.from({ length: 40 }, () => answered('Live.')),
    options.deltas,
  );
  const routes = heldRoutes();
  const shadows: { record: GenerationRecord; pair: ShadowPair }[] = [];
  const drops: { rule: string; reason: ShadowDropReason }[] = [];
  const runs: { rule: string; status: string }[] = [];
  let rules = loadShadowRules(config, prompts.current());
  const liveTargets: { route: string; queued: number }[] = [];
  const recording = {
    redaction: createRedaction(['variables.email']),
    storeText: true,
    hashUnit: (kind: string, id: string) => `hash(${kind}:${id})`,
    configHash: () => 'config-hash',
    gatewayVersion: '0.0.0',
  };
  const ids = countingIds();
  const runner = createShadowRunner({
    ...recording,
    rules: () => rules,
    prompts,
    routes: () => routes,
    liveRoutes: {
      health: () =>
        liveTargets.map((target) => ({
          provider: 'scripted',
          model: 'model-a',
          circuit: 'closed' as const,
          inFlight: 1,
          ...target,
        })),
    },
    ledger,
    maxQueuedWrites: 100,
    shadowLedger: {
      appendShadowGeneration: async (record, pair) => {
        shadows.push({ record, pair });
      },
      appendShadowScore: async () => {
        throw new Error('nothing was ranked');
      },
    },
    policies: {
      find: () => {
        throw new Error('nothing is ranked');
      },
      current: () => {
        throw new Error('nothing is ranked');
      },
    },
    spending: { shadowSpend: async () => options.spends ?? [] },
    observer: {
      shadowRun: (run) => runs.push(run),
      shadowDropped: (drop) => drops.push(drop),
    },
    logger: silentLogger,
    defer: (run) => {
      setImmediate(run);
    },
    drainTimeoutMs: 1_000,
    ids,
    clock: { ...clock, monotonicMs: () => clock.monotonicMs() + lag.ms },
    random: seededRandom(1),
  });
  const service = createGenerateService({
    ...recording,
    shadows: runner,
    prompts,
    selector: scriptedSelector(),
    defaultPromptVersion: { everywhere: null, byPrompt: new Map() },
    config,
    routes: liveRoutes,
    ids,
    clock,
    random: seededRandom(1),
    ledger,
    logger: silentLogger,
    observer: { generation: () => {}, outcomes: () => {} },
    onLedgerFailure: 'serve',
  });
  return {
    clock,
    lag,
    ledger,
    routes,
    runner,
    service,
    shadows,
    drops,
    runs,
    liveTargets,
    setRules: (shadow: Record<string, object>) => {
      rules = loadShadowRules(configSchema.parse({ ...UPSTREAMS, shadow }), prompts.current());
    },
    ask: (changes: Partial<GenerateRequest> = {}, signal = new AbortController().signal) =>
      service.generate(request(changes), signal),
  };
}

function request(changes: Partial<GenerateRequest> = {}): GenerateRequest {
  return {
    surface: 'generate',
    context: {
      apiKeyId: 'anonymous',
      requestId: 'req_1',
      traceId: '0'.repeat(32),
      receivedAtMs: 1_000,
      receivedMonotonicMs: 0,
    },
    source: promptSource({}),
    route: null,
    model: null,
    parameters: {},
    tools: [],
    toolChoice: null,
    parallelToolCalls: null,
    responseFormat: null,
    extraFields: {},
    userId: 'ann',
    sessionId: null,
    externalId: 'tip-1',
    assignment: null,
    metadata: null,
    tags: [],
    dryRun: false,
    idempotency: null,
    ...changes,
  };
}

function promptSource(changes: object): GenerateRequest['source'] {
  return {
    kind: 'prompt',
    prompt: 'tip',
    promptVersion: 'v1',
    variables: {},
    profileFeatures: null,
    messages: [],
    ...changes,
  };
}

describe('a shadow run', () => {
  test('begins after the live answer, with the same variables on the candidate, and is recorded as seen by nobody', async () => {
    const { ask, clock, ledger, routes, shadows } = compose();

    const reply = await ask({
      source: promptSource({ variables: { mood: 'tired', email: 'ann@example.org' } }),
    });
    const startedBeforeTheAnswer = routes.calls.length;
    await clock.settle();
    routes.calls[0]?.answer(answered('Shadow.', { costNanoUsd: 60_000 }));
    await clock.settle();

    expect(startedBeforeTheAnswer).toBe(0);
    expect(reply.kind === 'answer' && reply.answer.text).toBe('Live.');
    expect(routes.calls[0]?.call.messages).toEqual([
      { role: 'user', content: [{ kind: 'text', text: 'v2 tired' }] },
    ]);
    expect(routes.calls[0]?.call.parameters).toEqual({ temperature: 0.3 });
    const live = ledger.generations[0];
    expect(shadows).toHaveLength(1);
    expect(shadows[0]?.record).toMatchObject({
      shadowOf: live?.id,
      delivered: false,
      forced: false,
      test: false,
      promptVersion: 'v2',
      versionSource: null,
      externalId: null,
      experiment: null,
      traceId: live?.traceId,
      text: 'Shadow.',
      costNanoUsd: 60_000,
    });
    expect(shadows[0]?.record.id).not.toBe(live?.id);
    expect(shadows[0]?.record.variables).toMatchObject({ mood: 'tired', email: '[redacted]' });
    expect(shadows[0]?.pair).toMatchObject({
      rule: 'candidate',
      changes: 'version',
      prompt: 'tip',
      charged: true,
      live: { id: live?.id, version: 'v1', status: 'ok', costNanoUsd: 120_000, schemaOk: null },
      shadow: { version: 'v2', status: 'ok', costNanoUsd: 60_000 },
    });
  });

  test('leaves an answer alone that is given while it hangs', async () => {
    const { ask, clock, routes, shadows } = compose();
    await ask();
    await clock.settle();

    const second = await ask();

    expect(routes.calls).toHaveLength(1);
    expect(second.kind === 'answer' && second.answer.text).toBe('Live.');
    expect(shadows).toEqual([]);
  });

  test('takes the route and the model of the rule, and the version of the live call', async () => {
    const { ask, clock, routes, shadows } = compose({
      shadow: { cheaper: { prompt: 'tip', route: 'cheap', model: 'small', sample: 1 } },
    });

    await ask();
    await clock.settle();
    routes.calls[0]?.answer(answered('Shadow.'));
    await clock.settle();

    expect(routes.calls[0]).toMatchObject({ route: 'cheap', call: { modelOverride: 'small' } });
    expect(shadows[0]?.record).toMatchObject({ promptVersion: 'v1', route: 'cheap' });
    expect(shadows[0]?.pair.changes).toBe('model+route');
  });

  test('follows a failed live call, and records its own failure', async () => {
    const { ask, clock, routes, shadows, runs } = compose({
      live: [refused(new AppError('provider_unavailable', 'down'))],
    });

    await expect(ask()).rejects.toMatchObject({ code: 'provider_unavailable' });
    await clock.settle();
    routes.calls[0]?.answer(refused(new AppError('provider_rejected', 'no')));
    await clock.settle();

    expect(shadows[0]?.pair).toMatchObject({
      live: { status: 'error', errorCode: 'provider_unavailable' },
      shadow: { status: 'error', errorCode: 'provider_rejected' },
    });
    expect(runs).toEqual([{ rule: 'candidate', status: 'error', costNanoUsd: null }]);
  });

  test('records variables that do not fit the candidate as its failure, without a model call', async () => {
    const { ask, clock, routes, shadows } = compose({
      shadow: { candidate: { ...TO_V2, version: 'broken' } },
    });

    await ask();
    await clock.settle();

    expect(routes.calls).toEqual([]);
    expect(shadows[0]?.record).toMatchObject({ status: 'error', errorCode: 'template_input_invalid' });
    expect(shadows[0]?.pair.charged).toBe(false);
  });

  test('repairs structured output once, as a live call does', async () => {
    const { ask, clock, routes, shadows } = compose({ shadow: { candidate: { ...TO_V2, version: 'v3' } } });

    await ask();
    await clock.settle();
    routes.calls[0]?.answer(answered('not JSON'));
    await clock.settle();
    routes.calls[1]?.answer(answered('still not'));
    await clock.settle();

    expect(routes.calls).toHaveLength(2);
    expect(shadows[0]?.record).toMatchObject({
      status: 'error',
      errorCode: 'provider_bad_response',
      repairs: 1,
    });
    expect(shadows[0]?.pair).toMatchObject({ live: { schemaOk: null }, shadow: { schemaOk: false } });
  });

  test('streams where the live call streamed, and checks output without a repair', async () => {
    const { service, clock, routes, shadows } = compose({
      live: [answered('Live.', { firstTokenMs: 3 })],
      deltas: ['Live.'],
      shadow: { candidate: { ...TO_V2, version: 'v3' } },
    });

    for await (const _event of service.stream(request(), new AbortController().signal)) {
      // Read to the end, as a client does.
    }
    await clock.settle();
    routes.calls[0]?.answer(answered('not JSON', { firstTokenMs: 3 }));
    await clock.settle();

    expect(routes.calls).toHaveLength(1);
    expect(routes.calls[0]?.streamed).toBe(true);
    expect(shadows[0]?.pair.shadow).toMatchObject({ status: 'ok', schemaOk: false });
  });

  test('fails as a timeout after the time of its rule, which counts as charged', async () => {
    const { ask, clock, shadows } = compose({ shadow: { candidate: { ...TO_V2, timeout_ms: 500 } } });

    await ask();
    await clock.advance(499);
    expect(shadows).toEqual([]);
    await clock.advance(1);

    expect(shadows[0]?.record).toMatchObject({ status: 'error', errorCode: 'provider_timeout' });
    expect(shadows[0]?.pair.charged).toBe(true);
  });
});

describe('live calls that are not shadowed', () => {
  test.each<[string, Partial<GenerateRequest>]>([
    ['dry runs', { dryRun: true }],
    ['test traffic', { tags: ['test'] }],
    ['calls without a prompt', { source: { kind: 'messages', messages: [] } }],
    ['calls of another prompt', { source: promptSource({ prompt: 'digest' }) }],
  ])('%s', async (_name, changes) => {
    const { ask, clock, routes, drops } = compose();

    await ask(changes);
    await clock.settle();

    expect(routes.calls).toEqual([]);
    expect(drops).toEqual([]);
  });

  test('calls whose caller left', async () => {
    const { ask, clock, routes } = compose();

    await ask({}, AbortSignal.abort());
    await clock.settle();

    expect(routes.calls).toEqual([]);
  });

  test('calls of another version than the rule is limited to', async () => {
    const { ask, clock, routes } = compose({ shadow: { candidate: { ...TO_V2, only_version: 'v3' } } });

    await ask();
    await clock.settle();

    expect(routes.calls).toEqual([]);
  });

  test('calls that the ledger could not take', async () => {
    const { ask, clock, ledger, routes } = compose();
    ledger.fail();

    await ask();
    await clock.settle();

    expect(routes.calls).toEqual([]);
  });

  test('calls that the candidate itself has served, which is counted', async () => {
    const { ask, clock, routes, drops } = compose();

    await ask({ source: promptSource({ promptVersion: 'v2' }) });
    await clock.settle();

    expect(routes.calls).toEqual([]);
    expect(drops).toEqual([{ rule: 'candidate', reason: 'same_as_live' }]);
  });
});

describe('a sample', () => {
  test('is a share of the calls, and another one for another rule', async () => {
    const { ask, clock, drops, routes } = compose({
      shadow: {
        one: { ...TO_V2, sample: 0.5, max_concurrency: 40 },
        two: { ...TO_V2, sample: 0.5, max_concurrency: 40 },
      },
    });

    for (let call = 0; call < 40; call += 1) await ask();
    await clock.settle();

    // Four standard errors of a half over 80 draws; both rules on one call would be 0 or 2 of 2.
    expect(Math.abs(routes.calls.length - 40)).toBeLessThan(4 * Math.sqrt(80 * 0.25));
    expect(drops).toEqual([]);
  });
});

describe('what is dropped', () => {
  test('calls beyond the places and the queue of the rule; those that wait run in turn', async () => {
    const { ask, clock, routes, drops, runner, shadows } = compose({
      shadow: { candidate: { ...TO_V2, max_concurrency: 1, max_queue: 2 } },
    });

    for (let call = 0; call < 5; call += 1) await ask();
    await clock.settle();

    expect(routes.calls).toHaveLength(1);
    expect(drops.map(({ reason }) => reason)).toEqual(['queue_full', 'queue_full']);
    expect(runner.activity('candidate')).toMatchObject({ running: 1, queued: 2, dropped: { queue_full: 2 } });
    for (let call = 0; call < 3; call += 1) {
      routes.calls[call]?.answer(answered('Shadow.'));
      await clock.settle();
    }
    expect(shadows).toHaveLength(3);
    expect(runner.activity('candidate')).toMatchObject({ running: 0, queued: 0 });
  });

  test('calls beyond the budget of the UTC day, of which the ledger knows the part before a restart', async () => {
    const { ask, clock, drops, routes, runner } = compose({
      shadow: { candidate: { ...TO_V2, budget_usd_per_day: 0.001, assumed_cost_usd: 0.0002 } },
      // 0.7 and one call of unknown cost: 0.9 of 1 thousandth of a dollar.
      spends: [{ rule: 'candidate', costNanoUsd: 700_000, unknownCost: 1 }],
    });
    await runner.restore();

    await ask();
    await clock.settle();
    routes.calls[0]?.answer(answered('Shadow.', { costNanoUsd: 100_000 }));
    await clock.settle();
    await ask();
    await clock.settle();

    expect(routes.calls).toHaveLength(1);
    expect(drops).toEqual([{ rule: 'candidate', reason: 'budget' }]);
    expect(runner.activity('candidate').spentTodayNanoUsd).toBe(1_000_000);

    await clock.advance(24 * 3_600_000);
    await ask();
    await clock.settle();
    expect(routes.calls).toHaveLength(2);
  });

  test('counts a call of unknown cost by what is assumed, and one that reached nobody by nothing', async () => {
    const { ask, clock, routes, runner } = compose({
      shadow: { candidate: { ...TO_V2, assumed_cost_usd: 0.25 } },
    });

    await ask();
    await clock.settle();
    routes.calls[0]?.answer(answered('Shadow.', { costNanoUsd: null }));
    await clock.settle();
    await ask();
    await clock.settle();
    routes.calls[1]?.answer(refused(new AppError('provider_unavailable', 'open'), { attempts: [] }));
    await clock.settle();

    expect(runner.activity('candidate').spentTodayNanoUsd).toBe(250_000_000);
  });

  test('calls while live ones wait for a place at their route', async () => {
    const { ask, clock, drops, liveTargets } = compose();
    liveTargets.push({ route: 'other', queued: 9 });
    await ask();
    await clock.settle();
    expect(drops).toEqual([]);

    liveTargets.push({ route: 'default', queued: 1 });
    await ask();
    await clock.settle();

    expect(drops).toEqual([{ rule: 'candidate', reason: 'live_saturated' }]);
  });

  test('calls for which the event loop comes too late', async () => {
    const { ask, clock, drops, lag } = compose();
    await ask();
    // The deferred turn has not come yet, and time goes by.
    lag.ms = 101;
    await clock.settle();

    expect(drops).toEqual([{ rule: 'candidate', reason: 'event_loop_late' }]);
  });

  test('calls that waited while their rule was changed', async () => {
    const { ask, clock, drops, routes, setRules } = compose({
      shadow: { candidate: { ...TO_V2, max_concurrency: 1 } },
    });
    await ask();
    await ask();
    await clock.settle();

    setRules({ candidate: { ...TO_V2, version: 'v3', max_concurrency: 1 } });
    routes.calls[0]?.answer(answered('Shadow.'));
    await clock.settle();

    expect(routes.calls).toHaveLength(1);
    expect(drops).toEqual([{ rule: 'candidate', reason: 'rule_changed' }]);
  });

  test('calls that come while the process is stopping; what runs is stopped when the time is over', async () => {
    const { ask, clock, drops, routes, runner, shadows } = compose({
      shadow: { candidate: { ...TO_V2, max_concurrency: 1 } },
    });
    await ask();
    await ask();
    await clock.settle();
    runner.beginDrain();
    await clock.advance(400);
    await ask();
    await clock.settle();

    let closed = false;
    const closing = runner.close().then(() => {
      closed = true;
    });
    await clock.advance(599);
    expect(closed).toBe(false);
    await clock.advance(1);
    await closing;

    expect(routes.calls).toHaveLength(1);
    expect(shadows).toEqual([]);
    expect(drops.map(({ reason }) => reason)).toEqual(['draining', 'draining', 'draining']);
  });

  test('nothing that ends before the stopping time is over', async () => {
    const { ask, clock, routes, runner, shadows } = compose();
    await ask();
    await clock.settle();

    const closing = runner.close();
    routes.calls[0]?.answer(answered('Shadow.', { result: modelResult('Shadow.') }));
    await closing;

    expect(shadows).toHaveLength(1);
  });
});
