import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of its own for one test; `remove` takes it away with everything in it. `readable`: by every user. */
export function temporaryFolder(access: 'private' | 'readable' = 'private'): {
  readonly path: string;
  remove(): void;
} {
  const path = mkdtempSync(join(tmpdir(), 'prompt-gateway-'));
  if (access === 'readable') chmodSync(path, 0o755);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
