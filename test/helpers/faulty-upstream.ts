import { createServer, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { endStream, sendCompletion, sendDelta } from './scripted-upstream.ts';

/** One upstream call that is to go wrong. */
export interface Exchange {
  readonly response: ServerResponse;
  readonly socket: Socket;
  readonly isStream: boolean;
  /** 1 for the first call of a request, 2 for its retry, … */
  readonly callNumber: number;
}

export type FaultReply = (exchange: Exchange) => void;

/** What the upstream saw of the calls of one request. */
export interface UpstreamTrace {
  readonly calls: number;
  readonly sentBytes: number;
  /** Of the last call: `performance.now()` when its connection or its answer ended; null while it runs. */
  readonly endedAtMs: number | null;
}

export interface FaultyUpstream {
  /** With `/v1`. */
  readonly url: string;
  traceOf(token: string): UpstreamTrace;
  /** Connections that are open now. */
  openConnections(): number;
  close(): Promise<void>;
}

interface Trace {
  calls: number;
  sentBytes: number;
  endedAtMs: number | null;
}

/** Text to be sent as a message: which fault the upstream shall play, and which request it belongs to. */
export function faultText(fault: string, token: string): string {
  return `fault:${fault} token:${token}`;
}

/** An OpenAI-compatible server on loopback that goes wrong in the way that the message of each call asks for. */
export async function startFaultyUpstream(
  replies: Readonly<Record<string, FaultReply>>,
): Promise<FaultyUpstream> {
  const traces = new Map<string, Trace>();
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      const [, fault = 'ok', token = ''] = /fault:([\w-]+) token:([\w-]+)/.exec(text) ?? [];
      const trace = traces.get(token) ?? { calls: 0, sentBytes: 0, endedAtMs: null };
      traces.set(token, trace);
      trace.calls += 1;
      trace.endedAtMs = null;
      const { socket } = request;
      const sentBefore = socket.bytesWritten;
      response.on('error', () => {});
      response.on('close', () => {
        trace.endedAtMs = performance.now();
        trace.sentBytes += socket.bytesWritten - sentBefore;
      });
      const reply = replies[fault] ?? answerWhole;
      reply({ response, socket, isStream: text.includes('"stream":true'), callNumber: trace.calls });
    });
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  if (address === null || typeof address !== 'object') throw new Error('the upstream has no port');
  return {
    url: `http://127.0.0.1:${address.port}/v1`,
    traceOf: (token) => traces.get(token) ?? { calls: 0, sentBytes: 0, endedAtMs: null },
    openConnections: () => sockets.size,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

export const SOUND_TEXT = 'Take a walk.';

export function answerWhole({ response, isStream }: Exchange): void {
  if (!isStream) {
    sendCompletion(response, SOUND_TEXT);
    return;
  }
  sendDelta(response, SOUND_TEXT);
  endStream(response);
}
