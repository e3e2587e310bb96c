import { Agent, request } from 'node:http';
import { connect } from 'node:net';

export interface SentRequest {
  readonly method: string;
  /** Path and query, as they go on the wire. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | null;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
  readonly body: Buffer;
}

const agent = new Agent({ keepAlive: true, maxSockets: 8 });

/**
 * Sends what `fetch` refuses to send: any header, any path, no normalisation. Rejects when the connection ends without
 * a whole answer.
 */
export function sendRequest(url: string, sent: SentRequest): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        agent,
        host: hostname,
        port,
        method: sent.method,
        path: sent.target,
        headers: { ...sent.headers, ...(sent.body === null ? {} : { 'content-length': sizeOf(sent.body) }) },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const body = Buffer.concat(chunks);
          const status = response.statusCode ?? 0;
          resolve({ status, headers: response.headers, text: body.toString('utf8'), body });
        });
      },
    );
    outgoing.setTimeout(20_000, () =>
      outgoing.destroy(new Error(`no answer: ${sent.method} ${sent.target}`)),
    );
    outgoing.on('error', reject);
    outgoing.end(sent.body ?? undefined);
  });
}

function sizeOf(body: string | Uint8Array): string {
  return String(typeof body === 'string' ? Buffer.byteLength(body) : body.length);
}

/** All of them, a few at a time, in their order. Headers of their own win over the `common` ones. */
export async function sendAll<Sent extends SentRequest>(
  url: string,
  sent: readonly Sent[],
  common: Readonly<Record<string, string>> = {},
): Promise<readonly (readonly [sent: Sent, answer: Answer])[]> {
  const answers: (readonly [Sent, Answer])[] = [];
  for (let first = 0; first < sent.length; first += 8) {
    const batch = sent.slice(first, first + 8);
    answers.push(
      ...(await Promise.all(
        batch.map(async (each) => {
          const headers = { ...common, ...each.headers };
          return [each, await sendRequest(url, { ...each, headers })] as const;
        }),
      )),
    );
  }
  return answers;
}

/** Writes bytes on a bare socket and resolves with all that came back until it closed, or was silent for `quietMs`. */
export function sendBytes(url: string, bytes: string | Uint8Array, quietMs = 300): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    let received = '';
    const socket = connect(Number(port), hostname);
    socket.setTimeout(5_000, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      // The first byte has come: what is left comes soon.
      socket.setTimeout(quietMs, () => socket.destroy());
    });
    // A refused connection may be reset: what had come before counts.
    socket.on('error', () => {});
    socket.on('close', () => resolve(received));
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  });
}
