import { afterEach, describe, expect, test } from '@jest/globals';
import { configSchema, type Environment } from '../../src/config/index.ts';
import { silentLogger, systemClock, systemRandom } from '../../src/kernel/index.ts';
import { createRoutes, type Route } from '../../src/providers/index.ts';
import { collectRoute, NEVER_ABORTED, routeCall } from '../helpers/route-for-test.ts';
import {
  STUB_TEXT,
  type StubBehaviour,
  type StubUpstream,
  startStubUpstream,
} from '../helpers/stub-upstream.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A configured route over real sockets: one upstream per behaviour, in order, and authored lines at the end. */
async function routeOver(
  behaviours: readonly StubBehaviour[],
  settings: object = {},
): Promise<{ readonly route: Route; readonly upstreams: readonly StubUpstream[] }> {
  const upstreams = await Promise.all(behaviours.map((behaviour) => startStubUpstream(behaviour)));
  cleanups.push(async () => void (await Promise.all(upstreams.map((upstream) => upstream.close()))));
  const environment: Environment = {
    port: null,
    host: null,
    databaseUrl: null,
    configPath: null,
    defaultPromptVersion: { everywhere: null, byPrompt: new Map() },
    logLevel: null,
    secret: () => null,
  };
  const names = upstreams.map((_, index) => `upstream-${index}`);
  const routes = createRoutes({
    config: configSchema.parse({
      providers: {
        ...Object.fromEntries(
          upstreams.map(({ origin }, index) => [names[index], { kind: 'openai', base_url: origin }]),
        ),
        offline: { kind: 'offline' },
      },
      routes: {
        default: {
          targets: [
            ...names.map((provider, index) => ({ provider, order: index + 1 })),
            { provider: 'offline', order: 99 },
          ],
          retries: { backoff_ms: 5 },
          ...settings,
        },
      },
    }),
    environment,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    version: '0.0.0-test',
  });
  cleanups.push(() => routes.close());
  return { route: routes.get('default'), upstreams };
}

describe('a configured route over real sockets', () => {
  test('goes around an upstream that sends pages, and names the model that answered', async () => {
    const { route } = await routeOver(['html', 'ok']);

    expect(await route.generate(routeCall(), NEVER_ABORTED)).toMatchObject({
      kind: 'answered',
      provider: 'upstream-1',
      modelRequested: 'auto',
      fellBack: true,
      result: { text: STUB_TEXT, model: 'stub-model' },
      attempts: [{ outcome: 'bad_response' }, { outcome: 'ok' }],
    });
  });

  test('keeps its deadline within 100 ms and closes the socket of a silent upstream', async () => {
    const { route, upstreams } = await routeOver(['slow'], { timeout: { total_ms: 300 } });
    const startedAtMs = performance.now();

    const outcome = await route.generate(routeCall(), NEVER_ABORTED);
    const tookMs = performance.now() - startedAtMs;
    await upstreams[0]?.cancelled();

    expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'provider_timeout' } });
    expect(tookMs).toBeGreaterThanOrEqual(299);
    expect(tookMs).toBeLessThan(400);
  });

  test('gives up on a stream that falls silent, keeping what it sent', async () => {
    const { route, upstreams } = await routeOver(['hang-after-content'], { timeout: { idle_ms: 150 } });

    const { text, outcome } = await collectRoute(route.stream(routeCall(), NEVER_ABORTED));
    await upstreams[0]?.cancelled();

    expect(text).toBe('Take a');
    expect(outcome).toMatchObject({
      kind: 'failed',
      error: { code: 'provider_timeout' },
      partial: { text: 'Take a', provider: 'upstream-0' },
    });
  });

  test('starts a stream anew elsewhere only while nothing was sent', async () => {
    const { route: untouched } = await routeOver(['server-error', 'ok']);
    const { route: begun } = await routeOver(['cut', 'ok']);

    const whole = await collectRoute(untouched.stream(routeCall(), NEVER_ABORTED));
    const broken = await collectRoute(begun.stream(routeCall(), NEVER_ABORTED));

    expect(whole).toMatchObject({ text: STUB_TEXT, outcome: { kind: 'answered', provider: 'upstream-1' } });
    expect(broken).toMatchObject({ text: 'Take a', outcome: { kind: 'failed' } });
    expect(broken.outcome.attempts).toHaveLength(1);
  });

  test('closes the upstream’s socket within 100 ms when the caller leaves', async () => {
    const { route, upstreams } = await routeOver(['slow']);
    const caller = new AbortController();
    const call = route.generate(routeCall({ modelOverride: 'model-a' }), caller.signal);
    while (upstreams[0]?.requests.length === 0) await new Promise<void>((resolve) => setTimeout(resolve, 5));

    const leftAtMs = performance.now();
    caller.abort();
    await upstreams[0]?.cancelled();
    const tookMs = performance.now() - leftAtMs;

    expect(await call).toMatchObject({ kind: 'failed', error: { code: 'client_closed' } });
    expect(tookMs).toBeLessThan(100);
  });

  test('serves authored lines when every upstream is down', async () => {
    const { route, upstreams } = await routeOver(['server-error', 'server-error']);

    const outcome = await route.generate(routeCall({ fallbackLines: ['Walk.'] }), NEVER_ABORTED);

    expect(outcome).toMatchObject({ kind: 'answered', degraded: true, result: { text: 'Walk.' } });
    expect(
      upstreams.map((upstream) => upstream.requests.filter(({ method }) => method === 'POST').length),
    ).toEqual([2, 1]);
  });
});
