import { openApiDocument } from '../../src/http/openapi-document.ts';
import type { SentRequest } from './send-request.ts';

/** One request with a hostile text in one place; everything else of it is sound. */
export interface HostileRequest extends SentRequest {
  /** `post /generate variables.mood`: for the message of a test that fails. */
  readonly where: string;
}

/** Headers that a request may bring, documented or not; those of proxies name hosts and addresses. */
const HEADERS = [
  'accept',
  'accept-language',
  'authorization',
  'content-encoding',
  'content-type',
  'cookie',
  'destination',
  'forwarded',
  'from',
  'idempotency-key',
  'if-none-match',
  'openai-organization',
  'origin',
  'proxy-authorization',
  'referer',
  'traceparent',
  'tracestate',
  'true-client-ip',
  'user-agent',
  'via',
  'x-api-key',
  'x-csrf-token',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-http-method-override',
  'x-original-url',
  'x-portkey-custom-host',
  'x-request-id',
  'x-rewrite-url',
] as const;

/** Values by which a request gets past the checks of the edge, down to what a text could do there. */
const SOUND_VALUES: Readonly<Record<string, unknown>> = {
  prompt: 'tip',
  prompt_version: 'v1',
  variables: { mood: 'tired' },
  prompt_variables: { mood: 'tired' },
  profile_features: { completion_rate: 0.4, preferred_hour: 8 },
  features: { effort: 0.5, novelty: 0.2, category: 'focus' },
  route: 'default',
  model: 'prompt/tip@v1',
  metric: 'completed',
  occurred_at: '2026-11-01T10:00:00Z',
  expires_at: '2099-01-01T00:00:00Z',
  expected: 'v1',
  experiment: 'tone',
  version: 'v1',
  policy: 'tips',
  tags: ['test'],
  stream: false,
  dry_run: false,
  n: 1,
};

/** What a schema's first choice would leave out: parts of messages, turns of tools, and the other half of a choice. */
const FURTHER_BODIES: Readonly<Record<string, readonly unknown[]>> = {
  'post /generate': [
    { prompt: 'tip', prompt_version: '@live', variables: { mood: 'tired' }, model: 'm', user_id: 'u' },
    { prompt: 'tip', variables: { mood: 'tired' }, dry_run: true },
    { prompt: 'tip', variables: { mood: 'tired' }, stream: true },
  ],
  'post /v1/chat/completions': [
    {
      model: 'default',
      messages: [
        { role: 'system', content: [{ type: 'text', text: 'x' }] },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'x' },
            { type: 'image_url', image_url: { url: 'https://images.example/x.png', detail: 'low' } },
          ],
        },
        {
          role: 'assistant',
          content: 'x',
          tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
        },
        { role: 'tool', content: 'x', tool_call_id: 'c' },
      ],
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'x', schema: { type: 'object', properties: { a: { $ref: '#/$defs/x' } } } },
      },
      logit_bias: { '1': 'x' },
    },
  ],
  'post /feedback': [
    { generation_id: 'gen_x', metric: 'completed', value: true },
    { score_id: 'scr_x', metric: 'reaction', value: 'love' },
  ],
  'post /admin/sign-in': [{ key: 'x' }, { token: 'x' }],
  'put /prompts/{name}/labels/{label}': [
    { version: 'v1', reason: 'x' },
    { experiment: 'tone', reason: 'x' },
  ],
};

type Schema = Readonly<Record<string, unknown>>;

interface Operation {
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: Schema } } };
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const DOCUMENT = openApiDocument('test') as unknown as Document;

/**
 * A request for each place where a text can stand: every string of every body (and every name in its open objects),
 * every parameter of path and query, and on two routes every header, over all routes of the OpenAPI document. A route
 * or a field that comes later is attacked without anybody thinking of it.
 */
export function hostileRequests(text: string): readonly HostileRequest[] {
  return Object.entries(DOCUMENT.paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, operation]) => [
      ...hostileBodies(method, path, operation, text),
      ...hostileParameters(method, path, operation, text),
      ...(path === '/generate' || path === '/prompts' ? hostileHeaders(method, path, operation, text) : []),
    ]),
  );
}

/** A sound request of every route: what a hostile one is compared with. */
export function soundRequests(): readonly HostileRequest[] {
  return Object.entries(DOCUMENT.paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, operation]) => {
      const target = targetOf(path, operation, null, '');
      const bodies = soundBodies(method, path, operation);
      return (bodies.length === 0 ? [null] : bodies).map((body) => request(method, path, target, body, ''));
    }),
  );
}

function hostileBodies(method: string, path: string, operation: Operation, text: string): HostileRequest[] {
  const target = targetOf(path, operation, null, '');
  return soundBodies(method, path, operation).flatMap((body) =>
    placesOf(body, []).map((place) =>
      request(method, path, target, replaced(body, place, text), place.steps.join('.')),
    ),
  );
}

