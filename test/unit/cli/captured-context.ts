import { Readable, Writable } from 'node:stream';

import type { CliContext } from '../../../src/cli/cli-context.ts';
import { runCli } from '../../../src/cli/program.ts';
import { systemClock } from '../../../src/kernel/index.ts';

export interface CapturedRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A writable that keeps its text. */
export function captureText(): { readonly stream: Writable; text(): string } {
  const chunks: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  return { stream, text: () => chunks.join('') };
}

/** Runs one command line with captured output and only the given environment variables. */
export async function runCaptured(
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
  /** Pieces of what is piped in. */
  input: readonly (string | Uint8Array)[] = [],
): Promise<CapturedRun> {
  const stdout = captureText();
  const stderr = captureText();
  const context: CliContext = {
    stdin: () => Readable.from(input.map((piece) => Buffer.from(piece))),
    stdout: stdout.stream,
    stderr: stderr.stream,
    variables,
    clock: systemClock,
    untilStopped: () => new Promise(() => {}),
    onHangup: () => {},
  };
  const exitCode = await runCli(args, context);
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}
