import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';

/** A file of the admin page, with what of it crosses the wire. */
export interface DashboardFile {
  readonly contentType: string;
  readonly bytes: Readonly<Record<Encoding, Buffer>>;
}

export type Encoding = 'br' | 'gzip' | 'identity';

export interface DashboardFiles {
  /** The page; null: it was not built. Read again each time: a build replaces it under a running process. */
  page(): Promise<string | null>;
  /** A file the page asks for; null: there is none of this name. */
  asset(name: string): Promise<DashboardFile | null>;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};

/** One name, no path: nothing above the folder can be named. */
const ASSET_NAME = /^[\w-][\w.-]{0,199}$/;

/** What the build wrote to `folder`. Names of assets hold a hash of their content, so each is read and packed once. */
export function createDashboardFiles(folder: string): DashboardFiles {
  const assets = new Map<string, Promise<DashboardFile | null>>();

  return {
    page: () => textOrNull(join(folder, 'index.html')),
    asset: async (name) => {
      const contentType = CONTENT_TYPES[extname(name)];
      if (contentType === undefined || !ASSET_NAME.test(name)) return null;
      const known = assets.get(name);
      if (known !== undefined) return known;
      const reading = packed(join(folder, 'assets', name), contentType);
      assets.set(name, reading);
      // Only files that exist are kept: their number is bounded by the build.
      const file = await reading.catch(() => null);
      if (file === null) assets.delete(name);
      return reading;
    },
  };
}

async function packed(path: string, contentType: string): Promise<DashboardFile | null> {
  const identity = await bytesOrNull(path);
  if (identity === null) return null;
  const [br, gzipped] = await Promise.all([promisify(brotliCompress)(identity), promisify(gzip)(identity)]);
  return { contentType, bytes: { identity, br, gzip: gzipped } };
}

async function textOrNull(path: string): Promise<string | null> {
  return (await bytesOrNull(path))?.toString('utf8') ?? null;
}

async function bytesOrNull(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error !== null && typeof error === 'object' && 'code' in error && error.code === 'ENOENT';
}
