import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, type GatewayProcess, processBench } from '../helpers/gateway-process.ts';
import {
  type ScriptedUpstream,
  sendCompletion,
  sendDelta,
  sendError,
  startScriptedUpstream,
  type UpstreamCall,
} from '../helpers/scripted-upstream.ts';
import { soundRequests } from './hostile-requests.ts';
import { type Answer, sendAll, sendRequest } from './send-request.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** Never anywhere but where they belong. */
const PROVIDER_KEY = 'sk-canary-provider-4f1d7c0a9b2e';
const UNIT_HASH_KEY = 'canary-unit-hash-key-77aa31';
const USER_ID = 'canary-user-id-5b1e';
/** In variables, features and metadata, at paths that are redacted. */
const REDACTED_TEXT = 'canary.person@redacted.example';

const bench = processBench();
let folder = '';
let gateway: GatewayProcess;
let upstream: ScriptedUpstream;
let key = '';
let link = '';
let cookie = '';
/** Every answer of the run, as it came over the wire, headers too. */
const answers: string[] = [];
const exported: string[] = [];
let stored = '';

/** Status by the model that is asked for. */
const FAULTS: Readonly<Record<string, number>> = {
  unauthorized: 401,
  refused: 400,
  limited: 429,
  broken: 500,
};

/** An upstream that repeats all it was sent in its errors, and leaves half-way. */
function answerWith(call: UpstreamCall, response: ServerResponse): void {
  const mode = String(call.body['model']);
  const repeated = `Incorrect API key provided: ${String(call.headers.authorization)}; ${JSON.stringify(call.body)}`;
  const status = FAULTS[mode];
  if (status !== undefined) {
    sendError(response, status, repeated);
    return;
  }
  if (mode.includes('html')) {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end(`<html>${repeated}</html>`);
    return;
  }
  if (mode.includes('cut')) {
    sendDelta(response, 'Take');
    setTimeout(() => response.destroy(), 20);
    return;
  }
  sendCompletion(response, 'Take a walk.');
}

beforeAll(async () => {
  upstream = await startScriptedUpstream(answerWith);
  folder = await bench.freshFolder();
  writeConfiguration();
  writePrompt();
  gateway = bench.start(folder, {
    LOG_LEVEL: 'debug',
    OPENAI_API_KEY: PROVIDER_KEY,
    OPENAI_BASE_URL: upstream.url,
    UNIT_HASH_KEY,
  });
  const url = await gateway.url;
  link = /#(\S+) \(once/.exec(gateway.output())?.[1] ?? '';
  await callEverything(url);
  // The command line reads beside the running process.
  for (const table of ['generations', 'outcomes', 'scores'])
    exported.push(await command('ledger', 'export', '--table', table));
  gateway.child.kill('SIGTERM');
  await gateway.exit;
  stored = readFolder(join(folder, 'data'));
}, 60_000);
afterAll(async () => {
  await bench.cleanUp();
  await upstream.close();
});

function writeConfiguration(): void {
  const file = join(folder, 'gateway.config.json');
  const config = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  const roots = ['variables', 'profile_features', 'metadata', 'features', 'context'];
  const target = { provider: 'openai', model: 'sound' };
  const changed = {
    ...config,
    ledger: {
      redact: roots.flatMap((root) => [`${root}.email`, `${root}.person.*`]),
      unit_hash_key_env: 'UNIT_HASH_KEY',
    },
    routes: {
      default: { targets: [target], retries: { attempts_per_target: 1, max_attempts: 1 } },
    },
    shadow: { again: { prompt: 'letter', version: 'v1', sample: 1, max_queue: 100 } },
  };
  writeFileSync(file, JSON.stringify(changed));
}

/** One whose text holds the redacted variable. */
function writePrompt(): void {
  mkdirSync(join(folder, 'prompts/letter'));
  writeFileSync(
    join(folder, 'prompts/letter/v1.prompt'),
    [
      '---',
      'input:',
      '  schema:',
      '    email: string',
      '    mood?: string',
      '---',
      '{{role "system"~}}',
      'You write letters to {{email}}.',
      '{{~role "user"~}}',
      'My mood: {{mood}}',
      '',
    ].join('\n'),
  );
}

