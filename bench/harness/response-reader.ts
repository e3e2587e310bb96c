/** Told of one answer after the other, as its bytes arrive. */
export interface ResponseSink {
  head(status: number): void;
  /** A piece of the body, without its framing. Holds only until the call returns. */
  payload(piece: Buffer): void;
  end(): void;
}

type State = 'head' | 'length' | 'chunk_size' | 'chunk' | 'chunk_end' | 'trailer';

const HEAD_END = Buffer.from('\r\n\r\n');
const LINE_END = Buffer.from('\r\n');

/**
 * Reads HTTP/1.1 answers of one connection, wherever their bytes are cut: `undici` and `node:http` would cost more than
 * what is measured. Every answer must have a length or be chunked, as answers on a connection that stays open are.
 *
 * @returns a function that takes what was received. Throws on what is no such answer.
 */
export function createResponseReader(sink: ResponseSink): (received: Buffer) => void {
  let state: State = 'head';
  let pending: Buffer | null = null;
  /** Bytes of the body or chunk that are still to come. */
  let left = 0;

  const finish = (): void => {
    state = 'head';
    sink.end();
  };

  const readHead = (head: string): void => {
    const status = /^HTTP\/1\.1 (\d{3})/.exec(head)?.[1];
    if (status === undefined) throw new Error(`no answer of HTTP/1.1: ${JSON.stringify(head.slice(0, 80))}`);
    sink.head(Number(status));
    if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
      state = 'chunk_size';
      return;
    }
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length === undefined) throw new Error(`an answer without a length:\n${head}`);
    left = Number(length);
    state = 'length';
    if (left === 0) finish();
  };

  /** Takes one step at `at`; returns where the next one begins, or -1 while bytes are missing. */
  const step = (data: Buffer, at: number): number => {
    if (state === 'length' || state === 'chunk') {
      const end = Math.min(data.length, at + left);
      if (end > at) sink.payload(data.subarray(at, end));
      left -= end - at;
      if (left > 0) return end === at ? -1 : end;
      if (state === 'length') finish();
      else state = 'chunk_end';
      return end;
    }
    const mark = state === 'head' ? HEAD_END : LINE_END;
    const end = data.indexOf(mark, at);
    if (end === -1) return -1;
    if (state === 'head') readHead(data.toString('latin1', at, end));
    else if (state === 'chunk_end') state = 'chunk_size';
    else if (state === 'trailer') {
      if (end === at) finish();
    } else {
      left = Number.parseInt(data.toString('latin1', at, end), 16);
      if (Number.isNaN(left)) throw new Error('a chunk without a size');
      state = left === 0 ? 'trailer' : 'chunk';
    }
    return end + mark.length;
  };

  return (received) => {
    const data = pending === null ? received : Buffer.concat([pending, received]);
    pending = null;
    let at = 0;
    while (at < data.length) {
      const next = step(data, at);
      if (next === -1) {
        pending = data.subarray(at);
        return;
      }
      at = next;
    }
  };
}
