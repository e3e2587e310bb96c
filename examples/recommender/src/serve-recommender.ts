import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { GatewayError } from '../../../src/client/index.ts';
import type { Reaction, Recommender, TipRequest } from './create-recommender.ts';

/** A tip request is small; more is a mistake or an attack. */
const MAX_BODY_BYTES = 16_384;

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

class BadRequest extends Error {}

/** `POST /tips` and `POST /tips/:id/reaction`. The caller listens and closes. */
export function serveRecommender(recommender: Recommender): Server {
  return createServer((request, response) => {
    const left = new AbortController();
    response.on('close', () => left.abort());
    route(recommender, request, left.signal)
      .catch(failure)
      .then((answer) => send(response, answer))
      .catch(() => response.destroy());
  });
}

async function route(
  recommender: Recommender,
  request: IncomingMessage,
  signal: AbortSignal,
): Promise<Answer> {
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  const tipId = /^\/tips\/([\w-]{1,64})\/reaction$/.exec(path)?.[1];
  if (path !== '/tips' && tipId === undefined) {
    return { status: 404, body: { error: 'not_found' } };
  }
  if (request.method !== 'POST') {
    return { status: 405, body: { error: 'method_not_allowed' }, headers: { allow: 'POST' } };
  }
  const body = await readJson(request);
  if (tipId === undefined) {
    const tip = await recommender.recommend(tipRequest(body), signal);
    return {
      status: 201,
      body: {
        tip_id: tip.tipId,
        text: tip.text,
        idea: tip.idea,
        ranked: tip.ranked,
        prompt_version: tip.promptVersion,
        degraded: tip.degraded,
      },
    };
  }
  const state = await recommender.react(tipId, reactionOf(body));
  if (state === 'unknown') return { status: 404, body: { error: 'tip_not_found' } };
  return { status: state === 'reported' ? 200 : 202, body: { tip_id: tipId, state } };
}

function failure(error: unknown): Answer {
  if (error instanceof BadRequest) {
    return { status: 400, body: { error: 'invalid_request', message: error.message } };
  }
  if (error instanceof GatewayError) {
    const isBusy = error.status === null || error.status === 429 || error.status === 503;
    return {
      status: isBusy ? 503 : 502,
      body: { error: error.code, request_id: error.requestId },
      ...(isBusy
        ? { headers: { 'retry-after': String(Math.ceil((error.retryAfterMs ?? 1_000) / 1_000)) } }
        : {}),
    };
  }
  return { status: 500, body: { error: 'internal' } };
}

function send(response: ServerResponse, { status, body, headers }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

async function readJson(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const piece: Buffer = chunk;
    bytes += piece.length;
    if (bytes > MAX_BODY_BYTES) throw new BadRequest(`the body is larger than ${MAX_BODY_BYTES} bytes`);
    chunks.push(piece);
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return { ...value };
  } catch {
    // Said below, in the same words for every kind of wrong body.
  }
  throw new BadRequest('the body must be a JSON object');
}

function tipRequest(body: Readonly<Record<string, unknown>>): TipRequest {
  const userId = shortText(body, 'user_id');
  if (userId === null) throw new BadRequest('user_id is required');
  return { userId, goal: shortText(body, 'goal'), mood: shortText(body, 'mood') };
}

function reactionOf(body: Readonly<Record<string, unknown>>): Reaction {
  const { completed = null, reaction = null } = body;
  if (completed !== null && typeof completed !== 'boolean') {
    throw new BadRequest('completed must be true or false');
  }
  if (reaction !== null && reaction !== 'love' && reaction !== 'like' && reaction !== 'dismiss') {
    throw new BadRequest('reaction must be love, like or dismiss');
  }
  if (completed === null && reaction === null) throw new BadRequest('give completed, reaction or both');
  return { completed, reaction };
}

function shortText(body: Readonly<Record<string, unknown>>, name: string): string | null {
  const value = body[name] ?? null;
  if (value === null) return null;
  if (typeof value !== 'string' || value === '' || value.length > 256) {
    throw new BadRequest(`${name} must be text of 1 to 256 characters`);
  }
  return value;
}
