import { afterEach, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { createGatewayClient } from '../../src/client/index.ts';
import {
  startGatewayForTest,
  type TestGateway,
  type TestGatewayOptions,
} from '../helpers/gateway-for-test.ts';

const open: TestGateway[] = [];
afterEach(async () => {
  for (const gateway of open.splice(0)) await gateway.dispose();
});

async function gatewayWith(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const gateway = await startGatewayForTest(options);
  open.push(gateway);
  return gateway;
}

const LIVE_V1 = { labels: { tip: { live: 'v1' } } };
const TO_V2 = { version: 'v2', reason: 'v2 won the comparison' };
const generate = (gateway: TestGateway, version?: string) =>
  gateway.post('/generate', { prompt: 'tip', prompt_version: version });

describe('labels in the whole gateway', () => {
  test('a call by label gets the version it points to, at once after a move and after the move back', async () => {
    const gateway = await gatewayWith({ config: LIVE_V1 });
    const answers = [await generate(gateway, '@live')];

    const moved = await gateway.put('/prompts/tip/labels/live', TO_V2);
    answers.push(await generate(gateway, '@live'));
    await gateway.put('/prompts/tip/labels/live', { version: 'v1', reason: 'v2 made it worse' });
    answers.push(await generate(gateway, '@live'));

    expect(answers.map(({ json }) => [json.prompt_version, json.label, json.version_source])).toEqual([
      ['v1', 'live', 'body'],
      ['v2', 'live', 'body'],
      ['v1', 'live', 'body'],
    ]);
    expect(moved.json.hash).toBe(answers[1]?.json.prompt_hash);
    const { json: stored } = await gateway.get(`/generations/${answers[1]?.json.id}`);
    expect(stored).toMatchObject({ label: 'live', prompt_version: 'v2', forced: false });
    const { json: label } = await gateway.get('/prompts/tip/labels/live');
    expect(label.history.map(({ reason }: { reason: string }) => reason)).toEqual([
      'v2 made it worse',
      'v2 won the comparison',
      'first value from the configuration',
    ]);
  });

  test('the environment may name a label, and an unknown one is refused with the known ones', async () => {
    const gateway = await gatewayWith({
      config: LIVE_V1,
      environment: { DEFAULT_PROMPT_VERSION: 'tip=@live' },
    });
    await gateway.put('/prompts/tip/labels/live', TO_V2);

    expect((await generate(gateway)).json).toMatchObject({
      prompt_version: 'v2',
      label: 'live',
      version_source: 'env',
    });
    expect(await generate(gateway, '@lvie')).toMatchObject({
      status: 404,
      json: { code: 'label_not_found', known: ['@live'] },
    });
  });

  test('the client and an OpenAI client may name a label', async () => {
    const gateway = await gatewayWith({ config: LIVE_V1 });
    await gateway.put('/prompts/tip/labels/live', TO_V2);
    const client = createGatewayClient({ baseUrl: gateway.url, tipPromptVersion: null });
    const rotating = createGatewayClient({ baseUrl: gateway.url, tipPromptVersion: '@live' });
    const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'unused' });

    const called = await client.generate({ prompt: 'tip', promptVersion: '@live' });
    const deployed = await rotating.generate({ userId: 'u1' });
    const { data: completion } = await openai.chat.completions
      .create({ model: 'prompt/tip@@live', messages: [] })
      .withResponse();

    expect(called).toMatchObject({ promptVersion: 'v2', label: 'live' });
    expect(deployed).toMatchObject({ promptVersion: 'v2', label: 'live' });
    expect(completion).toMatchObject({ gateway: { prompt_version: 'v2', label: 'live' } });
  });

  test('a preview by label renders the version it points to', async () => {
    const gateway = await gatewayWith({ config: LIVE_V1 });

    const { json } = await gateway.post('/prompts/tip/render', { prompt_version: '@live' });

    expect(json).toMatchObject({ prompt_version: 'v1', label: 'live' });
  });

  test('a move outlives a restart: the configured value does not come back, and the start says so', async () => {
    const first = await startGatewayForTest({ config: LIVE_V1 });
    await first.put('/prompts/tip/labels/live', TO_V2);
    await first.close();

    const second = await gatewayWith({ config: LIVE_V1, directory: first.directory });

    expect((await generate(second, '@live')).json.prompt_version).toBe('v2');
    expect(second.warnings).toContainEqual({
      path: 'labels.tip.live',
      message: expect.stringContaining('first values only'),
    });
  });

  test('a configured value that names nothing refuses the start, with its place and the known ones', async () => {
    const started = startGatewayForTest({ config: { labels: { tip: { live: 'v9' } } } });

    await expect(started).rejects.toMatchObject({
      code: 'config_invalid',
      faults: [{ path: 'labels.tip.live', message: expect.stringContaining('known: v1, v2') }],
    });
  });

  test('of moves at one moment that saw the same state one wins, and the others learn what won', async () => {
    const gateway = await gatewayWith({ config: LIVE_V1 });
    const { json: before } = await gateway.get('/prompts/tip/labels/live');

    const answers = await Promise.all(
      ['v2', 'v3', 'v2', 'v3'].map((version, index) =>
        gateway.put('/prompts/tip/labels/live', {
          version,
          reason: `attempt ${index}`,
          expected_sequence: before.sequence,
        }),
      ),
    );

    const winner = answers.find(({ status }) => status === 200)?.json;
    const losers = answers.filter(({ status }) => status === 409);
    expect(losers).toHaveLength(3);
    for (const { json } of losers) {
      expect(json.current).toMatchObject({ target: winner.target, reason: winner.reason });
    }
  });
});
