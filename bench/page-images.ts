/**
 * `npm run docs:images`: takes pictures of the pages of the dashboard into docs/images, from a gateway with four weeks of
 * simulated traffic. Needs Chromium.
 */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { openDashboardBench, type Visit } from '../test/browser/dashboard-bench.ts';
import { pageAddresses } from '../test/browser/page-addresses.ts';

const FOLDER = resolve(import.meta.dirname, '../docs/images');
const HISTORY = { days: 28, callsPerDay: 240 };
/** What a picture beside text can show without being shrunk to dust. */
const WINDOW = { width: 1120, height: 800 };
const TALLEST_PX = 1_600;
const MARGIN_PX = 20;
const PICTURED = ['overview', 'prompt', 'experiment', 'generations', 'generation', 'keys', 'health'];

/** As tall as the parts of the page that fit whole. */
async function heightOfWholeParts({ page }: Visit): Promise<number> {
  const bottomsPx = await page.evaluate<readonly number[]>(
    "[...document.querySelectorAll('main > *, main .panel')].map((part) => part.getBoundingClientRect().bottom)",
  );
  const wholePx = bottomsPx.filter((bottomPx) => bottomPx <= TALLEST_PX);
  return Math.max(WINDOW.height, Math.ceil(Math.max(0, ...wholePx)) + MARGIN_PX);
}

await mkdir(FOLDER, { recursive: true });
const bench = await openDashboardBench({ history: HISTORY });
try {
  const { text: admin } = await bench.makeKey('ops', ['admin']);
  await bench.makeKey('recommender', ['generate', 'feedback'], admin);
  const { id } = await bench.makeKey('laptop of a colleague', ['read'], admin);
  await bench.call('POST', `/keys/${id}/revoke`, { reason: 'left the team' }, admin);
  const addresses = await pageAddresses(bench, admin);
  const visit = await bench.visit({ colorScheme: 'light', viewport: WINDOW, reducedMotion: 'reduce' });
  await visit.signIn(admin);
  for (const name of PICTURED) {
    await visit.page.setViewportSize(WINDOW);
    await visit.open(addresses.get(name) ?? '');
    await visit.page.setViewportSize({ ...WINDOW, height: await heightOfWholeParts(visit) });
    await visit.page.screenshot({ path: join(FOLDER, `${name}.png`), animations: 'disabled' });
    console.log(`${name}.png`);
  }
} finally {
  await bench.close();
}
