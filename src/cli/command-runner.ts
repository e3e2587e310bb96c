import { AppError, errorMessage } from '../kernel/index.ts';
import type { CliContext } from './cli-context.ts';
import { EXIT, type ExitCode, exitCodeOf } from './exit-codes.ts';
import { GatewayRefusal } from './gateway-refusal.ts';
import { writeJson, writeLine } from './write-output.ts';

export interface CommandRunner {
  /** Runs one command; whatever it throws is printed (as JSON on standard output if asked) and becomes the exit code. */
  run(asJson: boolean, work: () => Promise<ExitCode>): Promise<void>;
  /** Of the command that ran; 0 when none did. */
  exitCode(): ExitCode;
}

export function createCommandRunner(context: CliContext): CommandRunner {
  let exitCode: ExitCode = EXIT.ok;
  return {
    exitCode: () => exitCode,
    run: async (asJson, work) => {
      try {
        exitCode = await work();
      } catch (error) {
        exitCode = exitCodeOf(error);
        await printFailure(error, asJson, context);
      }
    },
  };
}

async function printFailure(error: unknown, asJson: boolean, context: CliContext): Promise<void> {
  if (!(error instanceof AppError || error instanceof GatewayRefusal)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : errorMessage(error);
    await writeLine(context.stderr, text);
    return;
  }
  if (asJson) {
    const { code, message } = error;
    await writeJson(context.stdout, { ok: false, code, message, faults: error.faults.map(faultToJson) });
    return;
  }
  await writeLine(context.stderr, error.message);
  // Some messages list their faults themselves: what the start of the gateway logs has no other place for them.
  const untold = error.faults.filter((fault) => !error.message.includes(fault.message));
  for (const fault of untold) await writeLine(context.stderr, `  ${fault.path}  ${fault.message}`);
}

/** Names in snake_case, as everywhere in JSON; what a fault does not have is left out. */
function faultToJson(fault: object): Record<string, unknown> {
  const present = Object.entries(fault).filter(([, value]) => value !== null);
  return Object.fromEntries(
    present.map(([key, value]) => [key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]),
  );
}
