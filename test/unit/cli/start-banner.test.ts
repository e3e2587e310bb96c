import { expect, test } from '@jest/globals';
import type { RunningGateway } from '../../../src/compose.ts';
import { startBanner } from '../../../src/start-banner.ts';

function bannerOf(config: object): string {
  return startBanner({
    url: 'http://127.0.0.1:8787',
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
