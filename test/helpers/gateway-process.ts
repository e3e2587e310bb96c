import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const ROOT = resolve(import.meta.dirname, '../..');

export interface GatewayProcess {
  readonly child: ChildProcess;
  /** What it has printed so far, both streams. */
  output(): string;
  /** Resolves with the URL of the banner; rejects with what was printed when the process ends first. */
  readonly url: Promise<string>;
  readonly exit: Promise<{ readonly code: number | null; readonly signal: string | null }>;
}

export interface ProcessOptions {
  /** A tool that runs the process as its own argument; it must leave it the process id it was given. */
  readonly wrapper?: readonly string[];
  /** Modules that the process loads before everything else, in its threads too. */
  readonly preloads?: readonly string[];
  /** Whose rights it has; needs root. Default: of the test. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

export interface ProcessBench {
  /** A folder as a new user has it: the shipped configuration and prompts, nothing else. */
  freshFolder(): Promise<string>;
  /** The gateway of the sources, in the folder, on a free port. */
  start(
    folder: string,
    environment?: Readonly<Record<string, string>>,
    options?: ProcessOptions,
  ): GatewayProcess;
  /** Ends what was started and removes the folders. */
  cleanUp(): Promise<void>;
}

/** `command`: Node's arguments for the gateway; default: of the sources. */
export function processBench(
  command: () => readonly string[] = () => [
    '--import',
    import.meta.resolve('tsx'),
    join(ROOT, 'src/main.ts'),
  ],
): ProcessBench {
  const children: ChildProcess[] = [];
  const folders: string[] = [];
  return {
    freshFolder: async () => {
      const folder = await mkdtemp(join(tmpdir(), 'prompt-gateway-process-'));
      folders.push(folder);
      await cp(join(ROOT, 'gateway.config.json'), join(folder, 'gateway.config.json'));
      await cp(join(ROOT, 'prompts'), join(folder, 'prompts'), { recursive: true });
      return folder;
    },
    start: (folder, environment = {}, { wrapper = [], preloads = [], user } = {}) => {
      const preloading = preloads.flatMap((path) => ['--import', pathToFileURL(path).href]);
      const [program = '', ...words] = [...wrapper, process.execPath, ...preloading, ...command()];
      const child = spawn(program, words, {
        cwd: folder,
        env: { PATH: process.env['PATH'] ?? '', PORT: '0', LOG_LEVEL: 'error', ...environment },
        stdio: ['ignore', 'pipe', 'pipe'],
        ...user,
      });
      children.push(child);
      let output = '';
      const exit = new Promise<{ code: number | null; signal: string | null }>((done) => {
        child.once('close', (code, signal) => done({ code, signal }));
      });
      const url = new Promise<string>((found, failed) => {
        const read = (chunk: Buffer): void => {
          output += chunk.toString();
          const match = /listens on (http:\S+)/.exec(output)?.[1];
          if (match !== undefined) found(match);
        };
        child.stdout.on('data', read);
        child.stderr.on('data', read);
        void exit.then(() => failed(new Error(output)));
      });
      url.catch(() => {});
      return { child, output: () => output, url, exit };
    },
    cleanUp: async () => {
      for (const child of children.splice(0)) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        const ended = new Promise((done) => child.once('exit', done));
        child.kill('SIGKILL');
        await ended;
      }
      for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Nudges and looks until it is so; fails after six seconds. */
export async function eventually(check: () => Promise<boolean>, nudge: () => void = () => {}): Promise<void> {
  for (let tries = 0; tries < 60; tries += 1) {
    nudge();
    await new Promise((done) => setTimeout(done, 100));
    if (await check()) return;
  }
  throw new Error('it did not happen within six seconds');
}
