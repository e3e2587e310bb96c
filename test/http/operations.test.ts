import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startServer } from '../../src/http/index.ts';
import type { StoredGeneration } from '../../src/ledger/index.ts';
import { SCRIPTED_ANSWER, streamOf } from '../fakes/scripted-generate-service.ts';
import { startTestGateway, type TestGateway } from './start-test-gateway.ts';

let gateway: TestGateway;
beforeEach(async () => {
  gateway = await startTestGateway();
});
afterEach(() => gateway.close());

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${gateway.url}${path}`, { headers });

describe('health', () => {
  test('is alive whatever is broken', async () => {
    gateway.ledger.fail();

    expect(await (await get('/healthz')).json()).toEqual({ status: 'ok' });
  });

  test('is ready with every part named', async () => {
    const response = await get('/readyz');

    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      status: 'ready',
      draining: false,
      parts: {
        database: { status: 'ok', detail: null },
        retention: { status: 'ok', detail: null },
        config: { status: 'ok', detail: null },
        prompts: { status: 'ok', detail: null },
        providers: { status: 'ok', detail: null },
      },
    });
  });

  test('is not ready without a writable ledger', async () => {
    gateway.ledger.fail();
    const response = await get('/readyz');

    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      status: 'not_ready',
      parts: { database: { status: 'failed' } },
    });
  });

  test('is degraded without a writable ledger where calls are served all the same', async () => {
    const serving = await startTestGateway({ settings: { onLedgerFailure: 'serve' } });
    try {
      serving.ledger.fail();
      const response = await fetch(`${serving.url}/readyz`);

      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({
        status: 'degraded',
        parts: { database: { status: 'degraded', detail: expect.stringContaining('feedback is refused') } },
      });
    } finally {
      await serving.close();
    }
  });

  test.each([
    [{ isFull: true, maxBytes: 67_108_864 }, 'at ledger.retention.max_bytes (67108864)'],
    [
      { earlyFromMs: Date.UTC(2026, 10, 1) },
      'whose outcomes may still come (from 2026-11-01T00:00:00.000Z on',
    ],
    [{ failure: 'disk I/O error' }, 'the last step failed: disk I/O error'],
  ])('is degraded by retention that cannot keep what it should: %j', async (changes, detail) => {
    gateway.retention.set(changes);
    const response = await get('/readyz');

    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      status: 'degraded',
      parts: { retention: { status: 'degraded', detail: expect.stringContaining(detail) } },
    });
  });

  test('follows the ledger at once, both ways', async () => {
    expect((await get('/readyz')).status).toBe(200);
    gateway.ledger.fail();
    expect((await get('/readyz')).status).toBe(503);
    gateway.ledger.heal();
    expect((await get('/readyz')).status).toBe(200);
  });

  test('is degraded, and still ready, while a provider is down', async () => {
    gateway.targets.push({
      route: 'default',
      provider: 'litellm',
      model: 'auto',
      circuit: 'open',
      inFlight: 0,
      queued: 0,
    });
    const response = await get('/readyz');

    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      status: 'degraded',
      parts: { providers: { status: 'degraded', detail: expect.stringContaining('litellm') } },
    });
  });

  test.each([
    [
      { faults: [{ path: 'gateway.config.json:3:5', message: 'no such thing' }], needsRestart: [] },
      'degraded',
      'gateway.config.json:3:5 no such thing',
      0,
    ],
    [{ faults: [], needsRestart: ['server.port'] }, 'ok', 'restart to come into force: server.port', 1],
  ])('says what a reload of the configuration left undone (%#)', async (outcome, status, detail, success) => {
    const lastReload = { at: '', hash: '', changed: [], warnings: [], ...outcome };
    const config = { status: () => ({ lastReload, counts: { changed: 1, unchanged: 0, failed: 2 } }) };
    const other = await startTestGateway({ config });
    try {
      const response = await fetch(`${other.url}/readyz`);
      const metrics = await (await fetch(`${other.url}/metrics`)).text();

      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({
        parts: { config: { status, detail: expect.stringContaining(detail) } },
      });
      expect(metrics).toContain(`gateway_config_last_reload_success ${success}`);
      expect(metrics).toContain('gateway_config_reloads_total{result="failed"} 2');
    } finally {
      await other.close();
    }
  });

  test('is not ready from the moment it drains', async () => {
    expect((await get('/readyz')).status).toBe(200);
    gateway.drain.begin();

    const response = await get('/readyz');
    expect(response.status).toBe(503);
    expect(response.headers.get('connection')).toBe('close');
    expect(await response.json()).toMatchObject({ status: 'not_ready', draining: true });
    expect((await get('/healthz')).status).toBe(200);
  });
});

describe('the drain', () => {
  test('lets a stream finish, refuses new connections and cuts nothing', async () => {
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    gateway.generate.onStream(async function* () {
      yield { kind: 'start', head: SCRIPTED_ANSWER };
      await held;
      for await (const event of streamOf('walk')) if (event.kind !== 'start') yield event;
    });
    const response = await gateway.post('/generate', { stream: true });

    const closing = gateway.server.closeGracefully({ drainTimeoutMs: 5_000 });
    await expect(fetch(`${gateway.url}/healthz`)).rejects.toThrow();
    release();

    expect(await response.text()).toContain('event: end');
    expect(await closing).toEqual({ cutConnections: 0 });
  });

  test('cuts what does not end in time', async () => {
    gateway.generate.onStream(async function* (_call, signal) {
      yield { kind: 'start', head: SCRIPTED_ANSWER };
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
    const response = await gateway.post('/generate', { stream: true });
    const read = response.text();
    read.catch(() => {});

    expect(await gateway.server.closeGracefully({ drainTimeoutMs: 50 })).toEqual({ cutConnections: 1 });
    await expect(read).rejects.toThrow();
  });
});

describe('the listener', () => {
  test('refuses an address that is taken, saying what to set', async () => {
    const again = startServer({
      app: () => {},
      host: '127.0.0.1',
      port: gateway.port,
      drain: gateway.drain,
      clock: gateway.services.clock,
    });

    await expect(again).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('server.port'),
    });
  });

  test('keeps nothing of an answer in caches', async () => {
    expect((await get('/prompts')).headers.get('cache-control')).toBe('no-store');
  });
});

describe('GET /metrics', () => {
  test('counts requests by pattern, never by path', async () => {
    await (await get('/prompts/tip')).text();
    await (await get('/prompts/%3Cscript%3E')).text();
    await (await get('/made-up/12345')).text();
    const response = await get('/metrics');
    const text = await response.text();

    expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    expect(text).toContain(
      'gateway_request_duration_seconds_count{route="/prompts/:name",method="GET",status="200"} 1',
    );
    expect(text).toContain(
      'gateway_request_duration_seconds_count{route="/prompts/:name",method="GET",status="404"} 1',
    );
    expect(text).toContain(
      'gateway_request_duration_seconds_count{route="unmatched",method="GET",status="404"} 1',
    );
    expect(text).not.toMatch(/<script|%3C|12345/);
    expect(text).not.toMatch(/nodejs_active_(handles|requests|resources)/);
    expect(text).toContain('gateway_ledger_writable 1');
  });

  test('labels registered versions only', async () => {
    const observe = (prompt: string | null, promptVersion: string | null) =>
      gateway.services.metrics.generation({
        surface: 'generate',
        prompt,
        promptVersion,
        provider: 'litellm',
        status: 'ok',
        errorCode: null,
        totalMs: 413,
        providerMs: 400,
        commitMs: 1.5,
        firstTokenMs: null,
        inputTokens: 31,
        outputTokens: null,
        costNanoUsd: 120_000,
        attempts: [
          { provider: 'openai', outcome: 'server' },
          { provider: 'litellm', outcome: 'ok' },
        ],
        degraded: false,
        recorded: true,
        leftOut: { experiment: 'tone', reason: 'no_unit' },
      });
    observe('tip', 'v2');
    observe('tip', 'made-up');
    observe('made-up', 'v1');
    observe(null, null);

    const text = await gateway.services.metrics.scrape();
    const labels = [...text.matchAll(/gateway_generations_total\{([^}]*)\}/g)].map((match) => match[1]);
    expect(labels).toEqual([
      expect.stringContaining('prompt="tip",prompt_version="v2"'),
      expect.stringContaining('prompt="tip",prompt_version="unknown"'),
      expect.stringContaining('prompt="unknown",prompt_version="unknown"'),
      expect.stringContaining('prompt="none",prompt_version="none"'),
    ]);
    expect(text).toContain('gateway_provider_attempts_total{provider="openai",outcome="server"} 4');
    expect(text).toContain('gateway_overhead_seconds_sum{surface="generate"} 0.052');
    expect(text).toContain(
      'gateway_tokens_total{prompt="tip",prompt_version="v2",provider="litellm",direction="input"} 31',
    );
    expect(text).not.toContain('direction="output"');
    expect(text).toContain('gateway_experiment_left_out_total{experiment="tone",reason="no_unit"} 4');
  });
});

describe('the pages', () => {
  test('the index links to everything', async () => {
    expect(await (await get('/')).json()).toMatchObject({ name: 'prompt-gateway', links: { docs: '/docs' } });
  });

  test('the API page brings its own files under a policy without inline or foreign code', async () => {
    const page = await get('/docs');
    const html = await page.text();
    const policy = page.headers.get('content-security-policy') ?? '';
    const files = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map((match) => match[1] ?? '');

    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toMatch(/unsafe|https?:/);
    expect(html).not.toMatch(/<script>|\sstyle=|\son\w+=/);
    expect(files).toEqual(['/docs/swagger-ui.css', '/docs/swagger-ui-bundle.js', '/docs/init.js']);
    for (const file of files) {
      const response = await get(file);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toMatch(/^text\/(css|javascript)/);
      expect((await response.text()).length).toBeGreaterThan(100);
    }
  });
});

describe('GET /generations/:id', () => {
  test("shows the record in wire names and leaves the caller's keys alone", async () => {
    const generation = {
      id: 'gen_7',
      createdAtMs: 0,
      finishedAtMs: 5,
      costNanoUsd: null,
      promptVersion: 'v1',
      variables: { moodOfUser: 'calm' },
      parameters: { maxOutputTokens: 64, stopSequences: ['\n'] },
      assignment: null,
      attempts: [{ provider: 'litellm', model: 'm', startedMs: 1 }],
      outcomes: [{ outcomeId: 'out_1', occurredAtMs: null, receivedAtMs: 9, metadata: { aB: 1 } }],
    } as unknown as StoredGeneration; // the fields this mapping looks at
    gateway.generations.set('gen_7', generation);

    expect(await (await get('/generations/gen_7')).json()).toEqual({
      contents_erased: false,
      rendered: null,
      rendered_missing: 'version_gone',
      id: 'gen_7',
      created_at: '1970-01-01T00:00:00.000Z',
      finished_at: '1970-01-01T00:00:00.005Z',
      cost_usd: null,
      prompt_version: 'v1',
      variables: { moodOfUser: 'calm' },
      parameters: { max_output_tokens: 64, stop: ['\n'] },
      assignment: null,
      attempts: [{ provider: 'litellm', model: 'm', started_ms: 1 }],
      outcomes: [
        {
          outcome_id: 'out_1',
          occurred_at: null,
          received_at: '1970-01-01T00:00:00.009Z',
          metadata: { aB: 1 },
        },
      ],
    });
  });
});

describe('calls that retention has taken', () => {
  const horizons = { rowsMs: Date.UTC(2026, 9, 1), contentsMs: Date.UTC(2026, 10, 1) };

  test('are told apart from calls that never were', async () => {
    gateway.retention.set({ horizons });

    const list = await (await get('/generations')).json();
    const gone = (await (await get('/generations/gen_gone')).json()) as { readonly detail: string };

    expect(list).toMatchObject({
      kept_from: '2026-10-01T00:00:00.000Z',
      contents_kept_from: '2026-11-01T00:00:00.000Z',
    });
    expect(gone.detail).toBe(
      'There is no generation gen_gone. Calls before 2026-10-01T00:00:00.000Z have been deleted.',
    );
    gateway.retention.set({ horizons: { rowsMs: null, contentsMs: null } });
    expect(await (await get('/generations')).json()).toMatchObject({ kept_from: null });
  });

  test('are counted in the metrics, with the size of the database', async () => {
    gateway.retention.set({ horizons, rowsDeleted: { age: 3, size: 4 }, maxBytes: 67_108_864 });

    const text = await (await get('/metrics')).text();

    expect(text).toContain('gateway_retention_deleted_rows_total{reason="size"} 4');
    expect(text).toContain('gateway_retention_horizon_timestamp_seconds{kind="rows"} 1790812800');
    expect(text).toContain('gateway_database_bytes{part="file"} 4096');
    expect(text).toContain('gateway_database_max_bytes 67108864');
  });
});

describe('POST /feedback', () => {
  test('takes one outcome, a batch and a void', async () => {
    const one = await gateway.post('/feedback', {
      generation_id: 'gen_1',
      metric: 'completed',
      value: true,
      occurred_at: '2026-11-23T10:00:00+02:00',
      outcome_id: 'o1',
    });
    await gateway.post('/feedback', {
      outcomes: [
        { external_id: 'tip-77', metric: 'reaction', value: 'love', tags: ['test'], metadata: { a: 1 } },
        { outcome_id: 'o1', void: true },
      ],
    });

    expect(await one.json()).toEqual({ accepted: 1, duplicates: 0, outcome_ids: ['o1'] });
    expect(gateway.submissions).toEqual([
      expect.objectContaining({
        generationId: 'gen_1',
        value: true,
        occurredAtMs: Date.UTC(2026, 10, 23, 8),
        void: false,
      }),
      expect.objectContaining({ externalId: 'tip-77', value: 'love', tags: ['test'], metadata: { a: 1 } }),
      expect.objectContaining({ outcomeId: 'o1', void: true, metric: null }),
    ]);
  });
});
