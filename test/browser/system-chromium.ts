import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const CANDIDATES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

function chromiumFile(): string | null {
  const named = process.env['CHROMIUM'];
  return (named === undefined ? CANDIDATES : [named]).find(existsSync) ?? null;
}

/** Why no browser can be started here; null when one can. With `REQUIRE_SERVICES=1` its absence is an error instead. */
export function chromiumMissing(): string | null {
  if (chromiumFile() !== null) return null;
  const reason = `no Chromium: apt-get install chromium, or name its file in CHROMIUM (looked at ${CANDIDATES.join(', ')})`;
  if (process.env['REQUIRE_SERVICES'] === '1') throw new Error(reason);
  return reason;
}

export async function launchChromium(): Promise<Browser> {
  const executablePath = chromiumFile();
  if (executablePath === null) throw new Error('no Chromium');
  return chromium.launch({
    executablePath,
    // Containers run as root, where the sandbox cannot be had; the pages are our own.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--force-color-profile=srgb'],
  });
}
