import { describe, expect, test } from '@jest/globals';
import type { RunningGateway } from '../../../src/compose/index.ts';
import { startBanner } from '../../../src/compose/index.ts';

function bannerOf(config: object, isOpen = true): string {
  return startBanner({
    url: 'http://127.0.0.1:8787',
    signInUrl: 'http://127.0.0.1:8787/admin/sign-in#token',
    isOpen,
    config: { databaseFile: 'gateway.db', config: { ledger: { durability: 'commit' }, ...config } },
    prompts: { current: () => ({ prompts: [{ name: 'tip', versions: [{ version: 'v1' }] }] }) },
    providers: [],
    warnings: [],
  } as unknown as RunningGateway); // the fields a banner shows
}

const boolean = (optimize: string) => ({ type: 'boolean', optimize });

test.each([
  [{ completed: boolean('max') }, '"metric":"completed","value":true'],
  [{ annoyed: boolean('min') }, '"metric":"annoyed","value":false'],
  [{ stars: { type: 'float', min: 1, max: 5, optimize: 'max' } }, '"metric":"stars","value":5'],
  [{ mood: { type: 'categorical', values: { love: 1, dismiss: 0 }, optimize: 'max' } }, '"value":"love"'],
])('offers commands that fit the declared metric %j', (metrics, outcome) => {
  const banner = bannerOf({ metrics, prompts: { default: 'digest', settings: {} } });

  expect(banner).toContain(`-d '{"prompt":"digest","variables":{},"external_id":"digest-1"}'`);
  expect(banner).toContain(`-d '{"external_id":"digest-1",`);
  expect(banner).toContain(outcome);
});

test("offers the default prompt's own metric first", () => {
  const metrics = { completed: boolean('max'), opened: boolean('max') };
  const prompts = { default: 'tip', settings: { tip: { primary_metric: 'opened' } } };

  expect(bannerOf({ metrics, prompts })).toContain('"metric":"opened"');
});

describe('says who may use it, and how to sign in', () => {
  const config = { metrics: {}, prompts: { default: 'tip', settings: {} } };

  test('without keys', () => {
    const banner = bannerOf(config);

    expect(banner).toContain('access     open, because it listens on loopback only\n');
    expect(banner).toContain(
      'sign in    http://127.0.0.1:8787/admin/sign-in#token (once, within 10 minutes)\n',
    );
    expect(banner).not.toContain('authorization');
  });

  test('with keys, and its commands then carry one', () => {
    const banner = bannerOf(config, false);

    expect(banner).toContain('access     API keys\n');
    expect(banner).toContain('/admin/sign-in#token');
    expect(banner).toContain(
      'curl -s http://127.0.0.1:8787/generate -H "authorization: Bearer $PROMPT_GATEWAY_KEY"',
    );
  });
});
