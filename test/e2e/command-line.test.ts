import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const ROOT = resolve(import.meta.dirname, '../..');

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Running {
  readonly ended: Promise<Ended>;
  kill(signal: NodeJS.Signals): void;
  closeStdout(): void;
  /** Resolves as soon as standard output holds the pattern; rejects when the command ends before. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** The same of standard error. */
  complained(pattern: RegExp): Promise<RegExpExecArray>;
}

function runCommand(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Running {
  const command = ['--import', import.meta.resolve('tsx'), join(ROOT, 'src/cli/main.ts'), ...args];
  const child = spawn(process.execPath, command, {
    cwd: ROOT,
    env: { PATH: process.env['PATH'] ?? '', TMPDIR: tmpdir(), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<Ended>((done) => {
    child.once('close', (code) => done({ code, stdout, stderr }));
  });
  const found = (stream: Readable, text: () => string, pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolved, failed) => {
      const look = (): void => {
        const match = pattern.exec(text());
        if (match !== null) resolved(match);
      };
      stream.on('data', look);
      child.once('close', () => failed(new Error(`ended before ${pattern}: ${stdout}${stderr}`)));
      look();
    });
  return {
    ended,
    kill: (signal) => child.kill(signal),
    closeStdout: () => child.stdout.destroy(),
    printed: (pattern) => found(child.stdout, () => stdout, pattern),
    complained: (pattern) => found(child.stderr, () => stderr, pattern),
  };
}

interface DemoJson {
  readonly generations: number;
  readonly outcomes: number;
  readonly database: string;
  readonly versions: readonly {
    readonly prompt_version: string;
    readonly generations: number;
    readonly outcomes: number;
    readonly mean: number;
    readonly lower: number;
    readonly upper: number;
    readonly cost_usd: number | null;
  }[];
  readonly experiment: {
    readonly users: number;
    readonly arms: readonly { readonly arm: string; readonly users: number }[];
    readonly looks: readonly { readonly users: number; readonly shares: readonly { share: number }[] }[];
    readonly verdict: { readonly state: string; readonly text: string };
  };
}

describe('demo and ledger export', () => {
  let folder: string;
  let demo: Ended;
  let run: DemoJson;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'prompt-gateway-cli-'));
    demo = await runCommand(['demo', '--users', '60', '--tips', '2', '--keep', '--json'], { TMPDIR: folder })
      .ended;
    run = JSON.parse(demo.stdout) as DemoJson;
  }, 120_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('reports every version with all its generations, outcomes and costs', () => {
    expect(demo.code).toBe(0);
    expect(run).toMatchObject({ generations: 120, outcomes: 120 });
    expect(run.versions.map((version) => version.prompt_version)).toEqual(['v1', 'v2', 'v3']);
    for (const version of run.versions) {
      expect(version.generations).toBeGreaterThan(0);
      expect(version.outcomes).toBe(version.generations);
      expect(version.lower).toBeLessThanOrEqual(version.mean);
      expect(version.upper).toBeGreaterThanOrEqual(version.mean);
      expect(version.cost_usd).toBeGreaterThan(0);
    }
  });

  test('sends progress and nothing else to standard error', () => {
    for (const line of demo.stderr.trimEnd().split('\n'))
      expect(line).toMatch(/^simulating (tips: \d+ of 120|the experiment: \d+ of 60)/);
  });

  test('sends every user through the experiment once, and ends on its verdict', () => {
    const { users, arms, looks, verdict } = run.experiment;

    expect(users).toBe(60);
    expect(arms.map(({ arm }) => arm)).toEqual(['v1', 'v2', 'v3']);
    expect(arms.reduce((sum, arm) => sum + arm.users, 0)).toBe(60);
    for (const { shares } of looks) {
      expect(shares.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
      expect(Math.min(...shares.map(({ share }) => share))).toBeGreaterThanOrEqual(0.1);
    }
    expect(looks.at(-1)?.users).toBe(60);
    expect(['better', 'worse', 'no_difference_yet']).toContain(verdict.state);
    expect(verdict.text).not.toBe('');
  });

  test('exports what was recorded: two outcomes for each answer, none degraded', async () => {
    const file = join(folder, 'generations.ndjson');
    const environment = { DATABASE_URL: `sqlite:${run.database}` };
    const [generations, outcomes] = await Promise.all([
      runCommand(['ledger', 'export', '--table', 'generations', '--out', file], environment).ended,
      runCommand(['ledger', 'export', '--table', 'outcomes'], environment).ended,
    ]);

    expect([generations.code, outcomes.code]).toEqual([0, 0]);
    expect(generations.stdout).toBe(`exported 180 generations to ${file}\n`);
    expect(outcomes.stderr).toBe('exported 360 outcomes\n');
    const rows = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows).toHaveLength(180);
    expect(rows.filter((row) => row.degraded !== 0 || row.status !== 'ok' || row.forced !== 0)).toEqual([]);
    expect(outcomes.stdout.trimEnd().split('\n')).toHaveLength(360);
    expect(existsSync(`${file}.part`)).toBe(false);
  });

  test('ends quietly when the reader of its output goes away', async () => {
    const command = runCommand(['ledger', 'export', '--table', 'generations'], {
      DATABASE_URL: `sqlite:${run.database}`,
    });
    await command.printed(/"id":"gen_/);
    command.closeStdout();

    const { code, stderr } = await command.ended;
    expect(code).toBe(0);
    expect(stderr.replace(/^exported \d+ generations\n$/, '')).toBe('');
  });

  test('without --keep leaves nothing behind when interrupted', async () => {
    const before = readdirSync(folder);
    const command = runCommand(['demo', '--users', '5000'], { TMPDIR: folder });
    await command.complained(/simulating tips: 0 of/);
    command.kill('SIGINT');

    const { code, stderr } = await command.ended;
    expect(code).toBe(1);
    expect(stderr).toContain('stopped before the end');
    expect(readdirSync(folder)).toEqual(before);
  }, 60_000);
});

describe('serve', () => {
  test('answers until SIGTERM, then ends with 0', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'prompt-gateway-cli-'));
    try {
      const command = runCommand(['serve'], {
        PORT: '0',
        LOG_LEVEL: 'error',
        DATABASE_URL: `sqlite:${join(folder, 'gateway.db')}`,
      });
      const [, url] = await command.printed(/listens on (http:\S+)/);
      const health = await fetch(`${url}/healthz`);
      command.kill('SIGTERM');

      expect(health.status).toBe(200);
      expect(await command.ended).toMatchObject({ code: 0 });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }, 60_000);

  test('refuses with 78 and every fault of file and environment', async () => {
    const { code, stderr } = await runCommand(['serve'], { PORT: 'x', LOG_LEVEL: 'loud' }).ended;

    expect(code).toBe(78);
    expect(stderr).toContain('PORT  expected a whole number');
    expect(stderr).toContain('LOG_LEVEL  there is no level "loud"');
  }, 60_000);
});
