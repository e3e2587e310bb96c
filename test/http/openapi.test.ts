import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { VersionReport } from '../../src/analytics/index.ts';
import { ERROR_STATUS } from '../../src/http/error-status.ts';
import { AppError, type ErrorCode } from '../../src/kernel/index.ts';
import { answered, SCRIPTED_ANSWER } from '../fakes/scripted-generate-service.ts';
import { startTestGateway, type TestGateway } from './start-test-gateway.ts';

const REPORT: VersionReport = {
  prompt: 'tip',
  metric: 'completed',
  optimize: 'max',
  missing: 'exclude',
  attributionWindowHours: 168,
  exampleValue: true,
  scale: { min: 0, max: 1 },
  from: null,
  to: null,
  generatedAt: '2026-01-05T10:00:00.000Z',
  filters: { model: null, source: null, segment: null },
  choices: { metrics: ['completed'], models: ['gpt-4o-mini'], experiments: [] },
  baseline: 'v1',
  evidence: 'anytime-valid',
  comparisons: 1,
  summary: 'No difference is certain yet.',
  warnings: [{ code: 'forced_traffic', promptVersion: 'v1', message: 'named' }],
  versions: [
    {
      promptVersion: 'v1',
      known: true,
      retired: false,
      generations: 30,
      delivered: 30,
      outcomes: 30,
      mature: 30,
      pending: 0,
      sum: 6,
      mean: 0.2,
      lower: 0.08,
      upper: 0.41,
      confidence: 0.95,
      method: 'beta-binomial confidence sequence',
      lift: null,
      latencyMs: { p50: 410, p95: null },
      costUsd: 0.004,
      costKnown: 30,
      meanCostUsd: null,
      costPerRewardUsd: null,
      inputTokens: 900,
      outputTokens: 500,
      errorShare: 0,
      fallbackShare: 0,
      degradedShare: 0,
      clientClosedShare: 0,
      forced: 0,
      sources: { body: 30, env: 0, default: 0 },
      hashes: ['sha256:tip-v1'],
    },
  ],
};

interface Operation {
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
  readonly operationId: string;
}
interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

let gateway: TestGateway;
let document: OpenApi;
let ajv: Ajv2020;
beforeAll(async () => {
  gateway = await startTestGateway({ services: { reports: { versionReport: async () => REPORT } } });
  document = (await (await fetch(`${gateway.url}/openapi.json`)).json()) as OpenApi;
  ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema(document, 'openapi');
});
afterAll(() => gateway.close());

