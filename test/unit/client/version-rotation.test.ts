import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createGatewayClient } from '../../../src/client/index.ts';
import { hashBucket, parseRotation } from '../../../src/client/version-rotation.ts';
import { seededRandom } from '../../../src/kernel/index.ts';
import { generation, type ScriptedGateway, startScriptedGateway } from './scripted-gateway.ts';

interface Bucketing {
  readonly cases: readonly {
    readonly seed: string;
    readonly coverage: number;
    readonly weights: readonly number[];
    readonly rows: readonly {
      readonly id: string;
      readonly inExperiment: boolean;
      readonly variationId: number;
      readonly bucket: number | null;
    }[];
  }[];
}

const bucketing = JSON.parse(
  readFileSync(new URL('../../fixtures/reference/growthbook_bucketing.json', import.meta.url), 'utf8'),
) as Bucketing;

const neverDrawn = (): number => {
  throw new Error('a sticky choice must not draw');
};

describe('the hash', () => {
  test('puts units into the buckets of the GrowthBook SDK', () => {
    const rows = bucketing.cases.flatMap(({ seed, rows: own }) =>
      own.filter(({ bucket }) => bucket !== null).map((row) => ({ seed, ...row })),
    );

    expect(rows.length).toBeGreaterThan(100);
    for (const { seed, id, bucket } of rows) {
      expect([id, hashBucket(seed, id) / 10_000]).toEqual([id, bucket]);
    }
  });

  test('chooses among equal shares like the GrowthBook SDK', () => {
    const equal = bucketing.cases.filter(
      ({ coverage, weights }) => coverage === 1 && new Set(weights).size === 1,
    );

    expect(equal.length).toBeGreaterThan(0);
    for (const { seed, weights, rows } of equal) {
      const rotation = parseRotation(weights.map((_weight, index) => `v${index}`).join(','), seed);
      for (const { id, variationId } of rows.filter(({ inExperiment }) => inExperiment)) {
        expect(rotation?.choose(id, neverDrawn).promptVersion).toBe(`v${variationId}`);
      }
    }
  });
});

describe('a rotation', () => {
  test('is sticky per user and states its share', () => {
    const rotation = parseRotation('v1, v2 ,v3', 'tip');

    const choices = Array.from({ length: 20 }, () => rotation?.choose('user-7', neverDrawn));

    expect(new Set(choices.map((choice) => choice?.promptVersion)).size).toBe(1);
    expect(choices[0]?.assignment).toEqual({
      method: 'client_rotation',
      unit: 'user_id',
      propensity: 1 / 3,
    });
  });

  test('gives users their shares', () => {
    const rotation = parseRotation('v1,v1,v2', 'tip');
    const counts = new Map<string, number>();
    for (let user = 0; user < 9_000; user += 1) {
      const choice = rotation?.choose(`user-${user}`, neverDrawn);
      counts.set(choice?.promptVersion ?? '', (counts.get(choice?.promptVersion ?? '') ?? 0) + 1);
    }

    // 3.3 standard deviations of a binomial share of 9,000.
    expect(Math.abs((counts.get('v1') ?? 0) / 9_000 - 2 / 3)).toBeLessThan(0.0165);
    expect([...counts.keys()].sort()).toEqual(['v1', 'v2']);
  });

  test('a value listed twice is twice as likely, and says so', () => {
    const rotation = parseRotation('v1,v1,v2', 'tip');

    expect(rotation?.choose(undefined, () => 0.5)).toEqual({
      promptVersion: 'v1',
      assignment: { method: 'client_rotation', unit: null, propensity: 2 / 3 },
    });
    expect(rotation?.choose(undefined, () => 0.9)).toMatchObject({
      promptVersion: 'v2',
      assignment: { propensity: 1 / 3 },
    });
  });

  test('without a user, or with an empty one, is drawn uniformly', () => {
    const random = seededRandom(3);
    const rotation = parseRotation('v1,v2', 'tip');
    let first = 0;
    for (let call = 0; call < 4_000; call += 1) {
      if (rotation?.choose('', random.next).promptVersion === 'v1') first += 1;
    }

    expect(Math.abs(first / 4_000 - 0.5)).toBeLessThan(0.026);
  });

  test('another seed assigns users anew', () => {
    const one = parseRotation('v1,v2', 'tip');
    const other = parseRotation('v1,v2', 'tip-second');
    const users = Array.from({ length: 1_000 }, (_, user) => `user-${user}`);

    const moved = users.filter(
      (user) => one?.choose(user, neverDrawn).promptVersion !== other?.choose(user, neverDrawn).promptVersion,
    ).length;

    expect(Math.abs(moved / 1_000 - 0.5)).toBeLessThan(0.052);
  });

  test('one value is a certain choice, a label is left to the gateway, nothing is no rotation', () => {
    expect(parseRotation('v2', 'tip')?.choose('u', neverDrawn)).toEqual({
      promptVersion: 'v2',
      assignment: { method: 'client_fixed', unit: null, propensity: 1 },
    });
    expect(parseRotation('v2,v2', 'tip')?.choose('u', neverDrawn).assignment?.method).toBe('client_fixed');
    expect(parseRotation('@live', 'tip')?.choose('u', neverDrawn)).toEqual({
      promptVersion: '@live',
      assignment: null,
    });
    expect(parseRotation(' ', 'tip')).toBeNull();
  });

  test.each(['v1,', ',v1', 'v1,,v2', ','])('refuses %j', (text) => {
    expect(() => parseRotation(text, 'tip')).toThrow(/TIP_PROMPT_VERSION/);
  });
});

describe('in the client', () => {
  let gateway: ScriptedGateway | undefined;
  const before = process.env['TIP_PROMPT_VERSION'];

  afterEach(async () => {
    await gateway?.close();
    if (before === undefined) delete process.env['TIP_PROMPT_VERSION'];
    else process.env['TIP_PROMPT_VERSION'] = before;
  });

  test('is read from TIP_PROMPT_VERSION, holds for the prompt tip only, and names it', async () => {
    gateway = await startScriptedGateway(generation);
    process.env['TIP_PROMPT_VERSION'] = 'v2';
    const client = createGatewayClient({ baseUrl: gateway.url });

    await client.generate({});
    await client.generate({ prompt: 'tip', userId: 'u1' });
    await client.generate({ prompt: 'digest' });

    const assignment = { method: 'client_fixed', unit: null, propensity: 1 };
    expect(gateway.requests.map(({ body }) => body)).toEqual([
      { prompt: 'tip', prompt_version: 'v2', assignment },
      { prompt: 'tip', prompt_version: 'v2', assignment, user_id: 'u1' },
      { prompt: 'digest' },
    ]);
  });

  test('an option wins over the environment, null switches it off', async () => {
    gateway = await startScriptedGateway(generation);
    process.env['TIP_PROMPT_VERSION'] = 'v2';

    await createGatewayClient({ baseUrl: gateway.url, tipPromptVersion: '@live' }).generate({});
    await createGatewayClient({ baseUrl: gateway.url, tipPromptVersion: null }).generate({});

    expect(gateway.requests.map(({ body }) => body)).toEqual([
      { prompt: 'tip', prompt_version: '@live' },
      {},
    ]);
  });
});
