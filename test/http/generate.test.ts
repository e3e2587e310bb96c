import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { AppError } from '../../src/kernel/index.ts';
import { answered, SCRIPTED_ANSWER, SCRIPTED_TIMING } from '../fakes/scripted-generate-service.ts';
import { startTestGateway, type TestGateway } from './start-test-gateway.ts';

let gateway: TestGateway;
beforeEach(async () => {
  gateway = await startTestGateway();
});
afterEach(() => gateway.close());

describe('POST /generate', () => {
  test('answers every field of the contract under its name', async () => {
    const response = await gateway.post('/generate', { prompt: 'tip', variables: { mood: 'tired' } });

    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      id: 'gen_1',
      text: 'Take a walk.',
      output: null,
      prompt: 'tip',
      prompt_version: 'v1',
      prompt_hash: 'sha256:tip-v1',
      version_source: 'default',
      label: null,
      experiment: null,
      arm: null,
      propensity: null,
      route: 'default',
      provider: 'litellm',
      model: 'gpt-4o-mini',
      degraded: false,
      finish_reason: 'stop',
      usage: { input_tokens: 31, output_tokens: 18, cached_input_tokens: null, reasoning_tokens: null },
      cost_usd: 0.00012,
      latency_ms: 412,
      attempts: 1,
      recorded: true,
      created_at: '2026-01-05T10:00:00.000Z',
    });
  });

  test('says version, timing and request id in headers', async () => {
    const response = await gateway.post('/generate', {}, { 'x-request-id': 'my-id.7' });

    expect(response.headers.get('x-request-id')).toBe('my-id.7');
    expect(response.headers.get('x-prompt-version')).toBe('v1');
    expect(response.headers.get('server-timing')).toBe(
      'render;dur=0.25, provider;dur=400, db;dur=1.5, total;dur=413',
    );
    expect(response.headers.get('idempotency-replayed')).toBeNull();
    expect(response.headers.get('etag')).toBeNull();
    expect(response.headers.get('x-powered-by')).toBeNull();
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  test('hands the whole call to the service', async () => {
    await gateway.post(
      '/generate',
      {
        prompt: 'digest',
        prompt_version: '@live',
        variables: { n: 1 },
        profile_features: { completion_rate: 0.4, tags: ['a', null], preferred_hour: null },
        user_id: 'u1',
        session_id: 's1',
        external_id: 'tip-77',
        route: 'cheap',
        model: 'gpt-x',
        parameters: { temperature: 0.2, top_p: 0.9, top_k: 5, max_output_tokens: 64, stop: ['\n'], seed: 7 },
        dry_run: false,
        assignment: { method: 'client_rotation', unit: 'user_id', propensity: 0.5 },
        metadata: { a: { b: 1 } },
        tags: ['test'],
      },
      {
        'idempotency-key': 'key-1',
        traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      },
    );

    expect(gateway.generate.requests[0]).toMatchObject({
      surface: 'generate',
      context: { apiKeyId: 'local', traceId: '4bf92f3577b34da6a3ce929d0e0e4736' },
      source: {
        kind: 'prompt',
        prompt: 'digest',
        promptVersion: '@live',
        variables: { n: 1 },
        profileFeatures: { completion_rate: 0.4, tags: ['a', null], preferred_hour: null },
      },
      route: 'cheap',
      model: 'gpt-x',
      parameters: {
        temperature: 0.2,
        topP: 0.9,
        topK: 5,
        maxOutputTokens: 64,
        stopSequences: ['\n'],
        seed: 7,
      },
      userId: 'u1',
      sessionId: 's1',
      externalId: 'tip-77',
      assignment: { method: 'client_rotation', unit: 'user_id', propensity: 0.5 },
      metadata: { a: { b: 1 } },
      tags: ['test'],
      dryRun: false,
      idempotency: { key: 'key-1', requestHash: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
  });

  test('reads null as not given', async () => {
    const response = await gateway.post('/generate', {
      prompt: null,
      prompt_version: null,
      variables: null,
      profile_features: null,
      user_id: null,
      tags: null,
      assignment: null,
      parameters: null,
    });

    expect(response.status).toBe(200);
    expect(gateway.generate.requests[0]).toMatchObject({
      source: { prompt: null, promptVersion: null, variables: {}, profileFeatures: null },
      parameters: {},
      assignment: null,
      tags: [],
    });
  });

  test('hashes equal bodies equally, whatever the order of their keys', async () => {
    const key = { 'idempotency-key': 'k' };
    await gateway.post('/generate', '{"prompt":"tip","variables":{"a":1,"b":2}}', key);
    await gateway.post('/generate', '{"variables":{"b":2,"a":1}, "prompt":"tip"}', key);
    await gateway.post('/generate', '{"variables":{"b":2,"a":2},"prompt":"tip"}', key);

    const [first, second, third] = gateway.generate.requests.map((call) => call.idempotency?.requestHash);
    expect(first).toBe(second);
    expect(third).not.toBe(first);
  });

  test('marks an answer that was read back', async () => {
    gateway.generate.onGenerate(async () => ({
      kind: 'answer',
      answer: SCRIPTED_ANSWER,
      timing: SCRIPTED_TIMING,
      replayed: true,
    }));

    const response = await gateway.post('/generate', {}, { 'idempotency-key': 'k' });

    expect(response.headers.get('idempotency-replayed')).toBe('true');
  });

  test('shows tool calls and unknown cost as they are', async () => {
    gateway.generate.onGenerate(async () =>
      answered({ costNanoUsd: null, toolCalls: [{ id: 'call_1', name: 'look', argumentsText: '{"a":' }] }),
    );

    expect(await (await gateway.post('/generate', {})).json()).toMatchObject({
      cost_usd: null,
      tool_calls: [{ id: 'call_1', name: 'look', arguments: '{"a":' }],
    });
  });

  test('answers a dry run without a call', async () => {
    gateway.generate.onGenerate(async () => ({
      kind: 'dry_run',
      dryRun: {
        prompt: 'tip',
        promptVersion: 'v1',
        promptHash: 'sha256:tip-v1',
        versionSource: 'default',
        label: 'live',
        experiment: 'tone',
        arm: 'control',
        propensity: 0.5,
        messages: [{ role: 'user', content: [{ kind: 'text', text: 'v1 calm' }] }],
        variables: { mood: 'calm' },
        route: 'default',
        model: null,
        targets: [{ provider: 'litellm', model: 'auto' }],
        parameters: { temperature: 0.2, maxOutputTokens: 64 },
      },
    }));

    const response = await gateway.post('/generate', { dry_run: true, stream: true });

    expect(gateway.generate.requests[0]?.dryRun).toBe(true);
    expect(await response.json()).toMatchObject({
      dry_run: true,
      label: 'live',
      experiment: 'tone',
      arm: 'control',
      propensity: 0.5,
      messages: [{ role: 'user', content: 'v1 calm' }],
      parameters: { temperature: 0.2, max_output_tokens: 64 },
    });
  });

  test('writes one log line with facts and without text', async () => {
    const response = await gateway.post('/generate', { variables: { mood: 'a-secret-mood' } });
    await response.text();
    await new Promise((resolve) => setImmediate(resolve));

    const lines = gateway.logLines.filter((line) => line.fields['event'] === 'request');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      level: 'info',
      message: 'request',
      fields: {
        route: '/generate',
        status: 200,
        generation_id: 'gen_1',
        prompt: 'tip',
        prompt_version: 'v1',
        model: 'gpt-4o-mini',
        latency_ms: 412,
        input_tokens: 31,
        output_tokens: 18,
      },
    });
    expect(JSON.stringify(gateway.logLines)).not.toMatch(/secret-mood|Take a walk/);
  });

  test('hides the text of an uncoded error from the caller and logs it whole, once', async () => {
    gateway.generate.onGenerate(async () => {
      throw new Error('password=hunter2');
    });

    const response = await gateway.post('/generate', {});
    const body = await response.text();

    expect(response.status).toBe(500);
    expect(body).toContain('"code":"internal"');
    expect(body).not.toContain('hunter2');
    const logged = gateway.logLines.filter((line) => line.level === 'error');
    expect(logged).toHaveLength(1);
    expect(String(logged[0]?.fields['cause'])).toContain('hunter2');
  });

  test('aborts the call within 100 ms of the caller leaving', async () => {
    const caller = new AbortController();
    const aborted = new Promise<number>((resolve) => {
      gateway.generate.onGenerate((_call, signal) => {
        setImmediate(() => caller.abort());
        const leftAtMs = performance.now();
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            resolve(performance.now() - leftAtMs);
            reject(new AppError('client_closed', 'the caller closed the connection'));
          });
        });
      });
    });

    const call = fetch(`${gateway.url}/generate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
      signal: caller.signal,
    });

    await expect(call).rejects.toThrow();
    expect(await aborted).toBeLessThan(100);
  });
});
