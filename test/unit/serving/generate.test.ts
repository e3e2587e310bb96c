import { describe, expect, test } from '@jest/globals';
import { configSchema } from '../../../src/config/index.ts';
import { AppError, seededRandom, silentLogger } from '../../../src/kernel/index.ts';
import type { RouteOutcome } from '../../../src/providers/index.ts';
import {
  createGenerateService,
  createRedaction,
  type GenerateReply,
  type GenerateRequest,
  type GenerateStreamEvent,
} from '../../../src/serving/index.ts';
import { countingIds } from '../../fakes/counting-ids.ts';
import { fixedClock } from '../../fakes/fixed-clock.ts';
import { recordingLedger } from '../../fakes/recording-ledger.ts';
import { experiment, type ScriptedSelector, scriptedSelector } from '../../fakes/scripted-experiments.ts';
import { jsonVersion, scriptedPrompts, scriptedVersion } from '../../fakes/scripted-prompts.ts';
import { answered, modelResult, refused, scriptedRoutes } from '../../fakes/scripted-routes.ts';

const config = configSchema.parse({
  providers: { scripted: { kind: 'offline' } },
  routes: { default: { targets: [{ provider: 'scripted' }] } },
});

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
    source: {
      kind: 'prompt',
      prompt: null,
      promptVersion: null,
      variables: {},
      profileFeatures: null,
      messages: [],
    },
    route: null,
    model: null,
    parameters: {},
    tools: [],
    toolChoice: null,
    parallelToolCalls: null,
    responseFormat: null,
    extraFields: {},
    userId: null,
    sessionId: null,
    externalId: null,
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
    prompt: null,
    promptVersion: null,
    variables: {},
    profileFeatures: null,
    messages: [],
    ...changes,
  };
}

interface SetUp {
  readonly outcomes?: readonly RouteOutcome[];
  readonly deltas?: readonly string[];
  readonly onLedgerFailure?: 'fail' | 'serve';
  readonly redact?: readonly string[];
  readonly storeText?: boolean;
  readonly selector?: ScriptedSelector;
}

function compose(options: SetUp = {}) {
  const ledger = recordingLedger();
  const routes = scriptedRoutes(options.outcomes ?? [answered('Take a walk.')], options.deltas);
  const service = createGenerateService({
    prompts: scriptedPrompts([
      scriptedVersion('tip', 'v1'),
      scriptedVersion('tip', 'v2', {
        model: 'front-matter-model',
        parameters: { temperature: 0.3, topP: 0.9 },
      }),
      jsonVersion('tip', 'v3'),
    ]),
    selector: options.selector ?? scriptedSelector(),
    defaultPromptVersion: { everywhere: null, byPrompt: new Map() },
    config,
    routes,
    ids: countingIds(),
    clock: fixedClock(),
    random: seededRandom(1),
    ledger,
    logger: silentLogger,
    observer: { generation: () => {}, outcomes: () => {} },
    onLedgerFailure: options.onLedgerFailure ?? 'fail',
    redaction: createRedaction(options.redact ?? []),
    storeText: options.storeText ?? true,
    hashUnit: (kind, id) => `hash(${kind}:${id})`,
    configHash: () => 'config-hash',
    gatewayVersion: '0.0.0',
  });
  return { ledger, routes, service };
}

const live = (): AbortSignal => new AbortController().signal;

function answerOf(reply: GenerateReply) {
  if (reply.kind !== 'answer') throw new Error('not an answer');
  return reply.answer;
}

async function refusalOf(promise: Promise<unknown>): Promise<AppError> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof AppError) return error;
  throw new Error('nothing was refused');
}

