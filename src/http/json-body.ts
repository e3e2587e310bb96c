import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { AppError } from '../kernel/index.ts';
import { findPrototypeKey, isDeeperThan, jsonFaultOffset, lineAndColumn } from './json-text.ts';

export interface JsonBodyLimits {
  /** After decompression. */
  readonly maxBodyBytes: number;
  readonly maxJsonDepth: number;
}

/** Parameters are ours to read only where they change the meaning: the charset. */
const JSON_TYPE = /^application\/(?:json|[\w.-]+\+json)\s*(?:;\s*charset\s*=\s*"?utf-?8"?\s*)?$/i;

/**
 * Reads a JSON body. Fails with `unsupported_media_type` (content type, encoding, charset), `payload_too_large` (as
 * soon as it is certain) and `invalid_request` (empty, malformed with its position, nested too deep, prototype keys).
 */
export async function readJsonBody(request: IncomingMessage, limits: JsonBodyLimits): Promise<unknown> {
  const contentType = request.headers['content-type'];
  if (contentType === undefined || !JSON_TYPE.test(contentType)) {
    throw new AppError(
      'unsupported_media_type',
      'The body must be JSON in UTF-8: send `Content-Type: application/json`.',
    );
  }
  return parseJson(await readBytes(request, limits.maxBodyBytes), limits.maxJsonDepth);
}

function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) {
    // Node discards the rest once the answer is out; requestTimeout bounds how long that lasts.
    throw tooLarge(maxBytes);
  }
  const decompressor = decompressorFor(request.headers['content-encoding']);
  return decompressor === null
    ? collect(request, request, maxBytes)
    : collect(request, request.pipe(decompressor), maxBytes);
}

function decompressorFor(encoding: string | undefined): Transform | null {
  switch (encoding?.trim().toLowerCase()) {
    case undefined:
    case '':
    case 'identity':
      return null;
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'deflate':
      return createInflate();
    case 'br':
      return createBrotliDecompress();
    default:
      throw new AppError(
        'unsupported_media_type',
        'The body has an unknown Content-Encoding: send gzip, deflate, br or none.',
      );
  }
}

/** `source` is the request itself or the decompressor it is piped into. */
function collect(
  request: IncomingMessage,
  source: IncomingMessage | Transform,
  maxBytes: number,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let receivedBytes = 0;

    const stop = (): void => {
      source.removeAllListeners('data');
      if (source !== request) {
        request.unpipe();
        source.destroy();
      }
      request.resume();
    };
    source.on('data', (chunk: Buffer) => {
      receivedBytes += chunk.length;
      if (receivedBytes <= maxBytes) {
        chunks.push(chunk);
        return;
      }
      stop();
      reject(tooLarge(maxBytes));
    });
    source.once('end', () => {
      const [only] = chunks;
      resolve(only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks, receivedBytes));
    });
    source.on('error', (error) => {
      if (source === request) return reject(leftTooEarly(error));
      stop();
      reject(
        new AppError('invalid_request', 'The body cannot be decompressed by its Content-Encoding.', {
          cause: error,
        }),
      );
    });
    if (source !== request) request.on('error', (error) => reject(leftTooEarly(error)));
    // A connection that closes half-way raises no error on every path of Node; the promise must still settle.
    request.once('close', () => {
      if (!request.complete) reject(leftTooEarly(undefined));
    });
  });
}

function parseJson(bytes: Buffer, maxDepth: number): unknown {
  if (bytes.length === 0) {
    throw new AppError('invalid_request', 'The body is empty; send a JSON object.');
  }
  if (!isUtf8(bytes)) throw new AppError('invalid_request', 'The body is not valid UTF-8.');
  if (isDeeperThan(bytes, maxDepth)) {
    throw new AppError('invalid_request', `The body nests deeper than ${maxDepth} levels.`);
  }
  const text = bytes.toString('utf8').replace(/^\ufeff/, '');
  const value = parseOrExplain(text);
  const prototypeKey = findPrototypeKey(text, value);
  if (prototypeKey !== null) {
    throw new AppError('invalid_request', 'The body holds a key that is never accepted.', {
      faults: [{ path: prototypeKey, message: 'this key is refused: it could reach an object prototype' }],
    });
  }
  return value;
}

function parseOrExplain(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const offset = jsonFaultOffset(text);
    const where =
      offset >= text.length ? 'it ends too early' : `the fault is at ${lineAndColumn(text, offset)}`;
    // Without the parser's message: it quotes the body.
    throw new AppError('invalid_request', `The body is not valid JSON: ${where}.`, {
      details: { offset },
    });
  }
}

function tooLarge(maxBytes: number): AppError {
  return new AppError(
    'payload_too_large',
    `The body exceeds ${maxBytes} bytes (after decompression). The limit is \`server.max_body_bytes\`.`,
  );
}

function leftTooEarly(cause: unknown): AppError {
  return new AppError('client_closed', 'The connection closed before the body was complete.', { cause });
}
