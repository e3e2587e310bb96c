import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ScoreRecord, StoredScore } from '../../src/ledger/index.ts';
import { scriptedScorePolicies, scriptedScorePolicy } from '../fakes/scripted-score-policies.ts';
import { startTestGateway, type TestGateway, type TestGatewayOptions } from './start-test-gateway.ts';

let gateway: TestGateway | undefined;
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
});

async function start(options: TestGatewayOptions = {}): Promise<TestGateway> {
  gateway = await startTestGateway(options);
  return gateway;
}

interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly known?: readonly string[];
  readonly errors: readonly { readonly path: string; readonly message: string }[];
}

interface Answer {
  readonly id: string;
  readonly chosen: string;
  readonly ranking: readonly { readonly id: string; readonly score: number; readonly propensity: number }[];
  readonly ignored_features?: readonly string[];
}

const CANDIDATES = [
  { id: 'walk', features: { novelty: 0.9, short: true, topic: 'body' } },
  { id: 'read', features: { novelty: 0.1 } },
];

const many = (count: number): readonly object[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `c${index}`,
    features: { novelty: (index % 10) / 10, short: index % 2 === 0, topic: 'mind' },
  }));

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

describe('POST /score', () => {
  test('answers every field of the contract under its name', async () => {
    const { post } = await start();

    const response = await post('/score', { candidates: CANDIDATES, policy: 'tips' });

    expect(response.status).toBe(200);
    expect(response.headers.get('server-timing')).toMatch(
      /^rank;dur=[\d.]+, db;dur=[\d.]+, total;dur=[\d.]+$/,
    );
    expect(response.headers.get('idempotency-replayed')).toBeNull();
    const body = (await response.json()) as Answer;
    expect(body).toEqual({
      id: expect.stringMatching(/^scr_[0-9a-f]{32}$/),
      policy: 'tips',
      policy_revision: 'tips-4',
      chosen: expect.stringMatching(/^(walk|read)$/),
      ranking: [
        { id: 'walk', score: expect.closeTo(0.64, 10), propensity: expect.any(Number) },
        { id: 'read', score: expect.closeTo(0.16, 10), propensity: expect.any(Number) },
      ],
      recorded: true,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
    expect(sumOf(body.ranking.map(({ propensity }) => propensity))).toBeCloseTo(1, 12);
  });

  test('hands the whole call to the ledger', async () => {
    const { post, ledger } = await start();

    const response = await post('/score', {
      candidates: CANDIDATES,
      profile_features: { completion_rate: 0.4 },
      context: { hour: 9 },
      user_id: 'u1',
      session_id: 's1',
      external_id: 'tip-77',
      metadata: { place: 'home' },
      tags: ['test'],
    });

    expect(ledger.scores).toMatchObject([
      {
        id: ((await response.json()) as Answer).id,
        profileFeatures: { completion_rate: 0.4 },
        contextFeatures: { hour: 9 },
        unitKey: 'hash(user_id:u1)',
        sessionKey: 'hash(session_id:s1)',
        externalId: 'tip-77',
        metadata: { place: 'home' },
        tags: ['test'],
        test: true,
      },
    ]);
    expect(ledger.scores[0]?.candidates.map(({ id, features }) => ({ id, features }))).toEqual(CANDIDATES);
  });

  test('is counted by policy and status, an unknown policy without its name', async () => {
    const { post, url } = await start();
    await post('/score', { candidates: CANDIDATES });
    await post('/score', { candidates: [] });
    await post('/score', { candidates: CANDIDATES, policy: 'nobody-knows' });

    const metrics = await (await fetch(`${url}/metrics`)).text();

    expect(metrics).toContain('gateway_scores_total{policy="tips",status="ok"} 1');
    expect(metrics).toContain('gateway_scores_total{policy="tips",status="refused"} 1');
    expect(metrics).toContain('gateway_scores_total{policy="unknown",status="refused"} 1');
    expect(metrics).toContain('gateway_score_duration_seconds_count{policy="tips"} 2');
    expect(metrics).not.toContain('nobody-knows');
  });

  test('logs what was decided, not the features', async () => {
    const { post, logLines } = await start();

    const response = await post('/score', { candidates: CANDIDATES, user_id: 'u1' });

    const { id } = (await response.json()) as Answer;
    const line = logLines.find(({ fields }) => fields['score_id'] === id);
    expect(line?.fields).toMatchObject({
      policy: 'tips',
      policy_revision: 'tips-4',
      candidates: 2,
      status: 200,
    });
    expect(JSON.stringify(line)).not.toMatch(/novelty|u1/);
  });
});

describe('Idempotency-Key of /score', () => {
  test('is passed on with a hash over path and body, whatever the order of keys', async () => {
    const { post, ledger } = await start();
    const headers = { 'idempotency-key': 'tip-77' };

    await post('/score', '{"policy":"tips","candidates":[{"id":"a"}]}', headers);
    await post('/score', '{"candidates":[{"id":"a"}],"policy":"tips"}', headers);
    await post('/score', '{"candidates":[{"id":"b"}],"policy":"tips"}', headers);

    const hashes = ledger.claims.map(({ requestHash }) => requestHash);
    expect(ledger.claims.map(({ key }) => key)).toEqual(['tip-77', 'tip-77', 'tip-77']);
    expect(hashes[0]).toBe(hashes[1]);
    expect(hashes[2]).not.toBe(hashes[0]);
    expect(ledger.completions).toHaveLength(3);
  });

  test('that was answered is answered again, with a header that says so', async () => {
    const { post, ledger } = await start();
    const headers = { 'idempotency-key': 'tip-77' };
    const first = await post('/score', { candidates: CANDIDATES }, headers);
    const responseJson = ledger.completions[0]?.responseJson ?? '';
    ledger.answerClaims({ kind: 'completed', responseJson, generationId: '' });

    const second = await post('/score', { candidates: CANDIDATES }, headers);

    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect(await second.json()).toEqual(await first.json());
    expect(ledger.scores).toHaveLength(1);
  });

  test.each([
    [{ kind: 'running', retryAfterMs: 5_000 }, 409, 'idempotency_in_progress'],
    [{ kind: 'mismatch' }, 422, 'idempotency_mismatch'],
  ] as const)('that is %j is refused with %i', async (claim, status, code) => {
    const { post, ledger } = await start();
    ledger.answerClaims(claim);

    const response = await post('/score', { candidates: CANDIDATES }, { 'idempotency-key': 'k' });

    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code });
  });
});

