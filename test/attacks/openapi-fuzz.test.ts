import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type GatewayProcess, processBench } from '../helpers/gateway-process.ts';

const BINARY = fileURLToPath(new URL('../../.cache/schemathesis/bin/schemathesis', import.meta.url));
const CONFIGURATION = resolve(import.meta.dirname, 'schemathesis.toml');

/**
 * Why the fuzzer cannot run here; null when it can. With `REQUIRE_SERVICES=1` its absence is an error instead of a
 * reason to skip.
 */
function fuzzerMissing(): string | null {
  if (existsSync(BINARY)) return null;
  const reason = 'Schemathesis is not installed: run test/attacks/install.sh';
  if (process.env['REQUIRE_SERVICES'] === '1') throw new Error(reason);
  return reason;
}

const missing = fuzzerMissing();
const describeFuzz = missing === null ? describe : describe.skip;

const bench = processBench();
afterEach(() => bench.cleanUp());

/** A process with an experiment, so that routes of experiments have something to show. */
async function start(): Promise<GatewayProcess> {
  const folder = await bench.freshFolder();
  const file = join(folder, 'gateway.config.json');
  const config = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  const changed = {
    ...config,
    // The fuzzer presents wrong keys on purpose, and all of them from one address.
    server: { max_wrong_keys_per_minute: 1_000_000 },
    experiments: {
      tone: {
        prompt: 'tip',
        metric: 'completed',
        arms: { plain: { version: 'v1' }, warm: { version: 'v2' } },
      },
    },
    shadow: { next: { prompt: 'tip', version: 'v3' } },
  };
  writeFileSync(file, JSON.stringify(changed));
  return bench.start(folder);
}

interface Run {
  readonly code: number | null;
  readonly report: string;
}

/** Every operation of the gateway's own document: examples, edges of each schema, and random instances, always the same. */
async function fuzz(url: string, options: readonly string[]): Promise<Run> {
  // It keeps notes where it runs, and reads them the next time.
  const folder = await bench.freshFolder();
  const phases = ['--phases', 'examples,coverage,fuzzing', '--generation-deterministic', '--no-shrink'];
  const calls = ['--continue-on-failure', '--request-timeout', '10', '--workers', '1', '--no-color'];
  const child = spawn(
    BINARY,
    ['--config-file', CONFIGURATION, 'run', `${url}/openapi.json`, ...phases, ...calls, ...options],
    {
      env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/tmp', PYTHONHASHSEED: '0' },
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let report = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      report += chunk.toString();
    });
  }
  return new Promise((done) => {
    child.once('close', (code) => done({ code, report }));
  });
}

/** From the first failure on; lines of generated text are endless. */
function shortened(report: string): string {
  const from = Math.max(0, report.search(/^=+ (?:ERRORS|FAILURES) =+$/m));
  const lines = report.slice(from).split('\n');
  return lines
    .slice(0, 200)
    .map((line) => line.slice(0, 400))
    .join('\n');
}

function expectCleanRun(run: Run, gateway: GatewayProcess): void {
  // What failed, with the request that shows it, is what the report says before its summary.
  expect(run.code === 0 ? '' : shortened(run.report)).toBe('');
  expect(Number(/(\d+) generated, \1 passed/.exec(run.report)?.[1] ?? 0)).toBeGreaterThan(1_500);
  expect(gateway.child.exitCode).toBeNull();
  expect(gateway.output()).not.toContain('"level":50');
}

if (missing !== null) process.stderr.write(`skipped: ${missing}\n`);

describeFuzz('everything that the OpenAPI document allows, and much that it does not', () => {
  test('meets no 5xx, no undocumented status, type or shape on an open gateway', async () => {
    const gateway = await start();

    const run = await fuzz(await gateway.url, [
      '--generation-with-security-parameters',
      'false',
      '--exclude-checks',
      'ignored_auth',
      // The first key would close it.
      '--exclude-operation-id',
      'postKeys',
      '--max-examples',
      '15',
    ]);

    expectCleanRun(run, gateway);
  }, 90_000);

  test('meets none on a gateway with keys either, and nothing without a key', async () => {
    const gateway = await start();
    const url = await gateway.url;
    const made = await fetch(`${url}/keys`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"name":"fuzzer","scopes":["admin"]}',
    });
    const { key } = (await made.json()) as { readonly key: string };

    const run = await fuzz(url, [
      '--header',
      `Authorization: Bearer ${key}`,
      // It would find its own key in the list and revoke it.
      '--exclude-operation-id',
      'postKeysIdRevoke',
      '--max-examples',
      '15',
    ]);

    expectCleanRun(run, gateway);
  }, 90_000);
});
