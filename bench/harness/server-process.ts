import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** A server under test in a process of its own. */
export interface ServerProcess {
  readonly name: string;
  readonly url: string;
  /** From the spawn to the end of the first answer that was no error. */
  readonly startMs: number;
  /** User and system CPU time of all its threads so far, in microseconds; null where the platform does not tell. */
  cpuUs(): number | null;
  /** Resident memory in megabytes; null where the platform does not tell. */
  rssMb(): number | null;
  /** Open files, sockets and pipes; null where the platform does not tell. */
  openFiles(): number | null;
  /** Asks it to read its files again. */
  reload(): void;
  /** Asks it to end and waits; kills it when it does not. */
  stop(): Promise<void>;
}

export interface ServerCommand {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly folder?: string;
  /** Where it listens, if that is known before; otherwise the first loopback URL that it prints. */
  readonly url?: string;
  /** The first request: a start ends with its answer. */
  readonly firstRequest: { readonly path: string; readonly init: RequestInit };
  readonly startTimeoutMs?: number;
}

/** Clock ticks of /proc/PID/stat per second: 100 on every Linux that Node supports. */
const TICKS_PER_SECOND = 100;
/** Node servers answer within a second or two; a machine under load gets ten times that. */
const START_TIMEOUT_MS = 20_000;
const POLL_MS = 10;
const STOP_TIMEOUT_MS = 20_000;
const KEPT_OUTPUT_CHARACTERS = 4_000;

/** Fails with what the server printed when it ends, or does not answer in time. */
export async function startServer(command: ServerCommand): Promise<ServerProcess> {
  const { name, environment } = command;
  const startedMs = performance.now();
  const child = spawn(command.command, command.args, {
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(command.folder === undefined ? {} : { cwd: command.folder }),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text: Buffer) => {
      output = `${output}${text.toString('utf8')}`.slice(-KEPT_OUTPUT_CHARACTERS);
    });
  }
  // Whatever ends this process, nothing that it started goes on.
  const killAtExit = (): void => void child.kill('SIGKILL');
  process.once('exit', killAtExit);
  child.once('exit', () => process.removeListener('exit', killAtExit));
  const { pid } = child;
  const stop = (): Promise<void> => stopChild(child);
  try {
    const url = await answeringUrl(command, child, () => output, startedMs);
    const startMs = performance.now() - startedMs;
    return {
      name,
      url,
      startMs,
      cpuUs: () => cpuUsOf(pid),
      rssMb: () => rssMbOf(pid),
      openFiles: () => openFilesOf(pid),
      reload: () => {
        child.kill('SIGHUP');
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Lets a benchmark that is asked to stop take its servers with it. */
export function exitOnSignals(): void {
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
}

async function answeringUrl(
  command: ServerCommand,
  child: ChildProcess,
  output: () => string,
  startedMs: number,
): Promise<string> {
  const timeoutMs = command.startTimeoutMs ?? START_TIMEOUT_MS;
  while (performance.now() - startedMs < timeoutMs) {
    if (child.exitCode !== null) {
      throw new Error(`${command.name} ended with code ${child.exitCode}:\n${output()}`);
    }
    const url = command.url ?? /(http:\/\/127\.0\.0\.1:\d+)/.exec(output())?.[1];
    if (url !== undefined && (await isAnswering(url, command.firstRequest))) return url;
    await new Promise((later) => setTimeout(later, POLL_MS));
  }
  throw new Error(`${command.name} did not answer within ${timeoutMs} ms:\n${output()}`);
}

async function isAnswering(url: string, { path, init }: ServerCommand['firstRequest']): Promise<boolean> {
  try {
    const response = await fetch(url + path, init);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const patience = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(patience);
}

function cpuUsOf(pid: number | undefined): number | null {
  const fields = readProc(pid, 'stat')?.split(') ')[1]?.split(' ');
  if (fields === undefined) return null;
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1_000_000;
}

function rssMbOf(pid: number | undefined): number | null {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readProc(pid, 'status') ?? '')?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) / 1024;
}

function openFilesOf(pid: number | undefined): number | null {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return null;
  }
}

function readProc(pid: number | undefined, file: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return null;
  }
}
