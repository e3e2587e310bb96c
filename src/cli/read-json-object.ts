import { AppError, errorMessage } from '../kernel/index.ts';
import type { CliContext } from './cli-context.ts';
import { openInput } from './open-input.ts';

/** A file of variables or features is small; a log given by mistake is not. */
const MAX_CHARACTERS = 4_194_304;

/** A JSON object from a file, or from standard input for `-`. Fails with `invalid_request`. */
export async function readJsonObject(
  file: string,
  context: CliContext,
): Promise<Readonly<Record<string, unknown>>> {
  const { name, text } = openInput(file, context);
  let whole = '';
  for await (const piece of text) {
    whole += piece;
    if (whole.length > MAX_CHARACTERS) {
      throw new AppError('invalid_request', `${name} is larger than ${MAX_CHARACTERS} characters`);
    }
  }
  const value = parsed(whole, name);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new AppError('invalid_request', `${name} must hold a JSON object, such as {"mood": "tired"}`);
}

function parsed(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AppError('invalid_request', `${name} is not valid JSON: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}
