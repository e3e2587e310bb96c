import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { NO_GATE, type RolloutEvent, type RolloutPageQuery } from '../../src/experiments/index.ts';
import { startTestGateway, type TestGateway } from './start-test-gateway.ts';

const EVENT: RolloutEvent = {
  sequence: 7,
  id: 'rol_7',
  createdAtMs: Date.UTC(2026, 10, 23, 10),
  subjectKind: 'experiment',
  subject: 'tone',
  from: 'running',
  to: 'baseline',
  revision: 'sha256:one',
  decision: 'stopped',
  reason: 'harm',
  actor: 'gateway',
  gate: NO_GATE,
  live: [],
  facts: { by: 'guardrail', lower: 0.11 },
};

let gateway: TestGateway;
const queries: RolloutPageQuery[] = [];
beforeAll(async () => {
  gateway = await startTestGateway({
    services: {
      rollouts: {
        page: async (query) => {
          queries.push(query);
          return [EVENT, { ...EVENT, sequence: 6 }].slice(0, query.limit);
        },
      },
    },
  });
});
afterAll(() => gateway.close());

async function get(query: string) {
  const response = await fetch(`${gateway.url}/analytics/rollouts${query}`);
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape
  return { status: response.status, body: (await response.json()) as any };
}

describe('GET /analytics/rollouts', () => {
  test('shows events newest first, and where the next page begins', async () => {
    const { body } = await get('?subject=tone&kind=experiment&before=9&limit=2');

    expect(queries.at(-1)).toEqual({
      subject: 'tone',
      subjectKind: 'experiment',
      beforeSequence: 9,
      limit: 2,
    });
    expect(body.next_before).toBe(6);
    expect(body.rollouts[0]).toEqual({
      sequence: 7,
      at: '2026-11-23T10:00:00.000Z',
      subject_kind: 'experiment',
      subject: 'tone',
      from: 'running',
      to: 'baseline',
      revision: 'sha256:one',
      decision: 'stopped',
      reason: 'harm',
      actor: 'gateway',
      gate: { state: 'none', override_reason: null, targets: [] },
      facts: { by: 'guardrail', lower: 0.11 },
    });
  });

  test('ends where there are fewer than asked for', async () => {
    expect((await get('')).body.next_before).toBeNull();
  });

  test.each([
    ['?limit=0', 'limit'],
    ['?limit=501', 'limit'],
    ['?before=x', 'before'],
    ['?kind=prompt', 'kind'],
    ['?subject=', 'subject'],
    ['?subjet=tone', 'subjet'],
    ['?limit=1&limit=2', 'limit'],
  ])('refuses %s', async (query, path) => {
    expect(await get(query)).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', errors: [{ path }] },
    });
  });
});