describe('degenerate requests', () => {
  test('one candidate is chosen for certain', async () => {
    const { post } = await start();

    const response = await post('/score', { candidates: [{ id: 'only' }] });

    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ chosen: 'only', ranking: [{ id: 'only', propensity: 1 }] });
  });

  test('1,000 candidates are ranked, none below its floor', async () => {
    const { post } = await start();

    const response = await post('/score', { candidates: many(1_000) });

    expect(response.status).toBe(200);
    const { ranking } = (await response.json()) as Answer;
    expect(ranking).toHaveLength(1_000);
    expect(Math.min(...ranking.map(({ propensity }) => propensity))).toBeGreaterThanOrEqual(0.1 / 1_000);
    expect(sumOf(ranking.map(({ propensity }) => propensity))).toBeCloseTo(1, 10);
  });

  test('1,000 candidates of 12 long-winded features fit the default body limit', async () => {
    const policies = scriptedScorePolicies([scriptedScorePolicy({ unknownFeatures: 'ignore' })]);
    const { post } = await start({ scorePolicies: policies });
    const features = Object.fromEntries(
      Array.from({ length: 12 }, (_, index) => [`quite_long_feature_name_${index}`, 0.123_456_789_012_345_6]),
    );
    const candidates = Array.from({ length: 1_000 }, (_, index) => ({
      id: `candidate-with-an-id-${index}`,
      features,
    }));

    const body = JSON.stringify({ candidates });
    const response = await post('/score', body);

    expect(Buffer.byteLength(body)).toBeGreaterThan(500_000);
    expect(response.status).toBe(200);
  });

  test.each<[string, object, readonly { path: string; message: RegExp }[]]>([
    ['no candidates', { candidates: [] }, [{ path: 'candidates', message: /at least one/ }]],
    ['1,001 candidates', { candidates: many(1_001) }, [{ path: 'candidates', message: /1001.*1000/ }]],
    [
      'the same id twice',
      { candidates: [{ id: 'a' }, { id: 'b' }, { id: 'a' }] },
      [{ path: 'candidates[2].id', message: /candidates\[0\]/ }],
    ],
    [
      'text for a number',
      { candidates: [{ id: 'a', features: { novelty: '0.9' } }] },
      [{ path: 'candidates[0].features.novelty', message: /number/ }],
    ],
    [
      'a list for a number',
      { candidates: [{ id: 'a', features: { novelty: [1] } }] },
      [{ path: 'candidates[0].features.novelty', message: /number/ }],
    ],
    [
      'a number for a boolean',
      { candidates: [{ id: 'a', features: { short: 1 } }] },
      [{ path: 'candidates[0].features.short', message: /true or false/ }],
    ],
    [
      'a category that is not declared',
      { candidates: [{ id: 'a', features: { topic: 'mindd' } }] },
      [{ path: 'candidates[0].features.topic', message: /mind.*body/ }],
    ],
    [
      'an unknown feature',
      { candidates: [{ id: 'a', features: { noveltee: 1 } }] },
      [{ path: 'candidates[0].features.noveltee', message: /did you mean "novelty"/ }],
    ],
    [
      'a feature of another source',
      { candidates: [{ id: 'a' }], profile_features: { novelty: 1 }, context: { completion_rate: 1 } },
      [
        { path: 'context.completion_rate', message: /feature/ },
        { path: 'profile_features.novelty', message: /feature/ },
      ],
    ],
    [
      'several faults at once',
      {
        candidates: [
          { id: 'a', features: { novelty: true } },
          { id: 'a', features: { short: 'yes' } },
        ],
        profile_features: { completion_rate: 'high' },
      },
      [
        { path: 'candidates[0].features.novelty', message: /number/ },
        { path: 'candidates[1].features.short', message: /true or false/ },
        { path: 'candidates[1].id', message: /candidates\[0\]/ },
        { path: 'profile_features.completion_rate', message: /number/ },
      ],
    ],
  ])('%s: 422, and nothing is recorded', async (_what, body, faults) => {
    const { post, ledger } = await start();

    const response = await post('/score', body);

    expect(response.status).toBe(422);
    const { code, errors } = (await response.json()) as Problem;
    expect(code).toBe('score_invalid');
    const byPath = (a: { path: string }, b: { path: string }): number => (a.path < b.path ? -1 : 1);
    expect([...errors].sort(byPath)).toEqual(
      faults.map(({ path, message }) => ({ path, message: expect.stringMatching(message) })),
    );
    expect(ledger.scores).toEqual([]);
  });

  test.each([
    ['1e999', 'candidates[0].features.novelty'],
    ['-1e999', 'candidates[0].features.novelty'],
  ])('%s is not a number to rank by: 422', async (number, path) => {
    const { post } = await start();

    const response = await post('/score', `{"candidates":[{"id":"a","features":{"novelty":${number}}}]}`);

    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ code: 'score_invalid', errors: [{ path }] });
  });

  test.each(['NaN', 'Infinity', '-Infinity', 'undefined'])(
    '%s is not JSON: 400 with its place',
    async (text) => {
      const { post } = await start();

      const response = await post('/score', `{"candidates":[{"id":"a","features":{"novelty":${text}}}]}`);

      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({
        code: 'invalid_request',
        detail: expect.stringMatching(/line 1, column \d+/),
      });
    },
  );

  test.each<[string, object, string]>([
    ['no list of candidates', {}, 'candidates'],
    ['candidates that are no list', { candidates: { id: 'a' } }, 'candidates'],
    ['a candidate that is no object', { candidates: ['a'] }, 'candidates[0]'],
    ['a candidate without an id', { candidates: [{ features: {} }] }, 'candidates[0].id'],
    ['an empty id', { candidates: [{ id: '' }] }, 'candidates[0].id'],
    ['an id that is a number', { candidates: [{ id: 7 }] }, 'candidates[0].id'],
    ['features that are a list', { candidates: [{ id: 'a', features: [1] }] }, 'candidates[0].features'],
    ['a profile that is text', { candidates: [{ id: 'a' }], profile_features: 'x' }, 'profile_features'],
    ['a misspelt field', { candidates: [{ id: 'a' }], polciy: 'tips' }, 'polciy'],
    ['a misspelt field of a candidate', { candidates: [{ id: 'a', feature: {} }] }, 'candidates[0].feature'],
  ])('%s: 400', async (_what, body, path) => {
    const { post, ledger } = await start();

    const response = await post('/score', body);

    expect(response.status).toBe(400);
    const { code, errors } = (await response.json()) as Problem;
    expect(code).toBe('invalid_request');
    expect(errors.map((fault) => fault.path)).toEqual([path]);
    expect(ledger.scores).toEqual([]);
  });

  test('missing features and null take their defaults: the same ranking', async () => {
    const { post, ledger } = await start();

    await post('/score', { candidates: [{ id: 'a' }, { id: 'b', features: { novelty: 0.5 } }] });
    await post('/score', {
      candidates: [
        { id: 'a', features: { novelty: null, topic: null } },
        { id: 'b', features: null },
      ],
      profile_features: { completion_rate: null },
      context: null,
    });

    const estimates = ledger.scores.map(({ candidates }) => candidates.map(({ estimate }) => estimate));
    expect(estimates[0]).toEqual(estimates[1]);
    expect(estimates[0]?.[0]).toBe(estimates[0]?.[1]);
  });

  test('numbers beyond their range count as its end', async () => {
    const { post, ledger } = await start();

    await post('/score', {
      candidates: [
        { id: 'a', features: { novelty: 1 } },
        { id: 'b', features: { novelty: 1e300 } },
      ],
    });

    const [a, b] = ledger.scores[0]?.candidates ?? [];
    expect(b?.estimate).toBe(a?.estimate);
  });

  test('unknown features are listed where the policy ignores them', async () => {
    const policies = scriptedScorePolicies([scriptedScorePolicy({ unknownFeatures: 'ignore' })]);
    const { post } = await start({ scorePolicies: policies });

    const response = await post('/score', { candidates: [{ id: 'a', features: { colour: 'red' } }] });

    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ ignored_features: ['candidates[].features.colour'] });
  });

  test('an unknown policy is a 404 that lists the known ones', async () => {
    const { post } = await start();

    const response = await post('/score', { candidates: CANDIDATES, policy: 'tipz' });

    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'policy_not_found', known: ['tips'] });
  });

  test('a body that nests too deep, and one that is too large, are refused before they are read', async () => {
    const { post } = await start({ settings: { maxBodyBytes: 10_000, maxJsonDepth: 8 } });

    const deep = await post('/score', `{"candidates":${'['.repeat(20)}${']'.repeat(20)}}`);
    const large = await post('/score', { candidates: many(1_000) });

    expect([deep.status, large.status]).toEqual([400, 413]);
  });

  test('a name that could reach a prototype is refused', async () => {
    const { post } = await start();

    const response = await post(
      '/score',
      '{"candidates":[{"id":"a","features":{"__proto__":{"novelty":1}}}]}',
    );

    expect(response.status).toBe(400);
  });

  test('names of the language are unknown features like any other', async () => {
    const { post } = await start();

    const response = await post(
      '/score',
      '{"candidates":[{"id":"a","features":{"toString":1,"constructor":2}}]}',
    );

    expect(response.status).toBe(422);
    expect(((await response.json()) as Problem).errors.map(({ path }) => path)).toEqual([
      'candidates[0].features.toString',
      'candidates[0].features.constructor',
    ]);
  });
});

