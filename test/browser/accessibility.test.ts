import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { BrowserContextOptions } from 'playwright-core';

import { accessibilityFaults, pixelsTooWide } from './accessibility-check.ts';
import { type DashboardBench, openDashboardBench, type Visit } from './dashboard-bench.ts';
import { describeWithChromium, START_MS } from './describe-with-chromium.ts';
import { pageAddresses } from './page-addresses.ts';

const NARROW = { width: 320, height: 640 };
const PAGES = [
  'overview',
  'prompt',
  'prompt without calls',
  'experiments',
  'experiment',
  'generations',
  'generation',
  'keys',
  'health',
  'unknown page',
];

describeWithChromium('every page', () => {
  let bench: DashboardBench;
  let addresses: ReadonlyMap<string, string>;
  let admin: string;

  beforeAll(async () => {
    bench = await openDashboardBench({ history: { days: 10, callsPerDay: 30 } });
    admin = (await bench.makeKey('ops', ['admin'])).text;
    addresses = await pageAddresses(bench, admin);
  }, START_MS);
  afterAll(() => bench?.close());

  const MODES: readonly (readonly [string, BrowserContextOptions])[] = [
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['light and 320 px wide', { colorScheme: 'light', viewport: NARROW }],
    ['dark and 320 px wide', { colorScheme: 'dark', viewport: NARROW }],
  ];
  describe.each(MODES)('in %s', (_mode, options) => {
    let visit: Visit;
    beforeAll(async () => {
      visit = await bench.visit(options);
    });
    afterAll(() => visit?.close());

    test('the sign-in has no fault that axe knows', async () => {
      await visit.open('');

      expect(await visit.page.getByRole('heading', { level: 1 }).textContent()).toBe('Sign in');
      expect(await accessibilityFaults(visit.page)).toEqual([]);
      expect(await pixelsTooWide(visit.page)).toBe(0);
      await visit.signIn(admin);
    });

    test.each(PAGES)('%s has no fault that axe knows, and nothing to scroll sideways', async (name) => {
      await visit.open(addresses.get(name) ?? '/not among the addresses');

      expect(await accessibilityFaults(visit.page)).toEqual([]);
      expect(await pixelsTooWide(visit.page)).toBe(0);
      expect(visit.faults).toEqual([]);
    });
  });

  test('asks no other host for anything', async () => {
    const visit = await bench.visit();
    await visit.signIn(admin);
    for (const path of addresses.values()) await visit.open(path);

    expect(visit.requested.length).toBeGreaterThan(addresses.size);
    expect(visit.requested.filter((address) => new URL(address).origin !== bench.url)).toEqual([]);
    await visit.close();
  });

  test('stands still where the system asks for less motion', async () => {
    const visit = await bench.visit({ reducedMotion: 'reduce' });
    await visit.signIn(admin);
    for (const path of addresses.values()) {
      await visit.open(path);
      const moving = await visit.page.evaluate<readonly string[]>(
        `[...document.querySelectorAll('*')].filter((element) => {
          const style = getComputedStyle(element);
          const seconds = (text) => Math.max(...text.split(',').map((part) => Number.parseFloat(part)));
          return seconds(style.transitionDuration) > 0.01 || seconds(style.animationDuration) > 0.01
            || style.scrollBehavior === 'smooth';
        }).map((element) => element.outerHTML.slice(0, 80))`,
      );
      expect(moving).toEqual([]);
    }
    await visit.close();
  });

  test('is reached by keyboard: past the navigation, and through it', async () => {
    const visit = await bench.visit();
    const { page } = visit;
    await visit.signIn(admin);
    await visit.open('');

    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toMatch(/Skip to the content/);
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('content');

    await visit.open('');
    for (const title of ['Experiments', 'Generations', 'Keys', 'Health']) {
      await tabTo(visit, title);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { level: 1, name: title }).waitFor();
      // The heading takes the focus, so that a screen reader tells what came.
      expect(await page.evaluate('document.activeElement.tagName')).toBe('H1');
      await page.evaluate('document.activeElement.blur(); scrollTo(0, 0)');
      await visit.open(new URL(page.url()).pathname.replace('/admin', ''));
    }
    await visit.close();
  });

  test('says without JavaScript what it is and how to get the report', async () => {
    const visit = await bench.visit({ javaScriptEnabled: false });
    await visit.page.goto(`${bench.url}/admin`);

    const text = await visit.page.locator('body').textContent();
    expect(text).toContain('which prompt version');
    expect(text).toContain('format=csv');
    await visit.close();
  });
});

/** Presses Tab until the link with this text has the focus; fails when it never gets it. */
async function tabTo({ page }: Visit, text: string): Promise<void> {
  for (let presses = 0; presses < 30; presses += 1) {
    await page.keyboard.press('Tab');
    if ((await page.evaluate('document.activeElement.textContent')) === text) {
      const outline = await page.evaluate<string>('getComputedStyle(document.activeElement).outlineStyle');
      expect(outline).not.toBe('none');
      return;
    }
  }
  throw new Error(`"${text}" cannot be reached with Tab`);
}
