import { GatewayProblem, problemFrom, unreachableProblem } from './gateway-problem.ts';
import type { Session } from './wire-types.ts';

/** An answer with the text it came in: equal texts are equal answers, whatever objects they parse to. */
export interface Answer<T> {
  readonly value: T;
  readonly text: string;
}

export interface GatewayApi {
  /** Fails with a {@link GatewayProblem}; an abort passes through as the signal's reason. */
  get<T>(path: string, signal?: AbortSignal): Promise<Answer<T>>;
  /** A change. Sends the token of the session, without which the gateway lets a session only read. */
  change<T>(
    method: 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: unknown,
    signal?: AbortSignal,
  ): Promise<T>;
  /** Null on a gateway without keys, which asks for none. */
  setCsrfToken(token: string | null): void;
  /** Told of every 401 outside the sign-in itself. One listener: the page's frame. */
  onUnauthorized(listener: (problem: GatewayProblem) => void): void;
}

/** All requests of the page go through here, to its own origin only. */
export function createGatewayApi(fetchAnswer: typeof fetch): GatewayApi {
  let csrfToken: string | null = null;
  let tellUnauthorized: (problem: GatewayProblem) => void = () => {};

  const send = async <T>(path: string, request: RequestInit): Promise<Answer<T>> => {
    let response: Response;
    let text: string;
    try {
      response = await fetchAnswer(path, { ...request, credentials: 'same-origin' });
      text = await response.text();
    } catch (error) {
      if (request.signal?.aborted === true) throw error;
      throw unreachableProblem();
    }
    if (!response.ok) {
      const problem = problemFrom(response.status, text);
      if (response.status === 401 && !path.startsWith('/admin/')) tellUnauthorized(problem);
      throw problem;
    }
    // `/metrics` is the one answer that is read and not JSON: whoever asks for it says `get<string>`.
    if (response.headers.get('content-type')?.startsWith('text/plain') === true)
      return { value: text as T, text };
    try {
      // The shapes are those of our own server, released together with this page.
      return { value: JSON.parse(text) as T, text };
    } catch {
      throw problemFrom(response.status, '');
    }
  };

  /** Another tab may have signed in anew since: then the token of this one is an old one. False: it is not. */
  const renewToken = async (): Promise<boolean> => {
    const { value } = await send<Pick<Session, 'csrf_token'>>('/admin/session', {});
    if (value.csrf_token === csrfToken) return false;
    csrfToken = value.csrf_token;
    return true;
  };

  return {
    get: (path, signal) =>
      send(path, { headers: { accept: 'application/json' }, ...(signal === undefined ? {} : { signal }) }),
    async change<T>(
      method: 'POST' | 'PUT' | 'DELETE',
      path: string,
      body: unknown = {},
      signal?: AbortSignal,
    ): Promise<T> {
      const attempt = () =>
        send<T>(path, {
          method,
          headers: {
            accept: 'application/json',
            'content-type': 'application/json',
            ...(csrfToken === null ? {} : { 'x-csrf-token': csrfToken }),
          },
          body: JSON.stringify(body),
          ...(signal === undefined ? {} : { signal }),
        });
      try {
        return (await attempt()).value;
      } catch (error) {
        // A refused change changed nothing, so asking again is safe.
        const isRefused = error instanceof GatewayProblem && error.status === 403;
        if (!isRefused || !(await renewToken())) throw error;
        return (await attempt()).value;
      }
    },
    setCsrfToken(token) {
      csrfToken = token;
    },
    onUnauthorized(listener) {
      tellUnauthorized = listener;
    },
  };
}
