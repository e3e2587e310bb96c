import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AppError } from '../../src/kernel/index.ts';
import { createTransport } from '../../src/providers/transport/index.ts';
import { startGatewayForTest } from '../helpers/gateway-for-test.ts';
import {
  type ScriptedUpstream,
  sendCompletion,
  startScriptedUpstream,
} from '../helpers/scripted-upstream.ts';
import { type LockedGateway, startLockedGateway } from './attacked-gateway.ts';
import { type Canary, startCanary } from './canary.ts';
import { hostileRequests } from './hostile-requests.ts';
import { sendAll, sendBytes } from './send-request.ts';

let canary: Canary;
let upstream: ScriptedUpstream;
let gateway: LockedGateway;
/** What the upstream answers, when not a sound completion. */
let redirect: { readonly status: number; readonly location: string } | null = null;

beforeAll(async () => {
  canary = await startCanary();
  upstream = await startScriptedUpstream((_call, response) => {
    if (redirect === null) return sendCompletion(response, 'Take a walk.');
    response.writeHead(redirect.status, { location: redirect.location });
    response.end();
  });
  gateway = await startLockedGateway(upstream.url);
});
afterAll(async () => {
  await gateway.dispose();
  await upstream.close();
  await canary.close();
});

describe('an address in a request', () => {
  test.each([
    ['a URL', () => canary.origin],
    ['a URL with a path', () => `${canary.origin}/v1`],
    ['a URL without scheme', () => `//127.0.0.1:${canary.port}/v1`],
    ['an authority', () => `127.0.0.1:${canary.port}`],
    ['a URL behind a name that exists', () => `default@127.0.0.1:${canary.port}`],
    ['a prompt that is a URL', () => `prompt/${canary.origin}`],
    ['a forwarded host', () => `host=127.0.0.1:${canary.port};proto=http`],
  ])('is visited from no field of any route: %s', async (_what, address) => {
    const callsBefore = upstream.calls.length;

    const answers = await sendAll(gateway.url, hostileRequests(address()), bearer());

    expect(canary.visits()).toBe(0);
    // The attack reached what calls models; these went where the configuration says, each to the one path there is.
    const calls = upstream.calls.slice(callsBefore);
    expect(calls.length).toBeGreaterThan(20);
    expect(new Set(calls.map((call) => call.url))).toEqual(new Set(['/v1/chat/completions']));
    const host = new URL(upstream.url).host;
    expect(new Set(calls.map((call) => call.headers.host))).toEqual(new Set([host]));
    for (const [sent, { status }] of answers) expect([sent.where, status < 500]).toEqual([sent.where, true]);
  });

  test('of an image is passed on as it is, and fetched by nobody here', async () => {
    const url = `${canary.origin}/image.png`;
    const content = [{ type: 'image_url', image_url: { url } }];
    const answer = await gateway.post('/v1/chat/completions', {
      model: 'strict',
      messages: [{ role: 'user', content }],
    });

    expect(answer.status).toBe(200);
    expect(JSON.stringify(upstream.calls.at(-1)?.body)).toContain(url);
    expect(canary.visits()).toBe(0);
  });

  test.each(['api_base', 'base_url', 'extra_headers', 'proxy', 'aws_sts_endpoint', 'fallbacks'])(
    'steers no proxy behind us: %s is refused',
    async (field) => {
      const callsBefore = upstream.calls.length;
      const answer = await gateway.post('/v1/chat/completions', {
        model: 'strict',
        messages: [{ role: 'user', content: 'x' }],
        [field]: canary.origin,
      });

      expect(answer.status).toBe(400);
      expect(upstream.calls).toHaveLength(callsBefore);
    },
  );

  test('makes no open proxy of the gateway', async () => {
    const host = `127.0.0.1:${canary.port}`;
    const absolute = await sendBytes(
      gateway.url,
      `GET http://${host}/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    );
    const tunnel = await sendBytes(gateway.url, `CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);

    expect(canary.visits()).toBe(0);
    expect(absolute).not.toContain('Content-Length: 0');
    expect(tunnel).not.toMatch(/^HTTP\/1\.1 200/);
  });
});

describe('a redirect of an upstream', () => {
  test.each([301, 302, 303, 307, 308])('%i is not followed', async (status) => {
    redirect = { status, location: `${canary.origin}/v1/chat/completions` };
    try {
      const plain = await gateway.post('/v1/chat/completions', chat('strict'));
      const stream = await gateway.post('/v1/chat/completions', { ...chat('strict'), stream: true });

      expect([plain.status, stream.status]).toEqual([502, 502]);
      expect(plain.json.error.code).toBe('provider_bad_response');
      expect(canary.visits()).toBe(0);
      expect(plain.text + stream.text).not.toContain(String(canary.port));
    } finally {
      redirect = null;
    }
  });
});

describe('the address of an upstream', () => {
  const withBaseUrl = (provider: object): object => ({
    providers: { openai: { kind: 'openai', ...provider }, offline: { kind: 'offline' } },
  });

  test.each([
    'http://169.254.169.254/v1',
    'http://0xA9FEA9FE/v1',
    'http://[::ffff:169.254.169.254]/v1',
    'http://[fd00:ec2::254]/v1',
    'http://metadata.google.internal/v1',
  ])(
    'cannot be the metadata service of a cloud, neither in the file nor in the environment: %s',
    async (url) => {
      const file = startGatewayForTest({ config: withBaseUrl({ base_url: url }) });
      await expect(file).rejects.toMatchObject({ code: 'config_invalid' });
      await expect(file).rejects.toThrow(AppError);

      const environment = startGatewayForTest({
        environment: { OPENAI_API_KEY: 'sk-x', OPENAI_BASE_URL: url },
      });
      await expect(environment).rejects.toMatchObject({
        code: 'config_invalid',
        faults: [expect.objectContaining({ path: 'OPENAI_BASE_URL' })],
      });
    },
  );

  test('can be one where the provider says that it is meant', async () => {
    const started = await startGatewayForTest({
      config: withBaseUrl({ base_url: 'http://169.254.169.254/v1', allow_link_local: true }),
    });
    await started.dispose();
  });

  test('is none either when a name resolves to one', async () => {
    const transport = createTransport({
      httpProxy: null,
      httpsProxy: null,
      noProxy: null,
      caFiles: [],
      connectTimeoutMs: 1_000,
      allowLinkLocal: false,
      maxResponseBytes: 1_000,
      resolve: (_name, _options, found) => found(null, [{ address: '169.254.169.254', family: 4 }]),
    });
    try {
      await expect(transport.fetch('http://litellm.internal/v1/models')).rejects.toMatchObject({
        code: 'ELINKLOCAL',
      });
    } finally {
      await transport.close();
    }
  });
});

function bearer(): Record<string, string> {
  return { authorization: `Bearer ${gateway.key}` };
}

function chat(model: string): object {
  return { model, messages: [{ role: 'user', content: 'x' }] };
}
