import { AppError } from '../kernel/index.ts';

/** What the command line alone shows to be wrong, such as options that exclude each other: exit code 2. */
export class UsageError extends AppError {
  constructor(message: string) {
    super('invalid_request', message);
  }
}
