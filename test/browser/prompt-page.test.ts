import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';

import type { Locator } from 'playwright-core';

import { accessibilityFaults } from './accessibility-check.ts';
import { type DashboardBench, openDashboardBench, shown, type Visit } from './dashboard-bench.ts';
import { describeWithChromium, START_MS } from './describe-with-chromium.ts';

/** What a colleague does is seen in every open page within this. */
const SEEN_ELSEWHERE_MS = 2_000;

describeWithChromium('the page of a prompt', () => {
  let bench: DashboardBench;
  let admin: string;
  let reader: string;
  const visits: Visit[] = [];
  const visitAs = async (key: string): Promise<Visit> => {
    const visited = await bench.visit();
    visits.push(visited);
    await visited.signIn(key);
    return visited;
  };

  beforeAll(async () => {
    bench = await openDashboardBench({ history: { days: 12, callsPerDay: 60 } });
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

  async function liveTarget(): Promise<unknown> {
    return (await bench.call('GET', '/prompts/tip/labels/live', undefined, admin))['target'];
  }

  test('is one step from the first screen, which says which version is better and how sure that is', async () => {
    const { page } = await visitAs(reader);

    const card = page.getByRole('region', { name: 'tip' });
    const report = await bench.call('GET', '/analytics/prompts/tip/versions', undefined, reader);
    await card.getByText(String(report['summary'])).waitFor();
    for (const version of ['v1', 'v2', 'v3']) await card.getByRole('rowheader', { name: version }).waitFor();
    await card.getByText('Cost, 7 days').waitFor();

    await card.getByRole('link', { name: 'tip', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'tip' }).waitFor();
    expect(page.url()).toBe(`${bench.url}/admin/prompts/tip`);
    await page.getByText(String(report['summary'])).waitFor();
  });

  test('keeps its filters in the address, through a reload and for somebody else', async () => {
    const { page, open, context } = await visitAs(reader);
    await open('/prompts/tip');

    const filters = page.getByRole('search', { name: 'Filters' });

    await filters.getByLabel('Metric').selectOption('reaction');
    await page.getByRole('heading', { name: 'Mean reaction' }).waitFor();
    await filters.getByLabel('Time').selectOption('7d');
    await filters.getByLabel('Segment').selectOption('experiment:tone');
    await shown(page);

    const address = new URL(page.url());
    expect(Object.fromEntries(address.searchParams)).toEqual({
      metric: 'reaction',
      period: '7d',
      segment: 'experiment:tone',
    });
    const rows = await calls(page);
    await page.reload();
    await shown(page);
    expect(await filters.getByLabel('Metric').inputValue()).toBe('reaction');
    expect(await calls(page)).toEqual(rows);
    const other = await context.newPage();
    await other.goto(address.href);
    await shown(other);
    expect(await calls(other)).toEqual(rows);

    await page.goBack();
    await page.waitForURL(({ searchParams }) => !searchParams.has('segment'));
    expect(await filters.getByLabel('Segment').inputValue()).toBe('');
  });

  test('gives what it shows as CSV, filters included', async () => {
    const { page, open } = await visitAs(reader);
    await open('/prompts/tip?metric=reaction');

    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Report as CSV' }).click(),
    ]);

    const [header, ...lines] = (await readFile(await download.path(), 'utf8')).trim().split(/\r?\n/);
    expect(header).toContain('prompt_version');
    expect(lines).toHaveLength(3);
    expect(lines.join()).toContain('reaction');
  });

  test('draws the moves of labels into the lines over time, and says the same as a table', async () => {
    const { page, open } = await visitAs(reader);
    await open('/prompts/tip');

    await page.getByText('@live → v3', { exact: true }).first().waitFor();
    expect(await page.locator('canvas').count()).toBeGreaterThan(0);
    await page.getByText('The same as a table').click();
    await page.getByRole('columnheader', { name: 'Mean reward' }).waitFor();
  });

  test('renders a version with changed variables, and names what does not fit', async () => {
    const { page, open } = await visitAs(reader);
    await open('/prompts/tip?version=v2');
    const messages = page.locator('.messages');
    await messages.getByText('I feel neutral right now').waitFor();

    await page.getByLabel('mood').fill('sleepy');

    await messages.getByText('I feel sleepy right now').waitFor();
    await page.getByLabel('recent_tips').fill('["Take a walk."]');
    await messages.getByText('Take a walk.').waitFor();
    await page.getByLabel('recent_tips').fill('[3]');
    await page.getByRole('alert').getByText('variables.recent_tips').first().waitFor();
    // The last messages that could be rendered stay.
    expect(await messages.getByText('Take a walk.').count()).toBe(1);
  });

  test('shows text and difference of versions, and says when one does not exist', async () => {
    const { page, open } = await visitAs(reader);

    await open('/prompts/tip?version=v3&view=text');
    await page.getByText('Answer with one JSON object').first().waitFor();
    await open('/prompts/tip?version=v2&view=diff&against=v1');
    await page.locator('ins').getByText('warm, encouraging coach').waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);

    await open('/prompts/tip?version=v9&view=diff&against=v1');
    const alert = await page.getByRole('alert').first().textContent();
    expect(alert).toContain('version_not_found');
    expect(alert).toContain('v9');
    await open('/prompts/none');
    expect(await page.getByRole('alert').first().textContent()).toContain('prompt_not_found');
  });

  test('tries a version out: a call tagged as a test, which no report counts', async () => {
    const before = await generationsOfReport();
    const { page, open } = await visitAs(admin);
    await open('/prompts/tip?version=v1');

    await page.getByRole('button', { name: 'Call the model' }).click();

    await page.getByRole('link', { name: 'The whole call' }).click();
    await page.getByRole('heading', { level: 1, name: 'Call' }).waitFor();
    await shown(page);
    const id = page.url().split('/').at(-1);
    const call = await bench.call('GET', `/generations/${id}`, undefined, admin);
    expect(call).toMatchObject({ prompt_version: 'v1', test: true, tags: ['test'] });
    expect(await generationsOfReport()).toBe(before);
  });

  test('moves a label with a reason, which every other open page shows within two seconds, and rolls it back', async () => {
    const mover = await visitAs(admin);
    const watcher = await visitAs(reader);
    await mover.open('/prompts/tip');
    await watcher.open('/prompts/tip');
    const seen = watcher.page.getByRole('article', { name: 'Label live' }).locator('strong');
    const label = mover.page.getByRole('article', { name: 'Label live' });
    expect(await seen.textContent()).toBe('v3');

    await label.getByLabel('Move to').selectOption('v1');
    await label.getByRole('button', { name: 'Move…' }).click();
    const dialog = mover.page.getByRole('dialog', { name: 'Move @live to v1?' });
    expect(await accessibilityFaults(mover.page)).toEqual([]);
    const confirm = dialog.getByRole('button', { name: 'Move the label' });
    expect(await confirm.isDisabled()).toBe(true);
    await dialog.getByLabel('Reason').fill('complaints about v3');
    await confirm.click();
    await dialog.waitFor({ state: 'detached' });

    await seen.getByText('v1').waitFor({ timeout: SEEN_ELSEWHERE_MS });
    expect(await liveTarget()).toEqual({ version: 'v1' });
    const { prompt_version } = await bench.call('POST', '/generate', { prompt: 'tip', variables: {} }, admin);
    expect(prompt_version).toBe('v1');

    await label.getByRole('button', { name: 'Roll back to v3…' }).click();
    await mover.page.getByRole('dialog').getByLabel('Reason').fill('it was the model');
    await mover.page.getByRole('button', { name: 'Roll back', exact: true }).click();

    await seen.getByText('v3').waitFor({ timeout: SEEN_ELSEWHERE_MS });
    expect(await liveTarget()).toEqual({ version: 'v3' });
    await label.getByText('History of @live').click();
    for (const reason of ['complaints about v3', 'it was the model', 'v3 leads the comparison']) {
      await label.getByRole('cell', { name: reason }).waitFor();
    }
  });

  test('refuses a move over one that somebody else made meanwhile, and shows theirs', async () => {
    const { page, open } = await visitAs(admin);
    await open('/prompts/tip');
    await page.getByRole('button', { name: 'Roll back to v1…' }).click();

    await bench.call('PUT', '/prompts/tip/labels/live', { version: 'v2', reason: 'first' }, admin);
    await page.getByRole('dialog').getByLabel('Reason').fill('second');
    await page.getByRole('button', { name: 'Roll back', exact: true }).click();

    expect(await page.getByRole('dialog').getByRole('alert').textContent()).toContain('conflict');
    expect(await liveTarget()).toEqual({ version: 'v2' });
    await bench.call('PUT', '/prompts/tip/labels/live', { version: 'v3', reason: 'as it was' }, admin);
  });

  test('moves a label by keyboard alone; Escape leaves the dialog and gives the focus back', async () => {
    const { page, open } = await visitAs(admin);
    await open('/prompts/tip');
    const label = page.getByRole('article', { name: 'Label live' });
    const move = label.getByRole('button', { name: 'Move…' });
    await move.focus();

    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    for (let presses = 0; presses < 8; presses += 1) {
      await page.keyboard.press('Tab');
      // The browser's own bar takes a turn, which is no element of the page.
      expect(
        await page.evaluate(
          "document.activeElement === document.body || document.activeElement.closest('dialog') !== null",
        ),
      ).toBe(true);
    }
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await hasFocus(move)).toBe(true);
    expect(await liveTarget()).toEqual({ version: 'v3' });

    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByLabel('Reason').focus();
    await page.keyboard.type('by keyboard');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await liveTarget()).not.toEqual({ version: 'v3' });
    await bench.call('PUT', '/prompts/tip/labels/live', { version: 'v3', reason: 'as it was' }, admin);
  });

  test('offers no change to who may only read', async () => {
    const { page, open } = await visitAs(reader);

    await open('/prompts/tip');

    await page.getByRole('article', { name: 'Label live' }).waitFor();
    expect(await page.getByRole('button', { name: /Move|Roll back|Call the model/ }).count()).toBe(0);
    await open('/keys');
    expect(await page.getByRole('button', { name: 'New key' }).count()).toBe(0);
  });

  test('keeps scroll and focus while it is read again', async () => {
    const { page, open } = await visitAs(admin);
    await open('/prompts/tip');
    await page.getByLabel('mood').focus();
    const before = await page.evaluate<number>('scrollY');

    await bench.call('POST', '/generate', { prompt: 'tip', variables: {}, user_id: 'new' }, admin);
    await Promise.all([1, 2].map(() => page.waitForResponse(/\/analytics\/prompts\/tip\/versions/)));

    expect(before).toBeGreaterThan(0);
    expect(Math.abs((await page.evaluate<number>('scrollY')) - before)).toBeLessThan(40);
    expect(await hasFocus(page.getByLabel('mood'))).toBe(true);
  });

  async function generationsOfReport(): Promise<number> {
    const { versions } = await bench.call('GET', '/analytics/prompts/tip/versions', undefined, admin);
    return (versions as readonly { readonly generations: number }[]).reduce(
      (sum, { generations }) => sum + generations,
      0,
    );
  }
});

function hasFocus(locator: Locator): Promise<boolean> {
  return locator.evaluate((element) => element.ownerDocument.activeElement === element);
}

/** Counts of calls by version, as the page shows them. */
function calls(page: Visit['page']): Promise<readonly string[]> {
  const table = page.getByRole('table', { name: /Calls, cost and speed/ });
  return table.getByRole('row').allTextContents();
}
