import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';

import { accessibilityFaults } from './accessibility-check.ts';
import { type DashboardBench, openDashboardBench, shown, type Visit } from './dashboard-bench.ts';
import { describeWithChromium, START_MS } from './describe-with-chromium.ts';

const run = promisify(execFile);

describeWithChromium('an admin', () => {
  let bench: DashboardBench;
  let admin: string;
  const visits: Visit[] = [];
  const signedIn = async (key = admin): Promise<Visit> => {
    const visit = await bench.visit();
    visits.push(visit);
    await visit.signIn(key);
    return visit;
  };

  beforeAll(async () => {
    bench = await openDashboardBench({ history: { days: 4, callsPerDay: 60 } });
    admin = (await bench.makeKey('ops', ['admin'])).text;
  }, START_MS);
  afterEach(async () => {
    for (const { faults, close } of visits.splice(0)) {
      await close();
      expect(faults).toEqual([]);
    }
  });
  afterAll(() => bench?.close());

  test('finds a call by its external id and reads it whole', async () => {
    const { page, open } = await signedIn();
    await open('/generations');

    await page.getByLabel('Id or external id').fill('tip-80');
    await page.keyboard.press('Enter');
    await page.waitForURL(({ searchParams }) => searchParams.get('q') === 'tip-80');
    const rows = page.getByRole('table').locator('tbody tr');
    await rows.filter({ hasText: 'tip-80' }).waitFor();
    expect(await rows.count()).toBe(1);
    await page.reload();
    await shown(page);
    expect(await page.getByLabel('Id or external id').inputValue()).toBe('tip-80');
    expect(await rows.count()).toBe(1);

    await rows.getByRole('link').first().click();
    await page.getByRole('heading', { level: 1, name: 'Call' }).waitFor();
    await shown(page);
    const { generations } = await bench.call('GET', '/generations?q=tip-80', undefined, admin);
    const [summary] = generations as readonly Record<string, unknown>[];
    const call = await bench.call('GET', `/generations/${summary?.['id']}`, undefined, admin);
    const { messages } = call['rendered'] as { messages: readonly { content: string }[] };
    expect(messages.length).toBeGreaterThan(0);
    const text = await page.locator('main').textContent();
    for (const { content } of messages) expect(text).toContain(content.trim().slice(0, 60));
    for (const part of [call['text'], call['prompt_hash'], call['request_id']])
      expect(text).toContain(String(part));
    await page.getByRole('heading', { name: 'Outcomes' }).waitFor();
    await page.getByRole('heading', { name: 'Attempts' }).waitFor();

    await page.getByRole('link', { name: `tip ${call['prompt_version']}` }).click();
    await page.getByRole('heading', { name: `Version ${call['prompt_version']}` }).waitFor();
  });

  test('reads calls page by page, forth and back, and those that failed', async () => {
    const { page, open } = await signedIn();
    await open('/generations');
    const first = await page.getByRole('table').locator('tbody tr').first().textContent();

    await page.getByRole('link', { name: 'Older calls' }).click();
    await page.getByRole('link', { name: 'Newest calls' }).waitFor();
    await shown(page);
    expect(await page.getByRole('table').locator('tbody tr').first().textContent()).not.toBe(first);
    await page.goBack();
    await page.getByText('Newest calls').first().waitFor();
    expect(await page.getByRole('table').locator('tbody tr').first().textContent()).toBe(first);

    await page.getByLabel('Ended').selectOption('error');
    await page.waitForURL(({ searchParams }) => searchParams.get('status') === 'error');
    await shown(page);
    const { generations } = await bench.call('GET', '/generations?status=error', undefined, admin);
    const failed = (generations as readonly unknown[]).length;
    expect(failed).toBeGreaterThan(0);
    expect(await page.getByRole('table').locator('tbody tr').count()).toBe(failed);
    await page.getByRole('table').getByRole('link').first().click();
    await page.getByText('this model has been switched off').first().waitFor();
  });

  test('who revokes the key of the own session is signed out, and told why', async () => {
    const { text } = await bench.makeKey('leaving', ['admin'], admin);
    const { page, open } = await signedIn(text);
    await open('/keys');

    await page
      .getByRole('row')
      .filter({ hasText: 'leaving' })
      .getByRole('button', { name: /Revoke/ })
      .click();
    await page.getByLabel('Reason').fill('I leave');
    await page.getByRole('button', { name: 'Revoke the key' }).click();

    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await page.getByRole('status').textContent()).toContain('its key was revoked');
  });

  test('sees how the gateway is', async () => {
    const { page, open } = await signedIn();

    await open('/health');

    await page.getByText('Every part works.').waitFor();
    await page.getByRole('rowheader', { name: 'database' }).waitFor();
  });

  test('is told when the gateway does not answer, keeps what was known, and goes on when it is back', async () => {
    const { page, open, context } = await signedIn();
    await open('');
    await context.route('**/analytics/**', (route) => route.abort());

    const alert = page.getByRole('alert');
    await alert.getByText('The gateway does not answer').first().waitFor();
    expect(await page.getByRole('region', { name: 'tip' }).count()).toBe(1);

    await context.unroute('**/analytics/**');
    await alert.waitFor({ state: 'detached' });
  });
});

describeWithChromium('a gateway that was just installed', () => {
  let bench: DashboardBench;
  let visit: Visit;

  beforeAll(async () => {
    bench = await openDashboardBench();
    visit = await bench.visit();
  }, START_MS);
  afterAll(async () => {
    await visit?.close();
    await bench?.close();
  });

  test('shows the command that makes the first row; pasted, it does, and the page shows the row', async () => {
    const { page, open } = visit;
    await open('/generations');
    expect(await accessibilityFaults(page)).toEqual([]);
    const command = await page.locator('code').filter({ hasText: 'curl' }).first().textContent();

    const { stdout } = await run('sh', ['-c', command ?? '']);

    const { id } = JSON.parse(stdout) as { id: string };
    await page.getByText(`…${id.slice(-8)}`).waitFor();

    await open(`/generations/${id}`);
    const outcome = await page.locator('code').filter({ hasText: '/feedback' }).first().textContent();
    await run('sh', ['-c', outcome ?? '']);
    await page.getByRole('rowheader', { name: 'completed' }).waitFor();
  });
});
