import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';

import { accessibilityFaults } from './accessibility-check.ts';
import { type DashboardBench, openDashboardBench, type Visit } from './dashboard-bench.ts';
import { describeWithChromium, START_MS } from './describe-with-chromium.ts';

/** A whole one: its beginning stands in the list. */
const KEY = /pgw_[a-z0-9]+_[\w-]{30,}/;

describeWithChromium('the page of keys', () => {
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
    for (const { faults, close } of visits.splice(0)) {
      await close();
      expect(faults).toEqual([]);
    }
  });
  afterAll(() => bench?.close());

  test('makes the first key, shows it although the gateway is closed from then on, and lets it in', async () => {
    const { page, open, signIn, requested } = await visit();
    await open('/keys');

    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByText('This is the first key').waitFor();
    await page.getByLabel(/^Name/).fill('ops');
    await page.getByRole('button', { name: 'Make the key' }).click();
    const once = page.getByRole('region', { name: /Keep it now/ });
    admin = (await once.locator('pre').textContent()) ?? '';
    const asked = requested.length;
    const refused = await fetch(`${bench.url}/keys`);

    expect(refused.status).toBe(401);
    expect(await accessibilityFaults(page)).toEqual([]);
    expect(requested.slice(asked)).toEqual([]);
    await page.getByRole('button', { name: 'I have kept it' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await signIn(admin);
  });

  test('revokes a key with a reason; the key works no more', async () => {
    const caller = await bench.makeKey('recommender', ['generate', 'read'], admin);
    const { page, signIn, open } = await visit();
    await signIn(admin);
    await open('/keys');

    await page.getByRole('button', { name: 'Revoke recommender' }).click();
    await page.getByLabel(/Reason/).fill('left the team');
    await page.getByRole('button', { name: 'Revoke the key' }).click();
    await page
      .getByRole('row', { name: /recommender/ })
      .getByText('left the team')
      .waitFor();

    const answer = await fetch(`${bench.url}/prompts`, {
      headers: { authorization: `Bearer ${caller.text}` },
    });
    expect(answer.status).toBe(401);
    expect(await page.getByRole('button', { name: 'Revoke recommender' }).count()).toBe(0);
  });

  test('says in words what hinders a new key, and takes its limits', async () => {
    const { page, signIn, open } = await visit();
    await signIn(admin);
    await open('/keys');

    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByLabel(/^Name/).fill('batch');
    await page.getByRole('button', { name: 'Make the key' }).click();
    await page.getByRole('alert').getByText('Choose what the key may do.').waitFor();
    await page.getByRole('checkbox', { name: /^generate/ }).check();
    await page.getByLabel('Calls of a model per minute').fill('60');
    await page.getByRole('button', { name: 'Make the key' }).click();
    await page.getByRole('button', { name: 'I have kept it' }).click();

    await page.getByRole('row', { name: /batch/ }).getByText('60 calls/min').waitFor();
    expect(await page.evaluate<string>('document.activeElement.textContent')).toBe('New key');
    expect(await page.getByText(KEY).count()).toBe(0);
  });

  test('is closed to a key that may only read', async () => {
    const { text } = await bench.makeKey('product', ['read'], admin);
    const { page, signIn, open } = await visit();
    await signIn(text);
    await open('/keys');

    await page.getByText(/may not see or change keys/).waitFor();
    expect(await page.getByRole('button', { name: 'New key' }).count()).toBe(0);
  });
});
