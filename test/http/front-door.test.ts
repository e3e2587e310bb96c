import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestGateway, type TestGateway } from './start-test-gateway.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});

afterAll(async () => {
  await gateway.close();
});

/** Headers that differ from answer to answer by design. */
const OF_ONE_ANSWER = new Set(['date', 'x-request-id', 'server-timing', 'content-length']);

function comparable(response: Response): Readonly<Record<string, string>> {
  return Object.fromEntries([...response.headers].filter(([name]) => !OF_ONE_ANSWER.has(name)));
}

const CALLS = [
  { name: 'a call', path: '/generate', body: { prompt: 'tip' } },
  { name: 'a dry run', path: '/generate', body: { prompt: 'tip', dry_run: true } },
  { name: 'a stream', path: '/generate', body: { prompt: 'tip', stream: true } },
  { name: 'a chat', path: '/v1/chat/completions', body: { model: 'prompt/tip', messages: [] } },
  { name: 'a ranking', path: '/score', body: { candidates: [{ id: 'a', features: {} }] } },
  {
    name: 'an outcome',
    path: '/feedback',
    body: { generation_id: 'gen_1', metric: 'completed', value: true },
  },
  { name: 'an unknown field', path: '/generate', body: { promt: 'tip' } },
  { name: 'an unknown chat field', path: '/v1/chat/completions', body: { model: 7 } },
  { name: 'a body that is no JSON', path: '/score', body: '{' },
] as const;

describe('the front door', () => {
  test.each(CALLS)('answers $name alike, routed or not', async ({ path, body }) => {
    const direct = await gateway.post(path, body);
    const directText = await direct.text();
    const routed = await gateway.post(`${path}?`, body);
    const routedText = await routed.text();

    expect(routed.status).toBe(direct.status);
    expect(comparable(routed)).toEqual(comparable(direct));
    expect(Object.keys(readable(routedText))).toEqual(Object.keys(readable(directText)));
  });

  test('writes each header of a direct answer once', async () => {
    const answer = await gateway.raw(
      'POST /generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 16\r\nConnection: close\r\n\r\n{"prompt":"tip"}',
    );
    const [head = ''] = answer.split('\r\n\r\n');
    const names = head
      .split('\r\n')
      .slice(1)
      .map((line) => line.split(':')[0]?.toLowerCase());

    expect(head).toContain('200 OK');
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain('content-security-policy');
  });

  test.each(['/generate', '/score', '/feedback', '/v1/chat/completions'])(
    'refuses other methods of %s',
    async (path) => {
      const response = await fetch(gateway.url + path);

      expect(response.status).toBe(405);
      expect(response.headers.get('allow')).toContain('POST');
    },
  );

  test('refuses a foreign Host before a direct route', async () => {
    const answer = await gateway.raw(
      'POST /generate HTTP/1.1\r\nHost: evil.example\r\nContent-Type: application/json\r\nContent-Length: 16\r\nConnection: close\r\n\r\n{"prompt":"tip"}',
    );

    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    expect(answer).toContain('X-Request-Id:');
  });

  test('writes the line of a direct and of a routed request under the same route', async () => {
    const before = gateway.logLines.length;
    await (await gateway.post('/generate', { prompt: 'tip' })).text();
    await (await gateway.post('/generate/', { prompt: 'tip' })).text();
    await (await fetch(`${gateway.url}/healthz`)).text();
    const lines = gateway.logLines.slice(before).filter(({ fields }) => fields['event'] === 'request');

    expect(lines.slice(0, 2).map(({ fields }) => fields['route'])).toEqual(['/generate', '/generate']);
  });
});

/** The first object of an answer: a JSON body, or the data of the first event of a stream. */
function readable(text: string): object {
  const json = text.startsWith('event:') ? (/^data: (.*)$/m.exec(text)?.[1] ?? '{}') : text;
  return JSON.parse(json) as object;
}
