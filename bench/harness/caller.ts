import { connect, type Socket } from 'node:net';

import type { RequestSet } from './load.ts';
import { createResponseReader } from './response-reader.ts';

export interface CallerAnswer {
  readonly status: number;
  /** The body as it came; only ASCII comes out as it was. */
  readonly text: string;
}

/** One connection that stays open and sends one request after the other, at the least cost that Node allows. */
export interface Caller {
  /**
   * Sends the body of that number (modulo their count). `onText` sees the body so far, after each piece. Fails when the
   * connection breaks, and when the answer takes longer than ten seconds.
   */
  send(index: number, onText?: (soFar: string) => void): Promise<CallerAnswer>;
  /**
   * Sends a request and closes the connection after that time; the next request opens a new one. False when something of
   * the answer had come by then: that was no abort in the middle of a call.
   */
  abort(index: number, afterMs: number): Promise<boolean>;
  close(): void;
}

const ANSWER_TIMEOUT_MS = 10_000;

interface Exchange {
  status: number;
  text: string;
  readonly onText: ((soFar: string) => void) | undefined;
  readonly resolve: (answer: CallerAnswer) => void;
  readonly reject: (error: Error) => void;
}

export function openCaller(url: string, requests: RequestSet): Caller {
  const { host, hostname, port } = new URL(url);
  const head = [
    `POST ${requests.path} HTTP/1.1`,
    `host: ${host}`,
    ...Object.entries(requests.headers).map(([name, value]) => `${name}: ${value}`),
  ].join('\r\n');
  let socket: Socket | null = null;
  let exchange: Exchange | null = null;

  const fail = (error: Error): void => {
    socket?.destroy();
    socket = null;
    const failed = exchange;
    exchange = null;
    failed?.reject(error);
  };
  const read = (): ((received: Buffer) => void) =>
    createResponseReader({
      head(status) {
        if (exchange === null) throw new Error('an answer that nothing asked for');
        exchange.status = status;
      },
      payload(piece) {
        if (exchange === null) return;
        exchange.text += piece.toString('latin1');
        exchange.onText?.(exchange.text);
      },
      end() {
        const answered = exchange;
        exchange = null;
        answered?.resolve({ status: answered.status, text: answered.text });
      },
    });
  const opened = (): Socket => {
    if (socket !== null) return socket;
    const fresh = connect({ host: hostname, port: Number(port), noDelay: true });
    const reader = read();
    fresh.on('data', (received) => {
      try {
        reader(received);
      } catch (error) {
        fail(error instanceof Error ? error : new Error(String(error)));
      }
    });
    fresh.setTimeout(ANSWER_TIMEOUT_MS, () => fresh.destroy(new Error('no answer within ten seconds')));
    fresh.on('error', (error) => {
      if (fresh === socket) fail(error);
    });
    fresh.on('close', () => {
      if (fresh === socket) fail(new Error('the connection was closed'));
    });
    socket = fresh;
    return fresh;
  };
  const write = (index: number): void => {
    const body = requests.bodies[index % requests.bodies.length] ?? '';
    opened().write(`${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  };

  return {
    send: (index, onText) =>
      new Promise((resolve, reject) => {
        exchange = { status: 0, text: '', onText, resolve, reject };
        write(index);
      }),
    abort: async (index, afterMs) => {
      write(index);
      const leaving = socket;
      socket = null;
      let isAnswered = false;
      leaving?.removeAllListeners('data').once('data', () => {
        isAnswered = true;
      });
      await new Promise((later) => setTimeout(later, afterMs));
      leaving?.destroy();
      return !isAnswered;
    },
    close() {
      const leaving = socket;
      socket = null;
      leaving?.destroy();
    },
  };
}
