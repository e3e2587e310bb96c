import { errorCode } from '../kernel/index.ts';
import { UsageError } from './usage-error.ts';

/** 78 is EX_CONFIG of sysexits.h: a supervisor should not restart what only a person can correct. */
export const EXIT = { ok: 0, failed: 1, usage: 2, invalid: 78 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Stands at the end of every `--help`. */
export const EXIT_CODES_HELP = `
Exit codes:
  0   done
  1   a check failed, or the command could not do its work
  2   wrong usage
  78  the configuration, the prompts or the database cannot be used`;

/** The exit code of a command that failed with `error`. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError) return EXIT.usage;
  switch (errorCode(error)) {
    case 'config_invalid':
    case 'prompts_invalid':
    case 'storage_invalid':
      return EXIT.invalid;
    default:
      return EXIT.failed;
  }
}