describe('any request', () => {
  const value = fc.oneof(
    fc.double({ noNaN: true }),
    fc.boolean(),
    fc.constantFrom(null, 'mind', 'body', '', 'x'.repeat(300), [], {}, 1e308, -0),
  );
  const features = fc.dictionary(
    fc.constantFrom('novelty', 'short', 'topic', 'completion_rate', 'hour', 'colour', 'toString', ''),
    value,
    { maxKeys: 4 },
  );
  const sound = fc.record(
    {
      novelty: fc.double({ noNaN: true, noDefaultInfinity: true }),
      short: fc.boolean(),
      topic: fc.constantFrom('mind', 'body', null),
    },
    { requiredKeys: [] },
  );
  const candidate = fc.record({
    id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'toString'),
    features: fc.oneof({ weight: 12, arbitrary: sound }, { weight: 1, arbitrary: fc.oneof(features, value) }),
  });
  const maybeFeatures = fc.oneof(
    { weight: 4, arbitrary: fc.constant(null) },
    { weight: 4, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.oneof(features, value) },
  );
  const body = fc.record({
    candidates: fc.oneof(
      {
        weight: 8,
        arbitrary: fc.uniqueArray(candidate, { minLength: 1, maxLength: 5, selector: ({ id }) => id }),
      },
      { weight: 1, arbitrary: fc.oneof(fc.array(candidate, { maxLength: 5 }), value) },
    ),
    profile_features: maybeFeatures,
    context: maybeFeatures,
    policy: fc.constantFrom('tips', 'tips', 'tips', null, 'tipz'),
  });

  test.each(['refuse', 'ignore'] as const)(
    'is ranked soundly or refused as documented (%s)',
    async (mode) => {
      const scorePolicies = scriptedScorePolicies([scriptedScorePolicy({ unknownFeatures: mode })]);
      const { post } = await start({ scorePolicies });
      let answered = 0;

      await fc.assert(
        fc.asyncProperty(body, async (given) => {
          const response = await post('/score', given);
          if (response.status !== 200) {
            expect([400, 404, 422]).toContain(response.status);
            return;
          }
          answered += 1;
          const { chosen, ranking } = (await response.json()) as Answer;
          const ids = ranking.map(({ id }) => id);
          const scores = ranking.map(({ score }) => score);
          const propensities = ranking.map(({ propensity }) => propensity);
          expect(new Set(ids).size).toBe(ids.length);
          expect(ids).toContain(chosen);
          expect(scores).toEqual([...scores].sort((a, b) => b - a));
          expect(scores.every((score) => score >= 0 && score <= 1)).toBe(true);
          expect(sumOf(propensities)).toBeCloseTo(1, 12);
          expect(Math.min(...propensities)).toBeGreaterThanOrEqual(0.1 / ids.length - 1e-15);
        }),
        { numRuns: 300, seed: 77 },
      );

      expect(answered).toBeGreaterThan(50);
      expect(answered).toBeLessThan(250);
    },
  );
});

