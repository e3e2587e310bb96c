import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startTestGateway, type TestGateway } from './start-test-gateway.ts';

let gateway: TestGateway;
let label: string;
let labels = 0;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.close());
beforeEach(() => {
  labels += 1;
  label = `label-${labels}`;
});

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape
  readonly body: any;
}

async function get(path: string): Promise<Answer> {
  const response = await fetch(gateway.url + path);
  return { status: response.status, body: await response.json() };
}

async function move(body: unknown, path = `/prompts/tip/labels/${label}`): Promise<Answer> {
  const response = await gateway.put(path, body);
  return { status: response.status, body: await response.json() };
}

describe('PUT /prompts/:name/labels/:label', () => {
  test('makes a label, moves it, and answers how it stands', async () => {
    const made = await move({ version: 'v1', reason: 'begin' });
    const moved = await move({ version: 'v2', reason: 'v2 won', expected_sequence: made.body.sequence });

    expect(made.status).toBe(200);
    expect(moved.body).toEqual({
      prompt: 'tip',
      label,
      target: { version: 'v2' },
      previous: { version: 'v1' },
      hash: 'sha256:tip-v2',
      sequence: made.body.sequence + 1,
      moved_at: expect.stringMatching(/^20.*Z$/),
      reason: 'v2 won',
      actor: 'local',
      seeded: false,
      gate: { state: 'none', override_reason: null, targets: [] },
    });
    expect((await get(`/prompts/tip/labels/${label}`)).body.target).toEqual({ version: 'v2' });
  });

  test('points to an experiment', async () => {
    const { body } = await move({ experiment: 'tone', reason: 'compare' });

    expect(body).toMatchObject({ target: { experiment: 'tone' }, hash: null });
  });

  test('answers a stale sequence with the state it is in, for the caller to decide again', async () => {
    const { body: made } = await move({ version: 'v1', reason: 'begin' });
    await move({ version: 'v2', reason: 'somebody was first' });

    const { status, body } = await move({
      version: 'v1',
      reason: 'too late',
      expected_sequence: made.sequence,
    });

    expect(status).toBe(409);
    expect(body).toMatchObject({
      code: 'conflict',
      current: {
        target: { version: 'v2' },
        sequence: made.sequence + 1,
        reason: 'somebody was first',
        actor: 'local',
      },
    });
  });

  test.each([
    ['an unknown prompt', '/prompts/none/labels/live', { version: 'v1' }, 404, 'prompt_not_found'],
    ['an unknown version', '/prompts/tip/labels/live', { version: 'v3' }, 404, 'version_not_found'],
    [
      'an unknown experiment',
      '/prompts/tip/labels/live',
      { experiment: 'tune' },
      404,
      'experiment_not_found',
    ],
    ['a name with its @', '/prompts/tip/labels/@live', { version: 'v1' }, 400, 'invalid_request'],
    ['the name latest', '/prompts/tip/labels/latest', { version: 'v1' }, 400, 'invalid_request'],
    ['no target', '/prompts/tip/labels/live', {}, 400, 'invalid_request'],
    [
      'two targets',
      '/prompts/tip/labels/live',
      { version: 'v1', experiment: 'tone' },
      400,
      'invalid_request',
    ],
  ])('refuses %s', async (_what, path, body, status, code) => {
    const answer = await move({ reason: 'try', ...body }, path);

    expect(answer).toMatchObject({ status, body: { code } });
  });

  test.each([
    [{ version: 'v1' }, 'reason', 'is required'],
    [{ version: 'v1', reason: ' ' }, 'reason', 'says why'],
    [{ version: 'v1', reason: 'x'.repeat(501) }, 'reason', '500'],
    [{ version: 'v1', reason: 'x', expected_sequence: -1 }, 'expected_sequence', '0'],
    [{ version: 'v1', reason: 'x', expected_sequence: '3' }, 'expected_sequence', 'number'],
    [{ vresion: 'v1', reason: 'x' }, 'vresion', 'did you mean `version`'],
    [{ reason: 'x' }, 'version', 'either `version` or `experiment`'],
  ])('names the fault of %j', async (body, path, text) => {
    const answer = await move(body);

    expect(answer.status).toBe(400);
    expect(answer.body.errors).toContainEqual({ path, message: expect.stringContaining(text) });
  });
});

describe('reading labels', () => {
  test('GET /prompts/:name/labels/:label gives its moves, newest first, as many as asked for', async () => {
    for (const version of ['v1', 'v2', 'v1']) await move({ version, reason: `to ${version}` });

    const { body } = await get(`/prompts/tip/labels/${label}?limit=2`);

    expect(body).toMatchObject({
      target: { version: 'v1' },
      history: [
        { target: { version: 'v1' }, previous: { version: 'v2' }, reason: 'to v1' },
        { target: { version: 'v2' }, previous: { version: 'v1' } },
      ],
    });
    expect(body.history).toHaveLength(2);
  });

  test('every list of a prompt shows its labels', async () => {
    await move({ version: 'v1', reason: 'begin' }, '/prompts/digest/labels/live');

    const expected = [expect.objectContaining({ label: 'live', target: { version: 'v1' } })];
    expect((await get('/prompts/digest/labels')).body).toEqual({ prompt: 'digest', labels: expected });
    expect((await get('/prompts/digest')).body.labels).toEqual(expected);
    expect((await get('/prompts')).body.prompts).toContainEqual(
      expect.objectContaining({ name: 'digest', labels: expected }),
    );
  });

  test('an unknown label is a 404 that lists the known ones', async () => {
    await move({ version: 'v1', reason: 'begin' });

    expect(await get('/prompts/tip/labels/none')).toMatchObject({
      status: 404,
      body: { code: 'label_not_found', known: expect.arrayContaining([label]) },
    });
    expect(await get('/prompts/none/labels')).toMatchObject({
      status: 404,
      body: { code: 'prompt_not_found' },
    });
  });

  test.each(['0', '501', '1.5', 'x', ''])('refuses limit=%s', async (limit) => {
    await move({ version: 'v1', reason: 'begin' });

    expect(await get(`/prompts/tip/labels/${label}?limit=${limit}`)).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'limit' }] },
    });
  });
});
