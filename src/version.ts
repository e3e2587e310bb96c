import { readFileSync } from 'node:fs';

const PACKAGE_FILE = new URL('../package.json', import.meta.url);

let known: string | null = null;

/** Version of this gateway, from `package.json`. */
export function gatewayVersion(): string {
  known ??= (JSON.parse(readFileSync(PACKAGE_FILE, 'utf8')) as { version: string }).version;
  return known;
}