describe('GET /scores/:id', () => {
  const stored = (record: ScoreRecord): StoredScore => ({
    ...record,
    commitWaitMs: 1,
    outcomes: [
      {
        outcomeId: 'out_1',
        generationId: null,
        scoreId: record.id,
        externalId: null,
        metric: 'completed',
        value: true,
        reward: 1,
        occurredAtMs: null,
        receivedAtMs: Date.UTC(2026, 10, 23),
        windowMs: 1,
        test: false,
        tags: [],
        source: 'http',
        metadata: null,
        apiKeyId: 'local',
        voided: false,
        counts: true,
      },
    ],
  });

  test('shows the decision whole, the caller’s names untouched', async () => {
    const { post, ledger, storedScores, url } = await start();
    const { id } = (await (
      await post('/score', {
        candidates: CANDIDATES,
        context: { hour: 9 },
        metadata: { camelCase: { innerKey: 1 } },
      })
    ).json()) as Answer;
    const [record] = ledger.scores;
    if (record === undefined) throw new Error('nothing was recorded');
    storedScores.set(id, stored(record));

    const response = await fetch(`${url}/scores/${id}`);

    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      id,
      policy: 'tips',
      policy_definition: 'sha256:definition',
      policy_revision: 'tips-4',
      candidates: [
        { id: 'walk', features: CANDIDATES[0]?.features, estimate: expect.any(Number) },
        { id: 'read' },
      ],
      chosen: record.chosen,
      chosen_propensity: record.chosenPropensity,
      context: { hour: 9 },
      metadata: { camelCase: { innerKey: 1 } },
      created_at: expect.stringMatching(/Z$/),
      outcomes: [{ outcome_id: 'out_1', counts: true, received_at: '2026-11-23T00:00:00.000Z' }],
    });
  });

  test('is a 404 for an unknown id', async () => {
    const { url } = await start();

    const response = await fetch(`${url}/scores/scr_none`);

    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'score_not_found' });
  });
});

