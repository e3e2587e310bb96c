#!/usr/bin/env node
import { systemClock } from '../kernel/index.ts';
import type { CliContext } from './cli-context.ts';
import { runCli } from './program.ts';

/** `prompt-gateway | head` ends by closing the pipe: that is how a reader says "enough", not a fault. */
function endQuietlyOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
}

function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    let signals = 0;
    const stop = (): void => {
      signals += 1;
      // 130: ended by an interrupt, as shells count it.
      if (signals > 1) process.exit(130);
      resolve();
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  });
}

process.stdout.on('error', endQuietlyOnClosedPipe);
process.stderr.on('error', endQuietlyOnClosedPipe);

const context: CliContext = {
  stdout: process.stdout,
  stderr: process.stderr,
  variables: process.env,
  clock: systemClock,
  untilStopped,
  onHangup: (listener) => {
    process.on('SIGHUP', listener);
  },
};

process.exitCode = await runCli(process.argv.slice(2), context);
