import { systemClock } from '../kernel/index.ts';
import type { CliContext } from './cli-context.ts';

/** The context of a real process. */
export function processContext(): CliContext {
  process.stdout.on('error', endQuietlyOnClosedPipe);
  process.stderr.on('error', endQuietlyOnClosedPipe);
  return {
    stdin: () => process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    variables: process.env,
    clock: systemClock,
    untilStopped,
    onHangup: (listener) => {
      process.on('SIGHUP', listener);
    },
  };
}

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
