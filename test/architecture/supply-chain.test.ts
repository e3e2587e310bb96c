import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from '@jest/globals';

import { temporaryFolder } from '../helpers/temporary-folder.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PATH = process.env['PATH'] ?? '';
const folder = temporaryFolder();
afterAll(folder.remove);

interface Component {
  readonly name: string;
  readonly version: string;
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
}

const packageJson = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>;
};

test('the bill of materials names what is shipped, with hashes, and needs no network', () => {
  const run = spawnSync('npm', ['run', '--silent', 'sbom'], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { PATH, HOME: folder.path, npm_config_registry: 'http://127.0.0.1:9', npm_config_offline: 'true' },
  });
  const { bomFormat, components } = JSON.parse(run.stdout) as {
    readonly bomFormat: string;
    readonly components: readonly Component[];
  };
  const versionByName = new Map(components.map(({ name, version }) => [name, version]));

  expect(bomFormat).toBe('CycloneDX');
  for (const [name, version] of Object.entries(packageJson.dependencies)) {
    expect([name, versionByName.get(name)]).toEqual([name, version]);
  }
  for (const name of ['jest', 'typescript', 'vite']) expect(versionByName.has(name)).toBe(false);
  expect(components.filter(({ hashes = [] }) => hashes.length === 0).map(({ name }) => name)).toEqual([]);
});

describe('the audit', () => {
  /** Runs it with an npm that answers this. */
  function audited(answer: object): { readonly status: number | null; readonly text: string } {
    const npm = join(folder.path, 'npm');
    writeFileSync(npm, `#!/bin/sh\ncat <<'END'\n${JSON.stringify(answer)}\nEND\n`);
    chmodSync(npm, 0o755);
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', import.meta.resolve('tsx'), join(ROOT, 'deploy/audit.ts')],
      { encoding: 'utf8', env: { PATH: `${folder.path}:${PATH}` } },
    );
    return { status, text: stdout + stderr };
  }

  test.each([
    ['nothing found', { metadata: { vulnerabilities: { total: 0 } } }, 0, '0 known vulnerabilities'],
    [
      'something found',
      {
        metadata: { vulnerabilities: { high: 1, total: 1 } },
        vulnerabilities: { express: { severity: 'high', range: '<5.3.1' } },
      },
      1,
      'high  express <5.3.1',
    ],
    [
      'a registry without the endpoint',
      { message: '405 Method Not Allowed - POST …', error: { summary: '' } },
      2,
      'not audited: the registry could not be asked (405 Method Not Allowed',
    ],
  ])('tells %s by its exit code', (_what, answer, exitCode, text) => {
    const run = audited(answer);

    expect(run.status).toBe(exitCode);
    expect(run.text).toContain(text);
  });
});