describe('GET /policies', () => {
  test('lists what is in force and how much it has learnt from', async () => {
    const { url } = await start();

    expect(await (await fetch(`${url}/policies`)).json()).toEqual({
      policies: [
        {
          policy: 'tips',
          kind: 'squarecb',
          metric: 'completed',
          definition: 'sha256:definition',
          policy_revision: 'tips-4',
          computed_at: '2026-11-23T10:00:00.000Z',
          rewards: 120,
          weight: 120,
        },
      ],
    });
  });

  test('shows one with a coefficient for every input, by its name', async () => {
    const { url } = await start();

    expect(await (await fetch(`${url}/policies/tips`)).json()).toMatchObject({
      policy: 'tips',
      features: expect.arrayContaining([
        { name: 'novelty', source: 'candidate', type: 'number', min: 0, max: 1, default: 0.5 },
        { name: 'topic', source: 'candidate', type: 'category', values: ['mind', 'body'], default: null },
      ]),
      floor_share: 0.1,
      learnt: [
        { input: 'constant', coefficient: 0.1 },
        { input: 'novelty', coefficient: 0.6 },
        { input: 'short', coefficient: 0 },
        { input: 'topic=mind', coefficient: 0 },
        { input: 'topic=body', coefficient: 0 },
        { input: 'completion_rate', coefficient: 0 },
        { input: 'hour', coefficient: 0 },
        { input: 'novelty × completion_rate', coefficient: 0 },
      ],
    });
  });

  test('is a 404 for an unknown name', async () => {
    const { url } = await start();

    expect((await fetch(`${url}/policies/tipz`)).status).toBe(404);
  });
});
