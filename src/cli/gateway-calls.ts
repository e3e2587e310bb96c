import { AppError, errorMessage, type Fault } from '../kernel/index.ts';
import type { CliContext } from './cli-context.ts';
import { GatewayRefusal } from './gateway-refusal.ts';
import { UsageError } from './usage-error.ts';

export interface GatewayOptions {
  /** Default: `PROMPT_GATEWAY_URL`, then the address a gateway has without configuration. */
  readonly url?: string;
  /** Default: `PROMPT_GATEWAY_KEY`. */
  readonly key?: string;
  readonly json?: boolean;
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** Calls of a running gateway. They fail with {@link GatewayRefusal}, and with `invalid_request` when none answers. */
export interface GatewayCalls {
  get(path: string): Promise<JsonObject>;
  put(path: string, body: JsonObject): Promise<JsonObject>;
}

const DEFAULT_URL = 'http://127.0.0.1:8787';
/** A move is one commit: who waits longer waits for something that is stuck. */
const TIMEOUT_MS = 10_000;

export function createGatewayCalls(options: GatewayOptions, context: CliContext): GatewayCalls {
  const base = readBaseUrl(options.url ?? context.variables['PROMPT_GATEWAY_URL'] ?? DEFAULT_URL);
  const key = options.key ?? context.variables['PROMPT_GATEWAY_KEY'] ?? '';
  const call = async (method: 'GET' | 'PUT', path: string, body: JsonObject | null): Promise<JsonObject> => {
    const response = await reach(new URL(`${base}${path}`), {
      method,
      headers: {
        accept: 'application/json',
        ...(key === '' ? {} : { authorization: `Bearer ${key}` }),
        ...(body === null ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === null ? {} : { body: JSON.stringify(body) }),
      // A key must not follow to wherever an address points.
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const answer = await readAnswer(response, base);
    if (response.ok) return answer;
    throw refusal(answer, response.status, key !== '');
  };
  return { get: (path) => call('GET', path, null), put: (path, body) => call('PUT', path, body) };
}

/** A path of the gateway with every part escaped. */
export function gatewayPath(...parts: readonly string[]): string {
  return `/${parts.map(encodeURIComponent).join('/')}`;
}

function readBaseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (
    url === null ||
    !['http:', 'https:'].includes(url.protocol) ||
    url.username !== '' ||
    url.search !== ''
  ) {
    // The text is not repeated: it may hold a password.
    throw new UsageError(
      `--url (or PROMPT_GATEWAY_URL) must be the address of a gateway, such as ${DEFAULT_URL}`,
    );
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

async function reach(url: URL, request: RequestInit): Promise<Response> {
  try {
    return await fetch(url, request);
  } catch (error) {
    throw new AppError(
      'invalid_request',
      `no gateway answers at ${url.origin} (${reasonOf(error)}): start one with \`prompt-gateway serve\`, or name another with --url or PROMPT_GATEWAY_URL`,
      { cause: error },
    );
  }
}

/** `fetch failed` says nothing; the code of its cause does. */
function reasonOf(error: unknown): string {
  const cause = isObject(error) ? error['cause'] : undefined;
  const code = isObject(cause) ? cause['code'] : undefined;
  return typeof code === 'string' ? code : errorMessage(cause ?? error);
}

async function readAnswer(response: Response, base: string): Promise<JsonObject> {
  try {
    const answer: unknown = await response.json();
    if (isObject(answer)) return answer;
  } catch {
    // Told below: whatever it is, it is no answer of a gateway.
  }
  throw new AppError(
    'invalid_request',
    `what answers at ${base} is no prompt gateway (status ${response.status}): check --url`,
  );
}

function refusal(answer: JsonObject, status: number, hasKey: boolean): GatewayRefusal {
  const { code, detail, errors } = answer;
  const hint = status === 401 && !hasKey ? ' Give a key with PROMPT_GATEWAY_KEY, or with --key.' : '';
  return new GatewayRefusal(
    typeof code === 'string' ? code : 'http_error',
    `${typeof detail === 'string' ? detail : `The gateway answered ${status}.`}${hint}`,
    Array.isArray(errors) ? errors.filter(isFault) : [],
  );
}

function isFault(value: unknown): value is Fault {
  return isObject(value) && typeof value['path'] === 'string' && typeof value['message'] === 'string';
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
