import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../..');
const MAX_FIRST_VIEW_BYTES = 150 * 1024;

describe('the built dashboard', () => {
  let folder: string;
  let page: string;
  const bytesByFile = new Map<string, Buffer>();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dashboard-build-'));
    const vite = join(dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin/vite.js');
    await promisify(execFile)(process.execPath, [vite, 'build', '--outDir', folder], { cwd: ROOT });
    page = await readFile(join(folder, 'index.html'), 'utf8');
    for (const file of await readdir(join(folder, 'assets'))) {
      bytesByFile.set(file, await readFile(join(folder, 'assets', file)));
    }
  }, 120_000);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  // gzip is what the worst of today's proxies leaves of it.
  test('needs at most 150 KiB for the first view, as gzip', () => {
    const files = [Buffer.from(page), ...bytesByFile.values()];
    const compressed = (compress: (bytes: Buffer) => Buffer) =>
      files.reduce((sum, bytes) => sum + compress(bytes).byteLength, 0);

    expect(compressed(gzipSync)).toBeLessThanOrEqual(MAX_FIRST_VIEW_BYTES);
    expect(compressed(brotliCompressSync)).toBeLessThanOrEqual(compressed(gzipSync));
  });

  test('loads only files of its own, none of them inline', () => {
    const addresses = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address ?? '');

    expect(addresses.filter((address) => address.startsWith('/admin/assets/'))).toHaveLength(3);
    expect(addresses.every((address) => /^\/(?!\/)/.test(address))).toBe(true);
    expect(page).not.toMatch(/<style|style="|<script(?![^>]*\bsrc=)|\bon[a-z]+="/);
  });

  test('says without JavaScript what it is, and how to get the report as CSV', () => {
    const noscript = /<noscript>([\s\S]*)<\/noscript>/.exec(page)?.[1] ?? '';

    expect(noscript).toContain('which prompt version earns the most reward');
    expect(noscript).toContain('/analytics/prompts/tip/versions?format=csv');
  });

  test('names its files by their content, so that they may be kept for ever', () => {
    expect([...bytesByFile.keys()].every((file) => /-[\w-]{8}\.(?:js|css|svg)$/.test(file))).toBe(true);
  });
});
