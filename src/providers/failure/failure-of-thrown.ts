import { types } from 'node:util';
import { type FailureClass, ProviderFailure, type ProviderFailureOptions } from '../provider-failure.ts';
import { cleanMessage } from './clean-message.ts';

/** Node, TLS and undici codes that mean the bytes are not what the protocol allows, or more than we take. */
const BAD_RESPONSE_CODE =
  /^(?:HPE_|UND_ERR_HEADERS_OVERFLOW|UND_ERR_RES_|UND_ERR_RESPONSE|Z_|ERR_INVALID_CHAR)/;

/**
 * The failure behind anything a socket, undici or JSON.parse threw. Looks through `cause`, where the SDKs put the
 * original error.
 */
export function failureOfThrown(
  thrown: unknown,
  secret: string | null,
  partial?: ProviderFailureOptions['partial'],
): ProviderFailure {
  if (thrown instanceof ProviderFailure) return thrown;
  const root = rootCause(thrown);
  const code = codeOf(root);
  const options = { cause: thrown, ...(partial === undefined ? {} : { partial }) };
  const failureClass = classOfThrown(root, code);
  const text =
    failureClass === 'bad_response' && nameOf(root) === 'SyntaxError'
      ? 'the answer is not valid JSON'
      : code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE'
        ? 'the answer is larger than network.max_response_bytes'
        : describe(root, code);
  return new ProviderFailure(failureClass, cleanMessage(text, secret), options);
}

function classOfThrown(root: unknown, code: string | null): FailureClass {
  if (nameOf(root) === 'SyntaxError') return 'bad_response';
  if (code === null) {
    // undici's body reader throws a bare TypeError "terminated" when the socket goes away.
    return /terminated|socket|closed|network/i.test(messageOf(root)) ? 'connection' : 'bad_response';
  }
  if (BAD_RESPONSE_CODE.test(code)) return 'bad_response';
  if (code.endsWith('_TIMEOUT') || code === 'ETIMEDOUT') return 'timeout';
  return 'connection';
}

function describe(root: unknown, code: string | null): string {
  const message = messageOf(root);
  if (code === null || message.includes(code)) return message;
  return message === '' ? code : `${message} (${code})`;
}

/** An AggregateError (several addresses of one name refused) has its code on itself. */
function rootCause(thrown: unknown): unknown {
  let current = thrown;
  for (let depth = 0; depth < 5; depth += 1) {
    if (!types.isNativeError(current) || codeOf(current) !== null || current.cause === undefined) break;
    current = current.cause;
  }
  return current;
}

function codeOf(thrown: unknown): string | null {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return null;
  return typeof thrown.code === 'string' && thrown.code !== '' ? thrown.code : null;
}

// By shape rather than `instanceof`: errors of Node's core can come from another realm than ours (workers with contexts,
// test runners), and then no `instanceof` holds.
function messageOf(thrown: unknown): string {
  return types.isNativeError(thrown) ? thrown.message : String(thrown);
}

function nameOf(thrown: unknown): string {
  return types.isNativeError(thrown) ? thrown.name : '';
}
