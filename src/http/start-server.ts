import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { AppError, type Clock, type ErrorCode } from '../kernel/index.ts';
import type { DrainSwitch } from './drain-switch.ts';
import { ERROR_TITLE } from './error-status.ts';

export interface ServerOptions {
  readonly app: RequestListener;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly drain: DrainSwitch;
  readonly clock: Clock;
  readonly limits?: Partial<SocketLimits>;
}

export interface SocketLimits {
  /** For the request line and all headers. */
  readonly headersTimeoutMs: number;
  /** For the whole request, body included. Answers, streams too, are not bounded by it. */
  readonly requestTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  /** How often the two request limits are looked at. */
  readonly checkIntervalMs: number;
  readonly maxHeaderBytes: number;
}

const SOCKET_LIMITS: SocketLimits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  // Longer than the idle time of common proxies (60 s): the proxy closes first, and no request meets a closing socket.
  keepAliveTimeoutMs: 65_000,
  checkIntervalMs: 1_000,
  maxHeaderBytes: 16_384,
};

export interface RunningServer {
  readonly host: string;
  readonly port: number;
  /** `http://127.0.0.1:8787` */
  readonly url: string;
  /**
   * Stops listening, waits for running calls and streams at most `drainTimeoutMs`, then cuts what is left. `/readyz`
   * answers 503 from the first moment. Resolves with the number of connections that were cut.
   */
  closeGracefully(options: { readonly drainTimeoutMs: number }): Promise<{ readonly cutConnections: number }>;
}

/** Listens. Fails with `config_invalid` when the address cannot be had (in use, not ours, not allowed). */
export function startServer(options: ServerOptions): Promise<RunningServer> {
  const limits = { ...SOCKET_LIMITS, ...options.limits };
  const openResponses = new Map<Duplex, ServerResponse>();
  const server = createServer(
    {
      noDelay: true,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: limits.checkIntervalMs,
      maxHeaderSize: limits.maxHeaderBytes,
      // CL+TE and other smuggling shapes are refused by the strict parser.
      insecureHTTPParser: false,
      // Else a second `Host` or `Authorization` would be dropped here, and believed by a proxy in front or behind.
      joinDuplicateHeaders: true,
    },
    options.app,
  );
  const forgetResponse = function (this: ServerResponse<IncomingMessage>): void {
    // A pipelined request may have taken the place already.
    if (openResponses.get(this.req.socket) === this) openResponses.delete(this.req.socket);
    // A connection that has just become idle would otherwise hold the close until its keep-alive time ends. Not
    // before the listener is closed: a caller who has connected and not yet asked looks idle, too.
    if (!server.listening) setImmediate(() => server.closeIdleConnections());
  };
  server.on('request', (request, response) => {
    openResponses.set(request.socket, response);
    response.on('close', forgetResponse);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    answerBrokenRequest(error, socket, openResponses.get(socket));
  });
  return listen(server, openResponses, options);
}

type OpenResponses = ReadonlyMap<Duplex, ServerResponse>;

function listen(
  server: Server,
  openResponses: OpenResponses,
  options: ServerOptions,
): Promise<RunningServer> {
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException): void => {
      reject(
        new AppError(
          'config_invalid',
          `Cannot listen on ${options.host}:${options.port} (${error.code ?? error.message}). Set another \`server.host\` and \`server.port\`, or HOST and PORT.`,
          { cause: error },
        ),
      );
    };
    server.once('error', refuse);
    server.listen(options.port, options.host, () => {
      server.removeListener('error', refuse);
      const address = server.address();
      const port = address !== null && typeof address === 'object' ? address.port : options.port;
      const host = options.host.includes(':') ? `[${options.host}]` : options.host;
      resolve({
        host: options.host,
        port,
        url: `http://${host}:${port}`,
        closeGracefully: ({ drainTimeoutMs }) =>
          closeGracefully(server, openResponses, drainTimeoutMs, options),
      });
    });
  });
}

async function closeGracefully(
  server: Server,
  openResponses: OpenResponses,
  drainTimeoutMs: number,
  { drain, clock }: ServerOptions,
): Promise<{ cutConnections: number }> {
  drain.begin();
  const closed = new Promise<'closed'>((resolve) => {
    server.close(() => resolve('closed'));
  });
  server.closeIdleConnections();
  const deadline = new AbortController();
  const late = clock.sleep(drainTimeoutMs, deadline.signal).then(() => 'late' as const);
  const winner = await Promise.race([closed, late]);
  deadline.abort();
  if (winner === 'closed') return { cutConnections: 0 };
  const cutConnections = await countConnections(server);
  // Every call has to learn that its caller is gone before its upstream is: the first to end is who ended it in the row.
  const left = [...openResponses.values()].map(
    (response) => new Promise<void>((resolve) => response.once('close', () => resolve())),
  );
  server.closeAllConnections();
  await Promise.all([closed, ...left]);
  return { cutConnections };
}

function countConnections(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.getConnections((error, count) => resolve(error === null ? count : 0));
  });
}

interface BrokenRequest {
  readonly status: string;
  readonly code: ErrorCode;
  readonly detail: string;
}

/** What never became a request has no route, no id and no middleware: it is answered on the bare socket. */
function answerBrokenRequest(
  error: NodeJS.ErrnoException,
  socket: Duplex,
  running: ServerResponse | undefined,
): void {
  // In the middle of an answer another one would be read as a part of it.
  const isAnswering = running?.headersSent && !running.writableFinished;
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering) {
    socket.destroy();
    return;
  }
  const { status, code, detail } = brokenRequest(error.code);
  const body = JSON.stringify({
    type: `urn:prompt-gateway:error:${code}`,
    title: ERROR_TITLE[code],
    status: Number(status.slice(0, 3)),
    code,
    detail,
    errors: [],
  });
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/problem+json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

function brokenRequest(errorCode: string | undefined): BrokenRequest {
  switch (errorCode) {
    case 'HPE_HEADER_OVERFLOW':
      return {
        status: '431 Request Header Fields Too Large',
        code: 'invalid_request',
        detail: 'The headers are too large.',
      };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return {
        status: '408 Request Timeout',
        code: 'invalid_request',
        detail: 'The request did not arrive in time.',
      };
    default:
      return { status: '400 Bad Request', code: 'invalid_request', detail: 'This is not valid HTTP.' };
  }
}