async function collect(events: AsyncIterable<GenerateStreamEvent>): Promise<GenerateStreamEvent[]> {
  const all: GenerateStreamEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

describe('a call', () => {
  test('answers with the concrete version and records the same', async () => {
    const { service, ledger } = compose();

    const answer = answerOf(await service.generate(request(), live()));

    expect(answer).toMatchObject({
      id: 'gen_1',
      text: 'Take a walk.',
      prompt: 'tip',
      promptVersion: 'v1',
      promptHash: 'sha256:tip-v1',
      versionSource: 'default',
      provider: 'scripted',
      degraded: false,
      recorded: true,
      attempts: 1,
    });
    expect(ledger.generations[0]).toMatchObject({
      id: 'gen_1',
      promptVersion: 'v1',
      promptHash: 'sha256:tip-v1',
      versionSource: 'default',
      status: 'ok',
      delivered: true,
      forced: false,
      variables: { mood: 'calm' },
      configHash: 'config-hash',
      registryHash: 'sha256:registry',
    });
  });

  test.each([
    ['forced when the body names a version', 'v1', null, true],
    [
      'not forced when the caller says how it was assigned',
      'v1',
      { method: 'client_rotation', unit: 'user_id', propensity: 0.5 },
      false,
    ],
    ['not forced by default', null, null, false],
  ])('is %s', async (_name, promptVersion, assignment, forced) => {
    const { service, ledger } = compose();

    await service.generate(request({ source: promptSource({ promptVersion }), assignment }), live());

    expect(ledger.generations[0]?.forced).toBe(forced);
    expect(ledger.generations[0]?.propensity).toBe(assignment?.propensity ?? null);
  });

  test('records the parameters that were sent, with what the route filled in', async () => {
    const sent = { temperature: 1, maxOutputTokens: 100 };
    const { service, ledger } = compose({ outcomes: [answered('Walk.', { parameters: sent })] });

    await service.generate(request({ parameters: { temperature: 1 } }), live());

    expect(ledger.generations[0]?.parameters).toEqual(sent);
  });

  test('takes model and parameters from the body, then the front matter', async () => {
    const { service, routes } = compose({ outcomes: [answered('a'), answered('b')] });
    const source = promptSource({ promptVersion: 'v2' });

    await service.generate(request({ source, parameters: { temperature: 1 } }), live());
    await service.generate(request({ source, model: 'body-model' }), live());

    expect(routes.calls[0]).toMatchObject({
      modelOverride: 'front-matter-model',
      modelByCaller: false,
      parameters: { temperature: 1, topP: 0.9 },
    });
    expect(routes.calls[1]).toMatchObject({ modelOverride: 'body-model', modelByCaller: true });
  });

  test('stores hashed units, redacted variables and profile features apart', async () => {
    const { service, ledger } = compose({ redact: ['variables.email', 'profile_features.email'] });
    const source = promptSource({
      variables: { email: 'a@b.c' },
      profileFeatures: { email: 'a@b.c', tip_volume: 3 },
    });

    await service.generate(request({ source, userId: 'u1', sessionId: 's1' }), live());

    const row = ledger.generations[0];
    expect(row).toMatchObject({
      unitKind: 'user_id',
      unitKey: 'hash(user_id:u1)',
      sessionKey: 'hash(session_id:s1)',
      variables: { mood: 'calm', email: '[redacted]' },
      profileFeatures: { email: '[redacted]', tip_volume: 3 },
    });
    expect(JSON.stringify(row)).not.toContain('a@b.c');
  });

  test('keeps no text when told so', async () => {
    const { service, ledger } = compose({ storeText: false });

    const answer = answerOf(await service.generate(request(), live()));

    expect(answer.text).toBe('Take a walk.');
    expect(JSON.stringify(ledger.generations[0])).not.toContain('Take a walk');
  });

  test('records a failed call with its attempts and passes the error on with the id of its row', async () => {
    const cause = new Error('underneath');
    const error = new AppError('provider_unavailable', 'no provider answered', {
      details: { route: 'default' },
      retryAfterMs: 2_000,
      cause,
    });
    const { service, ledger } = compose({ outcomes: [refused(error)] });

    const refusal = await refusalOf(service.generate(request(), live()));

    expect(refusal).toMatchObject({
      code: 'provider_unavailable',
      message: 'no provider answered',
      details: { route: 'default', generationId: ledger.generations[0]?.id },
      retryAfterMs: 2_000,
      cause,
    });
    expect(ledger.generations[0]).toMatchObject({
      status: 'error',
      errorCode: 'provider_unavailable',
      delivered: false,
    });
    expect(ledger.generations[0]?.attempts).toHaveLength(1);
  });

  test('counts upstream calls, not targets that were passed over', async () => {
    const passedOver = {
      provider: 'a',
      model: 'm',
      startedMs: 0,
      durationMs: 0,
      outcome: 'skipped_open_circuit' as const,
      status: null,
      error: null,
    };
    const base = answered('Take a walk.');
    const { service, ledger } = compose({
      outcomes: [{ ...base, attempts: [passedOver, ...base.attempts] }],
    });

    const answer = answerOf(await service.generate(request(), live()));

    expect(answer.attempts).toBe(1);
    expect(ledger.generations[0]?.attempts).toHaveLength(2);
  });

  test('does not count as delivered when the caller left meanwhile', async () => {
    const { service, ledger } = compose();
    const caller = new AbortController();
    caller.abort();

    await service.generate(request(), caller.signal);

    expect(ledger.generations[0]).toMatchObject({
      status: 'client_closed',
      delivered: false,
      outputTokens: 18,
    });
  });

  test('shows what would be sent on a dry run, without a call or a row', async () => {
    const { service, ledger, routes } = compose();

    const reply = await service.generate(
      request({ dryRun: true, source: promptSource({ variables: { mood: 'low' } }) }),
      live(),
    );

    expect(reply).toMatchObject({
      kind: 'dry_run',
      dryRun: { promptVersion: 'v1', variables: { mood: 'low' } },
    });
    expect([routes.calls.length, ledger.generations.length]).toEqual([0, 0]);
  });

  test('passes messages through without a prompt', async () => {
    const { service, ledger } = compose();
    const messages = [{ role: 'user' as const, content: [{ kind: 'text' as const, text: 'hi' }] }];

    const answer = answerOf(
      await service.generate(request({ surface: 'chat', source: { kind: 'messages', messages } }), live()),
    );

    expect(answer).toMatchObject({ prompt: null, promptVersion: null, route: 'default' });
    expect(ledger.generations[0]).toMatchObject({ surface: 'chat', prompt: null, messages });
  });
});

describe('structured output', () => {
  const source = promptSource({ promptVersion: 'v3' });

  test('asks for the schema and answers the parsed value', async () => {
    const { service, routes } = compose({ outcomes: [answered('{"tip":"Walk."}')] });

    const answer = answerOf(await service.generate(request({ source }), live()));

    expect(answer.output).toEqual({ tip: 'Walk.' });
    expect(routes.calls[0]?.responseFormat).toEqual({
      kind: 'json_schema',
      name: 'tip_v3',
      schema: { type: 'object', required: ['tip'] },
    });
  });

  test('gets one repair attempt that names the faults, and counts both answers', async () => {
    const { service, routes, ledger } = compose({
      outcomes: [answered('{"tap":1}'), answered('{"tip":"Walk."}')],
    });

    const answer = answerOf(await service.generate(request({ source }), live()));

    expect(answer).toMatchObject({
      output: { tip: 'Walk.' },
      attempts: 2,
      usage: { inputTokens: 62, outputTokens: 36 },
      costNanoUsd: 240_000,
    });
    expect(JSON.stringify(routes.calls[1]?.messages)).toContain('tip: required');
    expect(ledger.generations).toHaveLength(1);
    expect(ledger.generations[0]).toMatchObject({ repairs: 1, providerMs: 24 });
  });

  test('fails with provider_bad_response when the repair does not fit either, and keeps the text', async () => {
    const { service, ledger } = compose({ outcomes: [answered('no'), answered('still no')] });

    const error = await refusalOf(service.generate(request({ source }), live()));

    expect(error.code).toBe('provider_bad_response');
    expect(error.faults).toEqual([{ path: '', message: 'not JSON' }]);
    expect(ledger.generations[0]).toMatchObject({
      status: 'error',
      errorCode: 'provider_bad_response',
      text: 'still no',
      repairs: 1,
      delivered: false,
    });
  });

  test('fails with provider_bad_response when no provider takes the repair', async () => {
    const { service, ledger } = compose({
      outcomes: [answered('no'), refused(new AppError('provider_timeout', 'late'))],
    });

    const error = await refusalOf(service.generate(request({ source }), live()));

    expect(error.code).toBe('provider_bad_response');
    expect(ledger.generations[0]?.attempts).toHaveLength(2);
  });

  test('leaves tool calls alone', async () => {
    const toolCalls = [{ id: 'c1', name: 'lookup', argumentsText: '{}' }];
    const { service } = compose({ outcomes: [answered('', { result: modelResult('', { toolCalls }) })] });

    expect(answerOf(await service.generate(request({ source }), live())).toolCalls).toEqual(toolCalls);
  });
});

describe('a ledger that cannot be written', () => {
  test('refuses the answer by default', async () => {
    const { service, ledger } = compose();
    ledger.fail();

    expect((await refusalOf(service.generate(request(), live()))).code).toBe('storage_unavailable');
  });

  test('serves with recorded false when told to', async () => {
    const { service, ledger } = compose({ onLedgerFailure: 'serve' });
    ledger.fail();

    expect(answerOf(await service.generate(request(), live()))).toMatchObject({
      text: 'Take a walk.',
      recorded: false,
    });
  });
});

describe('an Idempotency-Key', () => {
  const idempotency = { key: 'k1', requestHash: 'h' };

  test('is completed in the transaction of the generation', async () => {
    const { service, ledger } = compose();

    const answer = answerOf(await service.generate(request({ idempotency }), live()));

    expect(ledger.completions).toHaveLength(1);
    expect(JSON.parse(ledger.completions[0]?.responseJson ?? '')).toEqual(answer);
    expect(ledger.released).toEqual([]);
  });

  test('replays a completed answer without a call', async () => {
    const { service, ledger, routes } = compose();
    const first = answerOf(await service.generate(request({ idempotency }), live()));
    ledger.answerClaims({ kind: 'completed', responseJson: JSON.stringify(first), generationId: first.id });

    const reply = await service.generate(request({ idempotency }), live());

    expect(reply).toMatchObject({ kind: 'answer', replayed: true, answer: { id: 'gen_1' } });
    expect(routes.calls).toHaveLength(1);
  });

  test('replays a stream as one event', async () => {
    const { service, ledger } = compose();
    const first = answerOf(await service.generate(request({ idempotency }), live()));
    ledger.answerClaims({ kind: 'completed', responseJson: JSON.stringify(first), generationId: first.id });

    const events = await collect(service.stream(request({ idempotency }), live()));

    expect(events.map((event) => event.kind)).toEqual(['start', 'text', 'end']);
  });

  test.each([
    [{ kind: 'running', retryAfterMs: 5_000 } as const, 'idempotency_in_progress'],
    [{ kind: 'mismatch' } as const, 'idempotency_mismatch'],
  ])('refuses a claim that is %p', async (result, code) => {
    const { service, ledger, routes } = compose();
    ledger.answerClaims(result);

    expect((await refusalOf(service.generate(request({ idempotency }), live()))).code).toBe(code);
    expect(routes.calls).toEqual([]);
  });

  test.each([
    ['a provider failure', { outcomes: [refused(new AppError('provider_timeout', 'late'))] }, {}],
    ['an unknown version', {}, { source: promptSource({ promptVersion: 'v9' }) }],
    ['an unknown route', {}, { route: 'nope' }],
  ])('is free again after %s', async (_name, setUp, changes) => {
    const { service, ledger } = compose(setUp);

    await refusalOf(service.generate(request({ idempotency, ...changes }), live()));

    expect(ledger.released).toEqual(['k1']);
    expect(ledger.completions).toEqual([]);
  });
});

describe('a stream', () => {
  test('starts with the head, passes deltas on and ends after the commit', async () => {
    const { service, ledger } = compose({
      outcomes: [answered('Take a walk.', { firstTokenMs: 4 })],
      deltas: ['Take', ' a walk.'],
    });

    const events = await collect(service.stream(request(), live()));

    expect(events.map((event) => event.kind)).toEqual(['start', 'text', 'text', 'end']);
    expect(events[0]).toMatchObject({ head: { id: 'gen_1', promptVersion: 'v1' } });
    expect(ledger.generations[0]).toMatchObject({
      status: 'ok',
      delivered: true,
      streamed: true,
      firstTokenMs: 4,
    });
  });

  test('fails before the first event when no provider answers', async () => {
    const { service, ledger } = compose({ outcomes: [refused(new AppError('provider_timeout', 'late'))] });

    expect((await refusalOf(collect(service.stream(request(), live())))).code).toBe('provider_timeout');
    expect(ledger.generations).toHaveLength(1);
  });

  test('ends with an error event after the first token, recorded as incomplete', async () => {
    const partial = { text: 'Take', usage: null, provider: 'scripted', model: 'model-a', firstTokenMs: 4 };
    const { service, ledger } = compose({
      outcomes: [refused(new AppError('provider_unavailable', 'cut'), { partial })],
      deltas: ['Take'],
    });

    const events = await collect(service.stream(request(), live()));

    expect(events.map((event) => event.kind)).toEqual(['start', 'text', 'error']);
    expect(ledger.generations[0]).toMatchObject({
      status: 'incomplete',
      text: 'Take',
      provider: 'scripted',
      delivered: false,
    });
  });

  test('records a reader that stops listening as client_closed, once', async () => {
    const { service, ledger } = compose({ deltas: ['Take', ' a walk.'] });

    for await (const event of service.stream(request(), live())) {
      if (event.kind === 'text') break;
    }

    expect(ledger.generations).toHaveLength(1);
    expect(ledger.generations[0]).toMatchObject({ status: 'client_closed', text: 'Take' });
  });

  test('says that structured output does not fit, which is too late to repair', async () => {
    const { service } = compose({ outcomes: [answered('no')], deltas: ['no'] });

    const events = await collect(
      service.stream(request({ source: promptSource({ promptVersion: 'v3' }) }), live()),
    );

    expect(events.at(-1)).toMatchObject({ kind: 'end', outputFaults: [{ message: 'not JSON' }] });
  });

  test('refuses outright when nothing was sent yet and the ledger cannot take it', async () => {
    const { service, ledger } = compose({ deltas: [] });
    ledger.fail();

    expect((await refusalOf(collect(service.stream(request(), live())))).code).toBe('storage_unavailable');
  });

  test('says so when the ledger cannot take what was streamed', async () => {
    const { service, ledger } = compose({ deltas: ['Take'] });
    ledger.fail();

    const events = await collect(service.stream(request(), live()));

    expect(events.at(-1)).toMatchObject({ kind: 'error', error: { code: 'storage_unavailable' } });
  });
});

describe('a call of an experiment', () => {
  const experiments = (unit: 'user_id' | 'session_id') =>
    scriptedSelector({
      labels: { tip: { live: { kind: 'experiment', experiment: 'tone' } } },
      experiments: [experiment({ unit })],
    });
  const source = promptSource({ promptVersion: '@live' });

  test('is recorded with label, version, unit and the probabilities of all arms', async () => {
    const { service, ledger } = compose({ selector: experiments('user_id') });

    const reply = await service.generate(request({ source, userId: 'ann', sessionId: 's1' }), live());

    const [row] = ledger.generations;
    expect(row).toMatchObject({
      label: 'live',
      versionSource: 'body',
      forced: false,
      promptVersion: row?.arm === 'warm' ? 'v2' : 'v1',
      experiment: 'tone',
      experimentRevision: 'sha256:one',
      propensity: 0.5,
      propensities: { control: 0.5, warm: 0.5 },
      assignedPolicyRevision: 'tone-1',
      currentPolicyRevision: 'tone-1',
      unitKind: 'user_id',
      unitKey: 'hash(user_id:ann)',
      sessionKey: 'hash(session_id:s1)',
    });
    expect(reply).toMatchObject({
      answer: { label: 'live', experiment: 'tone', arm: row?.arm, propensity: 0.5 },
    });
  });

  test('names the session as its unit where the experiment does', async () => {
    const { service, ledger } = compose({ selector: experiments('session_id') });

    await service.generate(request({ source, userId: 'ann', sessionId: 's1' }), live());

    expect(ledger.generations[0]).toMatchObject({
      unitKind: 'session_id',
      unitKey: 'hash(session_id:s1)',
      experiment: 'tone',
    });
  });

  test('without its unit gets the baseline and is part of no experiment', async () => {
    const { service, ledger } = compose({ selector: experiments('user_id') });

    await service.generate(request({ source, sessionId: 's1' }), live());

    expect(ledger.generations[0]).toMatchObject({
      label: 'live',
      promptVersion: 'v1',
      experiment: null,
      arm: null,
      propensity: null,
      unitKind: null,
      unitKey: null,
    });
  });

  test('that fails is recorded in its arm', async () => {
    const failed = refused(new AppError('provider_timeout', 'too slow'));
    const { service, ledger } = compose({ selector: experiments('user_id'), outcomes: [failed] });

    await refusalOf(service.generate(request({ source, userId: 'ann' }), live()));

    expect(ledger.generations[0]).toMatchObject({ status: 'error', experiment: 'tone', propensity: 0.5 });
  });

  test('frees its key when the unit cannot be looked up', async () => {
    const selector = experiments('user_id');
    selector.failOnce();
    const { service, ledger } = compose({ selector });
    const idempotency = { key: 'k1', requestHash: 'h' };

    const error = await refusalOf(service.generate(request({ source, userId: 'ann', idempotency }), live()));

    expect([error.code, ledger.released, ledger.generations]).toEqual(['storage_unavailable', ['k1'], []]);
  });
});
