import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';

import { AppError, errorMessage } from '../kernel/index.ts';
import type { CliContext } from './cli-context.ts';

export interface CommandInput {
  /** As faults show it. */
  readonly name: string;
  /** UTF-8 without a byte order mark, in pieces that may end anywhere. Fails with `invalid_request`. */
  readonly text: AsyncIterable<string>;
}

/** A file, or standard input for `-`. Nothing is opened before the text is read. */
export function openInput(file: string, context: CliContext): CommandInput {
  const name = file === '-' ? 'stdin' : file;
  const open = (): Readable => (file === '-' ? context.stdin() : createReadStream(file));
  return { name, text: decoded(open, name) };
}

async function* decoded(open: () => Readable, name: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decode = (bytes?: Uint8Array): string => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch (error) {
      throw new AppError('invalid_request', `${name} is not UTF-8 text`, { cause: error });
    }
  };
  try {
    for await (const piece of open()) {
      yield decode(typeof piece === 'string' ? Buffer.from(piece) : piece);
    }
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('invalid_request', `cannot read ${name}: ${errorMessage(error)}`, { cause: error });
  }
  yield decode();
}
