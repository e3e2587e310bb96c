import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';

import { type DashboardBench, openDashboardBench, type Visit } from './dashboard-bench.ts';
import { describeWithChromium, START_MS } from './describe-with-chromium.ts';

/** Revocation holds within a second, and a page that is looked at asks every five. */
const SIGNED_OUT_MS = 8_000;

const LINK = /(http:\S+\/admin\/sign-in#\S+)/;

describeWithChromium('signing in', () => {
  let bench: DashboardBench;
  let admin: string;
  const visits: Visit[] = [];
  const visit = async (): Promise<Visit> => {
    const visited = await bench.visit();
    visits.push(visited);
    return visited;
  };

  beforeAll(async () => {
    bench = await openDashboardBench();
  }, START_MS);
  afterEach(async () => {
    for (const visited of visits.splice(0)) await visited.close();
  });
  afterAll(() => bench?.close());

  test('is not asked for on a gateway without keys, and the page says that it is open', async () => {
    const { page, open, faults } = await visit();

    await open('');

    expect(await page.getByText('open, no keys').isVisible()).toBe(true);
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Overview');
    expect(faults).toEqual([]);
  });

  test('works with the one-time link of the start, once, and says why not again', async () => {
    admin = (await bench.makeKey('ops', ['admin'])).text;
    const link = LINK.exec(bench.gateway.output())?.[1] ?? '';
    const first = await visit();

    await first.page.goto(link);
    await first.page.getByRole('button', { name: 'Sign out' }).waitFor();

    expect(first.page.url()).not.toContain('#');
    const second = await visit();
    await second.page.goto(link);
    const told = await second.page.getByRole('status').textContent();
    expect(told).toMatch(/used|not valid|expired/);
    expect(await second.page.getByRole('heading', { level: 1 }).textContent()).toBe('Sign in');
    expect(second.page.url()).not.toContain('#');
  });

  test('works with a key, keeps it out of the page, and ends with the sign-out', async () => {
    const { page, signIn, open, context, faults } = await visit();

    await signIn(admin);

    expect(await page.getByText('ops').first().isVisible()).toBe(true);
    const [cookie] = await context.cookies();
    expect(cookie).toMatchObject({ name: 'pgw_session', httpOnly: true, sameSite: 'Lax' });
    expect(
      await page.evaluate('document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage })'),
    ).toBe('{}');
    expect(await page.content()).not.toContain(admin);
    await page.getByRole('button', { name: 'Sign out' }).click();
    expect(await page.getByRole('status').textContent()).toBe('You are signed out.');
    await open('/generations');
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Sign in');
    expect(faults).toEqual([]);
  });

  test('leads to the page that was asked for', async () => {
    const { page, open } = await visit();
    await open('/keys');

    await page.getByLabel('API key').fill(admin);
    await page.getByLabel('API key').press('Enter');

    await page.getByRole('heading', { name: 'Keys', level: 1 }).waitFor();
  });

  test.each([
    ['a wrong key', 'pgw_aaaaaaaaaaaa_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 'unauthorized'],
    ['what is no key', 'password', 'unauthorized'],
  ])('refuses %s and says so, without showing it', async (_name, key, code) => {
    const { page, open } = await visit();
    await open('');

    await page.getByLabel('API key').fill(key);
    await page.getByRole('button', { name: 'Sign in' }).click();

    const alert = page.getByRole('alert');
    expect(await alert.textContent()).toContain(code);
    expect(await alert.textContent()).not.toContain(key);
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Sign in');
  });

  test('refuses a key that may not read, naming its scopes', async () => {
    const { text } = await bench.makeKey('recommender', ['generate', 'feedback'], admin);
    const { page, open } = await visit();
    await open('');

    await page.getByLabel('API key').fill(text);
    await page.getByRole('button', { name: 'Sign in' }).click();

    expect(await page.getByRole('alert').textContent()).toContain('this one has generate, feedback');
  });

  test('ends by itself, with the reason, when the key is revoked', async () => {
    const { id, text } = await bench.makeKey('left the team', ['read'], admin);
    const { page, signIn } = await visit();
    await signIn(text);

    await bench.call('POST', `/keys/${id}/revoke`, { reason: 'left the team' }, admin);

    await page.getByRole('heading', { name: 'Sign in' }).waitFor({ timeout: SIGNED_OUT_MS });
    expect(await page.getByRole('status').textContent()).toContain('its key was revoked');
  });

  test('can be done with the keyboard alone', async () => {
    const { page, open } = await visit();
    await open('');

    await page.keyboard.press('Tab');
    await page.keyboard.type(admin);
    await page.keyboard.press('Enter');

    await page.getByRole('heading', { name: 'Overview' }).waitFor();
  });
});
