import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';

import { accessibilityFaults } from './accessibility-check.ts';
import { type DashboardBench, openDashboardBench, shown, type Visit } from './dashboard-bench.ts';
import { describeWithChromium, START_MS } from './describe-with-chromium.ts';
import { EXPERIMENT } from './written-history.ts';

const PATH = `/experiments/${EXPERIMENT}`;

describeWithChromium('the page of an experiment', () => {
  let bench: DashboardBench;
  let admin: string;
  let reader: string;
  const visits: Visit[] = [];
  const visitAs = async (key: string, path = PATH): Promise<Visit> => {
    const visited = await bench.visit();
    visits.push(visited);
    await visited.signIn(key);
    await visited.open(path);
    return visited;
  };

  beforeAll(async () => {
    bench = await openDashboardBench({ history: { days: 10, callsPerDay: 48 } });
    admin = (await bench.makeKey('ops', ['admin'])).text;
    reader = (await bench.makeKey('product', ['read'], admin)).text;
  }, START_MS);
  afterEach(async () => {
    for (const { faults, close } of visits.splice(0)) {
      await close();
      expect(faults).toEqual([]);
    }
  });
  afterAll(() => bench?.close());

  const reported = (): Promise<Record<string, unknown>> =>
    bench.call('GET', `/analytics${PATH}`, undefined, admin);

  test('begins with the verdict of the gateway, and draws what it rests on', async () => {
    const { page } = await visitAs(reader);

    const verdict = (await reported())['verdict'] as { readonly text: string };
    await page.getByText(verdict.text).waitFor();
    await page.getByRole('img', { name: /Interval of each arm over time/ }).waitFor();
    await page.getByRole('img', { name: /Chance of each arm over time/ }).waitFor();
    await page.getByText('The same as a table', { exact: true }).click();
    const rows = page.getByRole('table', { name: /Mean, interval and units/ }).getByRole('row');
    expect(await rows.count()).toBeGreaterThan(5);
    expect(await accessibilityFaults(page)).toEqual([]);
  });

  test('asks what another policy would have earned, and keeps the question in the address', async () => {
    const { page } = await visitAs(reader);

    await page.getByLabel('Instead').selectOption('arm:fitted');
    const asked = await bench.call('GET', `/analytics${PATH}?policy=arm:fitted`, undefined, reader);
    const answer = page.getByText((asked['off_policy'] as { readonly text: string }).text);
    await answer.waitFor();

    expect(new URL(page.url()).searchParams.get('policy')).toBe('arm:fitted');
    await page.reload();
    await answer.waitFor();
    await page.getByLabel('Or in writing').fill('arm:nobody');
    await page.getByLabel('Or in writing').press('Enter');
    await page
      .getByRole('alert')
      .getByText(/nobody/)
      .first()
      .waitFor();
  });

  test('offers a reader nothing to change', async () => {
    const { page } = await visitAs(reader);

    expect(await page.getByRole('main').getByRole('button').count()).toBe(0);
  });

  test('stops the experiment with a reason, and resumes it', async () => {
    const { page } = await visitAs(admin);

    await page.getByRole('button', { name: 'Stop…' }).click();
    const stop = page.getByRole('button', { name: 'Stop the experiment' });
    expect(await stop.isDisabled()).toBe(true);
    await page.getByLabel(/Reason/).fill('complaints <img src=x onerror=alert(1)>');
    expect(await accessibilityFaults(page)).toEqual([]);
    await stop.click();
    await page.getByText('stopped by an admin').waitFor();
    expect(await page.getByText('complaints <img src=x onerror=alert(1)>').count()).toBeGreaterThan(0);
    expect((await reported())['state']).toBe('stopped_by_admin');

    await page.getByRole('button', { name: 'Resume…' }).click();
    await page.getByLabel(/Reason/).fill('answered');
    await page.getByRole('button', { name: 'Resume the experiment' }).click();
    await page.getByText('running', { exact: true }).waitFor();
    expect((await reported())['state']).toBe('running');
  });

  test('moves its label away once it is asked to, and then says that nothing leads to it', async () => {
    const { page } = await visitAs(admin);

    await page.getByRole('button', { name: /^Move @trial to v/ }).click();
    await page.getByLabel(/Reason/).fill('the experiment is over');
    await page.getByRole('button', { name: 'Move the label' }).click();
    await page.getByText(/No label leads to this experiment/).waitFor();

    const { target } = await bench.call('GET', '/prompts/tip/labels/trial', undefined, admin);
    expect(target).toHaveProperty('version');
  });

  test('leads to its calls, page by page, and to one of them whole', async () => {
    const { page } = await visitAs(reader);

    await page.getByRole('link', { name: 'every recorded call of it' }).click();
    const table = page.getByRole('table', { name: 'Newest calls' });
    await table.waitFor();
    const first = await table.getByRole('rowheader').first().textContent();
    await page.getByRole('link', { name: 'Older calls' }).click();
    const older = page.getByRole('table', { name: 'Older calls' });
    await older.waitFor();
    expect(new URL(page.url()).searchParams.get('experiment')).toBe(EXPERIMENT);
    expect(await older.getByRole('rowheader').first().textContent()).not.toBe(first);
    await page.goBack();
    await table.waitFor();

    await table.getByRole('rowheader').first().getByRole('link').click();
    await page.getByRole('heading', { name: 'What the model was sent' }).waitFor();
    await shown(page);
    await page.getByText('Rendered again from the recorded variables').waitFor();
    expect(await page.getByRole('link', { name: EXPERIMENT, exact: true }).count()).toBe(1);
    expect(await page.getByText(/^sha256:[0-9a-f]{64}$/).count()).toBeGreaterThan(0);
  });
});