async function callEverything(url: string): Promise<void> {
  const json = { 'content-type': 'application/json' };
  const post = async (target: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
    kept(
      await sendRequest(url, {
        method: 'POST',
        target,
        headers: { ...json, ...headers },
        body: JSON.stringify(body),
      }),
    );
  const made = await sendRequest(url, {
    method: 'POST',
    target: '/keys',
    headers: json,
    body: '{"name":"ops","scopes":["admin"]}',
  });
  key = (JSON.parse(made.text) as { readonly key: string }).key;
  const bearer = { authorization: `Bearer ${key}` };

  const signedIn = await sendRequest(url, {
    method: 'POST',
    target: '/admin/sign-in',
    headers: json,
    body: JSON.stringify({ token: link }),
  });
  const set = [signedIn.headers['set-cookie']].flat()[0] ?? '';
  cookie = /pgw_session=([^;]+)/.exec(set)?.[1] ?? '';

  const person = { email: REDACTED_TEXT, person: { name: REDACTED_TEXT } };
  const marked = { metadata: person, user_id: USER_ID, session_id: USER_ID };
  const variables = { email: REDACTED_TEXT, mood: 'calm' };
  const letter = { prompt: 'letter', variables, profile_features: { email: REDACTED_TEXT }, ...marked };
  for (const model of ['sound', 'unauthorized', 'refused', 'limited', 'broken', 'html', 'cut']) {
    await post('/generate', { ...letter, model }, { ...bearer, 'idempotency-key': `key-${model}` });
    await post('/generate', { ...letter, model, stream: true }, bearer);
  }
  // The stored answer, and the key with another body.
  await post('/generate', { ...letter, model: 'sound' }, { ...bearer, 'idempotency-key': 'key-sound' });
  await post('/generate', { ...letter, model: 'other' }, { ...bearer, 'idempotency-key': 'key-sound' });
  await post(
    '/v1/chat/completions',
    { model: 'prompt/letter', prompt_variables: variables, ...marked, user: USER_ID },
    bearer,
  );
  const score = {
    candidates: [{ id: 'a', features: person }],
    profile_features: person,
    context: person,
    ...marked,
  };
  await post('/score', { ...score, policy: 'tips' }, bearer);
  await post(
    '/feedback',
    { generation_id: 'gen_x', metric: 'completed', value: true, metadata: person },
    bearer,
  );
  // Faults name what is wrong with a value, and must not carry it to a log.
  await post(
    '/generate',
    { ...letter, variables: { ...variables, mood: 7, unknown: REDACTED_TEXT } },
    bearer,
  );

  // Wrong in every way there is.
  const wrong = `${key.slice(0, -4)}AAAA`;
  for (const presented of [wrong, `${key}x`, key.slice(0, 30), `${key} ${key}`]) {
    await post('/generate', letter, { authorization: `Bearer ${presented}` });
    await post('/admin/sign-in', { key: presented });
  }
  await post('/admin/sign-in', { token: link });
  await post('/generate', letter, { cookie: `pgw_session=${cookie}` });

  const again = await sendAll(
    url,
    soundRequests().filter(({ where }) => !where.startsWith('post /keys')),
    bearer,
  );
  for (const [, answer] of again) kept(answer);
  const list = kept(
    await sendRequest(url, { method: 'GET', target: '/generations?limit=200', headers: bearer, body: null }),
  );
  const ids = (JSON.parse(list.text) as { readonly generations: readonly { readonly id: string }[] })
    .generations;
  for (const { id } of ids) {
    kept(
      await sendRequest(url, { method: 'GET', target: `/generations/${id}`, headers: bearer, body: null }),
    );
  }
  // Shadow runs end after their answers.
  await eventually(async () => {
    const metrics = await sendRequest(url, {
      method: 'GET',
      target: '/metrics',
      headers: bearer,
      body: null,
    });
    kept(metrics);
    return /gateway_shadow_\w+_total\{[^}]*\} [1-9]/.test(metrics.text);
  });
}

/** What the caller sent in a body and gets back in the same call (a preview, a dry run) is theirs; it is looked at apart. */
function kept(answer: Answer): Answer {
  answers.push(`${answer.status} ${JSON.stringify(answer.headers)}\n${answer.text}`);
  return answer;
}

async function command(...args: readonly string[]): Promise<string> {
  const program = ['--import', import.meta.resolve('tsx'), join(ROOT, 'src/cli/main.ts'), ...args];
  const { stdout } = await promisify(execFile)(process.execPath, program, {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', UNIT_HASH_KEY },
    maxBuffer: 64_000_000,
  });
  return stdout;
}

function readFolder(directory: string): string {
  return readdirSync(directory)
    .map((name) => readFileSync(join(directory, name), 'latin1'))
    .join('\n');
}

const secretOfKey = (): string => key.split('_').slice(2).join('_');

describe('after a run over every route, with faults of every kind', () => {
  const SECRETS: readonly (readonly [string, () => string])[] = [
    ['the key of the provider', () => PROVIDER_KEY],
    ['the key of the unit hash', () => UNIT_HASH_KEY],
    ['an API key', secretOfKey],
    ['the cookie of a session', () => cookie],
    ['the token of a sign-in link', () => link],
  ];
  const PLACES: readonly (readonly [string, () => string])[] = [
    // The banner shows the link once: it is how it reaches its reader.
    ['the log and the banner', () => gateway.output().replace(`#${link} (once`, '')],
    ['an answer or a metric', () => answers.join('\n')],
    ['the files of the database', () => stored],
    ['an export', () => exported.join('\n')],
  ];

  const PAIRS = SECRETS.flatMap(([secret, secretOf]) =>
    PLACES.map(([place, textOf]) => [secret, place, secretOf, textOf] as const),
  );

  test.each(PAIRS)('%s is not in %s', (_secret, _place, secretOf, textOf) => {
    expect(secretOf().length).toBeGreaterThan(15);
    expect(findings(textOf(), secretOf())).toEqual([]);
  });

  test.each(PLACES)('a variable, a feature and a fact that are redacted are not in %s', (_place, textOf) => {
    expect(findings(textOf(), REDACTED_TEXT)).toEqual([]);
    expect(findings(textOf(), USER_ID)).toEqual([]);
  });

  test('the search would find them: what belongs there is there', () => {
    const calls = JSON.stringify(upstream.calls);
    expect(calls).toContain(REDACTED_TEXT);
    expect(calls).toContain(PROVIDER_KEY);
    expect(calls.split('letters to').length).toBeGreaterThan(10);
    const keyId = key.split('_')[1] ?? '';
    for (const [, textOf] of PLACES) expect(textOf()).toContain(keyId);
    expect(stored).toContain('[redacted]');
    expect(exported[0]).toContain('[redacted]');
    expect(answers.join('\n')).toContain('[redacted]');
    expect(gateway.output()).toContain('"level":50');
  });
});

/** With what stands around each: enough to see where it comes from. */
function findings(text: string, secret: string): readonly string[] {
  return text
    .split(secret)
    .slice(0, -1)
    .slice(0, 5)
    .map((before) => `…${before.slice(-200)}`);
}
