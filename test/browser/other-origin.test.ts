import { createServer, type Server } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';

import { type DashboardBench, openDashboardBench, type Visit } from './dashboard-bench.ts';
import { describeWithChromium, START_MS } from './describe-with-chromium.ts';
import { EXPERIMENT } from './written-history.ts';

/** What a page of another origin tries: as a fetch that asks first, as one that does not, and as a form. */
interface Attempt {
  readonly method: string;
  readonly path: string;
  readonly body: object;
}
const ATTEMPTS: readonly Attempt[] = [
  { method: 'PUT', path: '/prompts/tip/labels/live', body: { version: 'v1', reason: 'attack' } },
  { method: 'POST', path: `/experiments/${EXPERIMENT}/stop`, body: { reason: 'attack' } },
  { method: 'POST', path: '/keys', body: { name: 'attack', scopes: ['admin'] } },
  { method: 'POST', path: '/generate', body: { prompt: 'tip', external_id: 'attack' } },
  { method: 'POST', path: '/feedback', body: { external_id: 'tip-1', metric: 'completed', value: true } },
  { method: 'POST', path: '/admin/sign-out', body: {} },
];

/**
 * The attacker's port is another one of the same host: cookies do not tell ports apart, so the session travels with
 * every request, and `SameSite` is no defence here.
 */
describeWithChromium('a page of another origin', () => {
  let bench: DashboardBench;
  let attacker: Server;
  let origin: string;
  let visit: Visit;

  beforeAll(async () => {
    bench = await openDashboardBench({ history: { days: 1, callsPerDay: 30 } });
    attacker = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end('<!doctype html><title>Attacker</title><body></body>');
    });
    await new Promise<void>((listening) => attacker.listen(0, '127.0.0.1', listening));
    const address = attacker.address();
    origin = `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`;
  }, START_MS);
  afterEach(() => visit?.close());
  afterAll(async () => {
    attacker?.close();
    await bench?.close();
  });

  async function stateOf(key?: string): Promise<unknown> {
    const read = (path: string) => bench.call('GET', path, undefined, key);
    const { rows: _rows, ...experiment } = await read(`/analytics/experiments/${EXPERIMENT}`);
    return {
      label: (await read('/prompts/tip/labels/live'))['sequence'],
      experiment: experiment['state'],
      keys: ((await read('/keys'))['keys'] as readonly unknown[]).length,
      calls: ((await read('/generations?limit=100'))['generations'] as readonly unknown[]).length,
      outcomes: (await read('/analytics/prompts/tip/versions'))['versions'],
    };
  }

  async function attackWithEverything(): Promise<void> {
    await visit.page.goto(origin);
    for (const { method, path, body } of ATTEMPTS) {
      const address = JSON.stringify(bench.url + path);
      const text = JSON.stringify(JSON.stringify(body));
      // A fetch of another type than JSON needs no leave to be sent: the answer is kept from the page, not the request.
      for (const [mode, type] of [
        ['cors', 'application/json'],
        ['cors', 'text/plain'],
        ['no-cors', 'text/plain'],
      ]) {
        await visit.page.evaluate(
          `fetch(${address}, { method: '${mode === 'no-cors' ? 'POST' : method}', mode: '${mode}', credentials: 'include',
            headers: { 'content-type': '${type}' }, body: ${text} }).then(() => {}, () => {})`,
        );
      }
      // The body of such a form is its name and value with "=" between: JSON, where the "=" is part of a string.
      const field = JSON.stringify(
        JSON.stringify({ ...body, metadata: { padding: '' } }).replace('""}}', '"'),
      );
      const answered = visit.page.waitForResponse((response) => response.url() === bench.url + path);
      await visit.page.evaluate(`{
        const form = document.createElement('form');
        form.method = 'post'; form.enctype = 'text/plain'; form.action = ${address};
        const input = document.createElement('input');
        input.name = ${field}; input.value = '"}}';
        form.append(input); document.body.append(form); form.submit(); }`);
      expect((await answered).status()).toBeGreaterThanOrEqual(400);
      await visit.page.waitForURL(bench.url + path);
      await visit.page.goto(origin);
    }
  }

  async function expectNothingToRead(): Promise<void> {
    for (const path of ['/generations', '/keys', '/admin/session']) {
      const read = await visit.page.evaluate(
        `fetch(${JSON.stringify(bench.url + path)}, { credentials: 'include' }).then(() => 'read', () => 'refused')`,
      );
      expect([path, read]).toEqual([path, 'refused']);
    }
    const framed = await visit.page.evaluate<boolean>(
      `new Promise((done) => {
        const frame = document.createElement('iframe');
        frame.onload = () => {
          try { done(frame.contentWindow.length === 0 && frame.contentDocument !== null) } catch { done(false) }
        };
        frame.src = ${JSON.stringify(`${bench.url}/admin`)};
        document.body.append(frame);
      })`,
    );
    expect(framed).toBe(false);
    const [, frame] = visit.page.frames();
    expect(await frame?.title()).not.toContain('prompt-gateway');
  }

  describe.each(['an open gateway', 'a gateway whose admin is signed in'])('beside %s', (kind) => {
    test('changes nothing and reads nothing', async () => {
      const key = kind.includes('signed in') ? (await bench.makeKey('ops', ['admin'])).text : undefined;
      visit = await bench.visit();
      if (key !== undefined) await visit.signIn(key);
      const before = await stateOf(key);

      await attackWithEverything();
      await expectNothingToRead();

      expect(await stateOf(key)).toEqual(before);
      await visit.open('');
      expect(await visit.page.getByRole('button', { name: 'Sign out' }).count()).toBe(
        key === undefined ? 0 : 1,
      );
    });
  });
});