function hostileParameters(
  method: string,
  path: string,
  operation: Operation,
  text: string,
): HostileRequest[] {
  const [body = null] = soundBodies(method, path, operation);
  return (operation.parameters ?? [])
    .filter((parameter) => parameter.in !== 'header')
    .map(({ in: from, name }) =>
      request(method, path, targetOf(path, operation, name, text), body, `${from} ${name}`),
    );
}

function hostileHeaders(method: string, path: string, operation: Operation, text: string): HostileRequest[] {
  const [body = null] = soundBodies(method, path, operation);
  const target = targetOf(path, operation, null, '');
  return HEADERS.map((name) => {
    const sound = request(method, path, target, body, `header ${name}`);
    return { ...sound, headers: { ...sound.headers, [name]: text } };
  });
}

function request(method: string, path: string, target: string, body: unknown, place: string): HostileRequest {
  return {
    where: `${method} ${path} ${place}`,
    method: method.toUpperCase(),
    target,
    headers: body === null ? {} : { 'content-type': 'application/json' },
    body: body === null ? null : JSON.stringify(body),
  };
}

/** The path with its parameters, and the query parameter that is attacked, if it is one. */
function targetOf(
  path: string,
  { parameters = [] }: Operation,
  attacked: string | null,
  text: string,
): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_match, name: string) => {
    if (name === attacked) return encodeURIComponent(text);
    return encodeURIComponent(soundParameter(path, name));
  });
  const query = parameters.find(({ in: from, name }) => from === 'query' && name === attacked);
  return query === undefined ? filled : `${filled}?${query.name}=${encodeURIComponent(text)}`;
}

function soundParameter(path: string, name: string): string {
  if (name === 'version') return 'v1';
  if (name === 'label') return 'live';
  if (path.startsWith('/v1/models')) return 'prompt/tip';
  if (name === 'id') return 'gen_unknown';
  if (path.includes('/experiments/')) return 'tone';
  if (path.includes('/policies/')) return 'tips';
  return 'tip';
}

function soundBodies(method: string, path: string, operation: Operation): readonly unknown[] {
  const schema = operation.requestBody?.content['application/json'].schema;
  if (schema === undefined) return [];
  const further = FURTHER_BODIES[`${method} ${path}`] ?? [];
  return [...choices(schema).map((choice) => soundValue(choice, '')), ...further];
}

/** A schema's alternatives, references followed, without null. */
function choices(schema: Schema): readonly Schema[] {
  const reference = schema['$ref'];
  if (typeof reference === 'string') {
    const named = DOCUMENT.components.schemas[reference.replace('#/components/schemas/', '')];
    if (named === undefined) throw new Error(`the document has no ${reference}`);
    return choices(named);
  }
  const alternatives = schema['anyOf'] ?? schema['oneOf'];
  if (!Array.isArray(alternatives)) return [schema];
  return (alternatives as Schema[]).flatMap(choices).filter((choice) => choice['type'] !== 'null');
}

/** An instance with every property, by the first choice of each schema. */
function soundValue(given: Schema, name: string): unknown {
  if (Object.hasOwn(SOUND_VALUES, name)) return SOUND_VALUES[name];
  const [schema = given] = choices(given);
  if (Array.isArray(schema['enum'])) return schema['enum'][0] as unknown;
  if (schema['const'] !== undefined) return schema['const'];
  const type = [schema['type']].flat().find((each) => each !== 'null');
  switch (type) {
    case 'object': {
      const properties = Object.entries((schema['properties'] ?? {}) as Record<string, Schema>);
      const entries = properties.map(([key, inner]) => [key, soundValue(inner, key)] as const);
      const isOpen = typeof schema['additionalProperties'] === 'object';
      return Object.fromEntries(isOpen ? [...entries, ['some_key', 'x']] : entries);
    }
    case 'array':
      return [soundValue((schema['items'] ?? {}) as Schema, '')];
    case 'integer':
    case 'number':
      return Number(schema['minimum'] ?? 1) || 1;
    case 'boolean':
      return false;
    default:
      return 'x';
  }
}

interface Place {
  readonly steps: readonly string[];
  /** A new member by this name, instead of another value. */
  readonly isName: boolean;
}

function placesOf(value: unknown, steps: readonly string[]): readonly Place[] {
  if (typeof value === 'string') return [{ steps, isName: false }];
  if (value === null || typeof value !== 'object') return [];
  const inner = Object.entries(value).flatMap(([key, each]) => placesOf(each, [...steps, key]));
  return Array.isArray(value) ? inner : [...inner, { steps, isName: true }];
}

function replaced(value: unknown, { steps, isName }: Place, text: string): unknown {
  const [step, ...rest] = steps;
  if (step === undefined) return isName ? { ...(value as object), [text]: 'x' } : text;
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) =>
      String(index) === step ? replaced(item, { steps: rest, isName }, text) : item,
    );
  }
  const members = value as Readonly<Record<string, unknown>>;
  return { ...members, [step]: replaced(members[step], { steps: rest, isName }, text) };
}