/** The answer must be documented by status and type, and fit its schema. */
async function expectDocumented(path: string, method: string, response: Response): Promise<unknown> {
  const text = await response.text();
  const contentType = (response.headers.get('content-type') ?? '').replace(/;.*/, '');
  const described = document.paths[path]?.[method]?.responses[String(response.status)];
  expect(Object.keys(described?.content ?? {})).toContain(contentType);
  if (!contentType.endsWith('json')) return text;
  const pointer = [
    'paths',
    path,
    method,
    'responses',
    String(response.status),
    'content',
    contentType,
    'schema',
  ]
    .map((step) => encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1')))
    .join('/');
  const body: unknown = JSON.parse(text);
  const validate = ajv.compile({ $ref: `openapi#/${pointer}` });
  validate(body);
  expect(validate.errors ?? []).toEqual([]);
  return body;
}

describe('/openapi.json', () => {
  test('is OpenAPI 3.1, with an id and a body limit answer for every operation', () => {
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));

    expect(document.openapi).toBe('3.1.0');
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    for (const { responses } of operations) expect(Object.keys(responses)).toContain('403');
  });

  test('describes every route there is', async () => {
    const links = (await (await fetch(gateway.url)).json()) as { links: Record<string, string> };

    for (const link of Object.values(links.links).filter((path) => path !== '/v1')) {
      expect(Object.keys(document.paths)).toContain(link);
    }
    for (const [path, methods] of Object.entries(document.paths)) {
      const url = `${gateway.url}${path.replace(/\{\w+\}/g, 'tip')}`;
      const response = await fetch(url, { method: 'DELETE' });
      expect(response.status).toBe(405);
      const allowed = response.headers.get('allow')?.toLowerCase().split(', ');
      expect(allowed).toEqual(expect.arrayContaining(Object.keys(methods)));
      await expectDocumented(path, Object.keys(methods)[0] ?? '', response);
    }
  });

  test.each([
    ['/prompts', '/prompts'],
    ['/prompts/{name}', '/prompts/tip'],
    ['/prompts/{name}', '/prompts/nope'],
    ['/prompts/{name}/labels', '/prompts/tip/labels'],
    ['/prompts/{name}/labels', '/prompts/nope/labels'],
    ['/prompts/{name}/labels/{label}', '/prompts/tip/labels/none'],
    ['/prompts/{name}/labels/{label}', '/prompts/tip/labels/none?limit=0'],
    ['/prompts/{name}/versions/{version}', '/prompts/tip/versions/v2'],
    ['/prompts/{name}/versions/{version}', '/prompts/tip/versions/v9'],
    [
      '/analytics/prompts/{name}/versions',
      '/analytics/prompts/tip/versions?metric=completed&from=2026-01-01',
    ],
    ['/analytics/prompts/{name}/versions', '/analytics/prompts/tip/versions?format=csv'],
    ['/analytics/prompts/{name}/versions', '/analytics/prompts/tip/versions?format=xml'],
    ['/generations/{id}', '/generations/gen_none'],
    ['/scores/{id}', '/scores/scr_none'],
    ['/policies', '/policies'],
    ['/policies/{name}', '/policies/tips'],
    ['/policies/{name}', '/policies/none'],
    ['/v1/models', '/v1/models'],
    ['/v1/models/{id}', '/v1/models/prompt/tip'],
    ['/v1/models/{id}', '/v1/models/none'],
    ['/healthz', '/healthz'],
    ['/readyz', '/readyz'],
    ['/metrics', '/metrics'],
    ['/docs', '/docs'],
    ['/', '/'],
  ])('GET %s answers as described: %s', async (path, url) => {
    await expectDocumented(path, 'get', await fetch(`${gateway.url}${url}`));
  });

  test.each([
    ['/generate', {}],
    ['/generate', { stream: true }],
    ['/generate', { prompt: 1 }],
    ['/generate', '{'],
    ['/score', { candidates: [{ id: 'a' }] }],
    ['/score', { candidates: [] }],
    ['/score', { candidates: [{ id: 'a' }], policy: 'none' }],
    ['/score', '{'],
    ['/feedback', { generation_id: 'g', metric: 'm', value: 1 }],
    ['/feedback', { outcomes: [] }],
    ['/v1/chat/completions', { model: 'prompt/tip' }],
    ['/v1/chat/completions', { model: 'prompt/tip', stream: true }],
    ['/v1/chat/completions', { model: 'none' }],
    ['/v1/chat/completions', ''],
  ])('POST %s answers as described: %j', async (path, body) => {
    await expectDocumented(path, 'post', await gateway.post(path, body));
  });

  test('a label answers as described, whatever becomes of its move', async () => {
    const path = '/prompts/{name}/labels/{label}';
    for (const body of [
      { version: 'v1', reason: 'begin' },
      { experiment: 'tone', reason: 'compare' },
      { version: 'v2', reason: 'too late', expected_sequence: 0 },
      { version: 'v9', reason: 'unknown' },
      { experiment: 'none', reason: 'unknown' },
      { version: 'v2' },
    ]) {
      await expectDocumented(path, 'put', await gateway.put('/prompts/tip/labels/live', body));
    }
    for (const url of ['/prompts/tip/labels/live', '/prompts/tip/labels/live?limit=x']) {
      await expectDocumented(path, 'get', await fetch(gateway.url + url));
    }
    await expectDocumented('/prompts/{name}/labels', 'get', await fetch(`${gateway.url}/prompts/tip/labels`));
  });

  test('POST /prompts/{name}/render answers as described', async () => {
    gateway.generate.onGenerate(async () => ({
      kind: 'dry_run',
      dryRun: {
        ...SCRIPTED_ANSWER,
        messages: [{ role: 'user', content: [{ kind: 'text', text: 'v1 calm' }] }],
        variables: {},
        model: null,
        targets: [],
        parameters: {},
      },
    }));
    const body = await expectDocumented(
      '/prompts/{name}/render',
      'post',
      await gateway.post('/prompts/tip/render', { prompt_version: 'v1' }),
    );

    expect(body).toMatchObject({ prompt_version: 'v1', messages: [{ role: 'user', content: 'v1 calm' }] });
    expect(gateway.generate.requests.at(-1)).toMatchObject({
      dryRun: true,
      source: { prompt: 'tip', promptVersion: 'v1' },
    });
  });

  const callCodes = (Object.keys(ERROR_STATUS) as ErrorCode[]).filter(
    (code) =>
      ![
        'unauthorized',
        'generation_not_found',
        'experiment_not_found',
        'policy_not_found',
        'score_not_found',
        'score_invalid',
        'client_closed',
        'conflict',
        'outcome_invalid',
      ].includes(code),
  );
  test.each(callCodes)('a call that fails with %s answers as described on both surfaces', async (code) => {
    gateway.generate.onGenerate(async () => {
      throw new AppError(code, 'no', { faults: [{ path: 'a', message: 'b' }] });
    });

    await expectDocumented('/generate', 'post', await gateway.post('/generate', {}));
    await expectDocumented(
      '/v1/chat/completions',
      'post',
      await gateway.post('/v1/chat/completions', { model: 'prompt/tip' }),
    );
    gateway.generate.onGenerate(async () => answered());
  });
});

describe('GET /analytics/prompts/:name/versions', () => {
  const get = (query: string, accept: string) =>
    fetch(`${gateway.url}/analytics/prompts/tip/versions${query}`, { headers: { accept } });

  test('answers in wire names', async () => {
    expect(await (await get('', '*/*')).json()).toMatchObject({
      prompt: 'tip',
      attribution_window_hours: 168,
      generated_at: '2026-01-05T10:00:00.000Z',
      warnings: [{ prompt_version: 'v1' }],
      versions: [
        {
          prompt_version: 'v1',
          mean: 0.2,
          latency_ms: { p50: 410, p95: null },
          cost_usd: 0.004,
          mean_cost_usd: null,
          client_closed_share: 0,
          sources: { body: 30, env: 0, default: 0 },
        },
      ],
    });
  });

  test.each([
    ['', 'text/csv', 'text/csv'],
    ['?format=csv', 'application/json', 'text/csv'],
    ['?format=json', 'text/csv', 'application/json'],
    ['', 'text/html, */*', 'application/json'],
  ])('%s with Accept: %s is %s', async (query, accept, type) => {
    const response = await get(query, accept);

    expect(response.headers.get('content-type')).toContain(type);
    expect(response.headers.get('content-disposition')).toBe(
      type === 'text/csv' ? 'attachment; filename="tip-versions.csv"' : null,
    );
    expect(await response.text()).toContain(type === 'text/csv' ? 'tip,completed,' : '"prompt":"tip"');
  });
});
