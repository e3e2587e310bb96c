import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A server under test in a process of its own. */
export interface Target {
  readonly name: string;
  readonly url: string;
  /** User and system CPU time so far, in microseconds; null where the platform does not tell. */
  cpuUs(): number | null;
  /** Resident memory in megabytes; null where the platform does not tell. */
  rssMb(): number | null;
  stop(): Promise<void>;
}

/** Clock ticks of /proc/PID/stat per second: 100 on every Linux that Node supports. */
const TICKS_PER_SECOND = 100;

/** Starts `node args` and waits until it prints a URL that `pattern` finds. */
export async function startTarget(
  name: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  pattern: RegExp = /(http:\/\/127\.0\.0\.1:\d+)/,
): Promise<Target> {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const url = await firstMatch(name, child, pattern);
  const { pid } = child;
  return {
    name,
    url,
    cpuUs: () => {
      const fields = readProc(pid, 'stat')?.split(') ')[1]?.split(' ');
      if (fields === undefined) return null;
      return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1_000_000;
    },
    rssMb: () => {
      const kilobytes = /VmRSS:\s+(\d+)/.exec(readProc(pid, 'status') ?? '')?.[1];
      return kilobytes === undefined ? null : Number(kilobytes) / 1024;
    },
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGTERM');
      }),
  };
}

function firstMatch(name: string, child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      const found = pattern.exec(output)?.[1];
      if (found !== undefined) resolve(found);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', (code) => reject(new Error(`${name} ended with code ${code}:\n${output}`)));
  });
}

function readProc(pid: number | undefined, file: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return null;
  }
}
