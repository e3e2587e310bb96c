import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { startTestGateway, type TestGateway } from './start-test-gateway.ts';

const PAGE = '<!doctype html><title>page</title>';
const SCRIPT = `console.log(${JSON.stringify('x'.repeat(2_000))});`;

const folder = temporaryFolder();
let gateway: TestGateway;
beforeAll(async () => {
  mkdirSync(join(folder.path, 'assets'));
  writeFileSync(join(folder.path, 'index.html'), PAGE);
  writeFileSync(join(folder.path, 'secret.js'), 'not an asset');
  writeFileSync(join(folder.path, 'assets', 'index-Ab12.js'), SCRIPT);
  writeFileSync(join(folder.path, 'assets', 'index-Ab12.css'), 'body{}');
  writeFileSync(join(folder.path, 'assets', 'notes.txt'), 'not for browsers');
  gateway = await startTestGateway({ settings: { dashboardFolder: folder.path } });
});
afterAll(async () => {
  await gateway.close();
  folder.remove();
});

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${gateway.url}${path}`, { headers });

describe('the admin page', () => {
  test.each([
    '/admin',
    '/admin/',
    '/admin/prompts/tip.daily',
    '/admin/generations/gen_1?x=1',
    '/admin/sign-in',
  ])('is at %s, never cached', async (path) => {
    const response = await get(path);

    expect(response.status).toBe(200);
    expect(await response.text()).toBe(PAGE);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  test.each(['/admin', '/admin/assets/index-Ab12.js'])(
    'allows files and answers of its own origin, and nothing inline: %s',
    async (path) => {
      const response = await get(path);

      expect(response.headers.get('content-security-policy')).toBe(
        "default-src 'none';script-src 'self';style-src 'self';img-src 'self' data:;connect-src 'self';base-uri 'none';form-action 'self';frame-ancestors 'none'",
      );
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    },
  );

  test('leaves the API below /admin to itself', async () => {
    expect((await get('/admin/session')).headers.get('content-type')).toContain('application/json');
    expect((await gateway.post('/admin/sign-in', {})).status).toBe(400);
  });

  test('is no fallback outside /admin', async () => {
    expect((await get('/administrators')).status).toBe(404);
    expect((await get('/prompts-page')).status).toBe(404);
  });

  test('takes no changes', async () => {
    const response = await gateway.post('/admin/prompts/tip', {});

    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
  });
});

describe('files of the admin page', () => {
  test.each([
    ['br', 'br'],
    ['gzip', 'gzip'],
    ['gzip, br', 'br'],
    ['identity', null],
    ['br;q=0, gzip', 'gzip'],
  ])('come packed for Accept-Encoding: %s', async (accepted, encoding) => {
    const response = await get('/admin/assets/index-Ab12.js', { 'accept-encoding': accepted });

    expect(response.headers.get('content-encoding')).toBe(encoding);
    expect(response.headers.get('vary')).toBe('Accept-Encoding');
    expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(response.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    const length = Number(response.headers.get('content-length'));
    expect(encoding === null ? length === SCRIPT.length : length < 200).toBe(true);
    expect(await response.text()).toBe(SCRIPT);
  });

  test.each([
    '/admin/assets/none-Ab12.js',
    '/admin/assets/notes.txt',
    '/admin/assets/..%2fsecret.js',
    '/admin/assets/%2e%2e%2fsecret.js',
    '/admin/assets/.js',
    '/admin/assets/sub/index-Ab12.js',
    '/admin/assets/index-Ab12.js%00.css',
    `/admin/assets/${'a'.repeat(300)}.js`,
  ])('are those of the build alone: %s', async (path) => {
    const response = await get(path);

    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'not_found' });
  });

  test('that a later build brings are there without a restart', async () => {
    expect((await get('/admin/assets/later-Cd34.js')).status).toBe(404);
    writeFileSync(join(folder.path, 'assets', 'later-Cd34.js'), 'later');

    expect(await (await get('/admin/assets/later-Cd34.js')).text()).toBe('later');
  });
});

test('a gateway whose page was not built says how to build it', async () => {
  const bare = await startTestGateway({ settings: { dashboardFolder: join(folder.path, 'nowhere') } });
  try {
    const response = await fetch(`${bare.url}/admin/prompts/tip`);

    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toContain('text/html');
    const page = await response.text();
    expect(page).toContain('npm run build');
    expect(page).toContain('<main>');
  } finally {
    await bare.close();
  }
});
