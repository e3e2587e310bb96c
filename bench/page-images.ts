/**
 * `npm run docs:images`: takes pictures of the pages of the dashboard into docs/images, from a gateway with four weeks of
 * simulated traffic. Needs Chromium.
 */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { openDashboardBench } from '../test/browser/dashboard-bench.ts';
import { pageAddresses } from '../test/browser/page-addresses.ts';

const FOLDER = resolve(import.meta.dirname, '../docs/images');
const HISTORY = { days: 28, callsPerDay: 90 };
/** What a picture beside text can show without being shrunk to dust. */
const WINDOW = { width: 1120, height: 800 };
const TALLEST_PX = 1_600;
const PICTURED = ['overview', 'prompt', 'experiment', 'generations', 'generation', 'keys', 'health'];

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
    const height = await visit.page.evaluate<number>('document.documentElement.scrollHeight');
    await visit.page.setViewportSize({ ...WINDOW, height: Math.min(height, TALLEST_PX) });
    await visit.page.screenshot({ path: join(FOLDER, `${name}.png`), animations: 'disabled' });
    console.log(`${name}.png`);
  }
} finally {
  await bench.close();
}
