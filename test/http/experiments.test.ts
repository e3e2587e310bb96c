import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import {
  armOf,
  experimentOf,
  reportsOf,
  revisionOf,
  snapshotOf,
} from '../unit/analytics/experiment-world.ts';
import { startTestGateway, type TestGateway } from './start-test-gateway.ts';

const ONE_OF_FOUR = { n: 4, sum: 1, sumOfSquares: 1 };

let gateway: TestGateway;
let ajv: Ajv2020;
beforeAll(async () => {
  const arms = ['v1', 'v2', 'v3'].map((name) => ({ name, version: name, weight: 1 }));
  const experimentReports = reportsOf({
    experiments: [experimentOf({ arms })],
    totals: [armOf('v1', 900, 200), armOf('v2', 900, 210, { degraded: 90 }), armOf('v3', 900, 500)],
    cells: () => [
      { arm: 'v1', beginMs: 0, units: 4, closedUnits: 4, outcomes: ONE_OF_FOUR, closedOutcomes: ONE_OF_FOUR },
    ],
    revisions: revisionOf({ v1: 0.3, v2: 0.3, v3: 0.4 }, { v1: 900, v2: 900, v3: 1_200 }),
    snapshot: snapshotOf({ v1: 0.3, v2: 0.3, v3: 0.4 }),
  });
  gateway = await startTestGateway({ services: { experimentReports } });
  ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema((await (await fetch(`${gateway.url}/openapi.json`)).json()) as object, 'openapi');
});
afterAll(() => gateway.close());

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${gateway.url}${path}`, { headers });

/** Faults of a body against what OpenAPI says of its route, unknown fields included. */
function faultsOf(
  schema: 'ExperimentList' | 'ExperimentReport' | 'ExperimentHistory',
  body: unknown,
): unknown {
  const validate = ajv.compile({ $ref: `openapi#/components/schemas/${schema}` });
  validate(body);
  return validate.errors ?? [];
}

describe('GET /analytics/experiments', () => {
  test('lists what is configured', async () => {
    const body: unknown = await (await get('/analytics/experiments')).json();

    expect(faultsOf('ExperimentList', body)).toEqual([]);
    expect(body).toMatchObject({
      experiments: [
        { experiment: 'tips', state: 'running', arms: [{ arm: 'v1', prompt_version: 'v1' }, {}, {}] },
      ],
    });
  });
});

describe('GET /analytics/experiments/:name', () => {
  test('answers in wire names, as described', async () => {
    const response = await get('/analytics/experiments/tips');
    const body: unknown = await response.json();

    expect(response.status).toBe(200);
    expect(faultsOf('ExperimentReport', body)).toEqual([]);
    expect(body).toMatchObject({
      experiment: 'tips',
      verdict: { state: 'better', arm: 'v3', comparisons: [{ arm: 'v2' }, { arm: 'v3', more_outcomes: 0 }] },
      sample_ratio: { alarm: false, units: 3_000, alarm_below: 0.001 },
      warnings: [{ code: 'degraded_traffic', arm: 'v2' }],
      arms: [{ arm: 'v1', expected_units: 900, difference: null }, {}, { degraded_share: 0 }],
      policy_revisions: [{ policy_revision: 'tips-1', first_unit_at: '1970-01-01T00:00:00.000Z' }],
    });
  });

  test.each([
    ['', 'text/csv', 'text/csv'],
    ['?format=csv', 'application/json', 'text/csv'],
    ['?format=json', 'text/csv', 'application/json'],
    ['', 'text/html, */*', 'application/json'],
  ])('%s with Accept: %s is %s', async (query, accept, type) => {
    const response = await get(`/analytics/experiments/tips${query}`, { accept });

    expect(response.headers.get('content-type')).toContain(type);
    expect(response.headers.get('content-disposition')).toBe(
      type === 'text/csv' ? 'attachment; filename="tips-arms.csv"' : null,
    );
    expect(await response.text()).toContain(
      type === 'text/csv' ? 'tips,tip,completed,' : '"experiment":"tips"',
    );
  });

  test('refuses an unknown experiment and an unknown parameter, naming the known ones', async () => {
    const unknown = await get('/analytics/experiments/tisp');
    const misspelt = await get('/analytics/experiments/tips?fromat=csv');

    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({
      code: 'experiment_not_found',
      detail: expect.stringContaining('Did you mean tips?'),
      known: ['tips'],
    });
    expect(misspelt.status).toBe(400);
    expect(await misspelt.json()).toMatchObject({ errors: [{ path: 'fromat' }] });
  });
});

describe('GET /analytics/experiments/:name/history', () => {
  test('answers in wire names, as described', async () => {
    const response = await get('/analytics/experiments/tips/history?by=day');
    const body: unknown = await response.json();

    expect(response.status).toBe(200);
    expect(faultsOf('ExperimentHistory', body)).toEqual([]);
    expect(body).toMatchObject({
      experiment: 'tips',
      by: 'day',
      arms: [
        { arm: 'v1', prompt_version: 'v1', points: [{ units: 4, mean: 0.25, difference: null }] },
        {},
        {},
      ],
    });
  });

  test('refuses another length of a step', async () => {
    const response = await get('/analytics/experiments/tips/history?by=week');

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'invalid_request', errors: [{ path: 'by' }] });
  });
});
