import { afterEach, describe, expect, test } from '@jest/globals';
import { configSchema, type Environment } from '../../../src/config/index.ts';
import { AppError, seededRandom, silentLogger, systemClock } from '../../../src/kernel/index.ts';
import { type CreatedRoutes, createRoutes, describeProviders } from '../../../src/providers/index.ts';
import { toModelParameters } from '../../../src/providers/target-parameters.ts';
import { normaliseBaseUrl } from '../../../src/providers/transport/index.ts';
import { NEVER_ABORTED, routeCall } from '../../helpers/route-for-test.ts';

const PROVIDERS = {
  litellm: {
    kind: 'openai',
    base_url_env: 'LITELLM_BASE_URL',
    api_key_env: 'LITELLM_API_KEY',
    requires_env: ['LITELLM_BASE_URL'],
  },
  openai: {
    kind: 'openai',
    base_url: 'https://api.openai.com/v1',
    api_key_env: 'OPENAI_API_KEY',
    requires_env: ['OPENAI_API_KEY'],
  },
  anthropic: { kind: 'anthropic' },
  offline: { kind: 'offline' },
};

const TARGETS = [
  { provider: 'litellm', model: 'auto', model_env: 'LITELLM_MODEL', order: 1 },
  { provider: 'openai', model: 'gpt-4o-mini', order: 2 },
  { provider: 'anthropic', model: 'claude-haiku-4-5', order: 3 },
];
const OFFLINE = { provider: 'offline', order: 9 };

function environmentOf(variables: Readonly<Record<string, string>>): Environment {
  return {
    port: null,
    host: null,
    databaseUrl: null,
    configPath: null,
    defaultPromptVersion: { everywhere: null, byPrompt: new Map() },
    logLevel: null,
    secret: (name) => variables[name] ?? null,
  };
}

const opened: CreatedRoutes[] = [];
afterEach(async () => {
  for (const routes of opened.splice(0)) await routes.close();
});

function routesOf(
  targets: readonly object[],
  variables: Readonly<Record<string, string>> = {},
  providers: object = PROVIDERS,
): CreatedRoutes {
  const routes = createRoutes({
    config: configSchema.parse({ providers, routes: { default: { targets } } }),
    environment: environmentOf(variables),
    clock: systemClock,
    random: seededRandom(1),
    logger: silentLogger,
    version: '0.0.0-test',
  });
  opened.push(routes);
  return routes;
}

function thrownBy(body: () => unknown): unknown {
  try {
    body();
  } catch (error) {
    return error;
  }
  throw new Error('expected an error');
}

describe('the routes of a configuration', () => {
  test('hold the targets whose variables are set, in order', () => {
    const routes = routesOf([...TARGETS].reverse(), {
      LITELLM_BASE_URL: 'http://127.0.0.1:4000',
      LITELLM_MODEL: 'house-model',
      ANTHROPIC_API_KEY: 'k',
    });

    expect(routes.get('default').targets).toEqual([
      { provider: 'litellm', model: 'house-model', weight: 1, order: 1 },
      { provider: 'anthropic', model: 'claude-haiku-4-5', weight: 1, order: 3 },
    ]);
    expect(routes.warnings).toEqual([]);
    expect(routes.health()).toHaveLength(2);
    expect(routes.health()[0]).toEqual({
      route: 'default',
      provider: 'litellm',
      model: 'house-model',
      circuit: 'closed',
      inFlight: 0,
      queued: 0,
    });
  });

  test('stay when nothing is set, and say at the call what to set', async () => {
    const routes = routesOf(TARGETS);

    const outcome = await routes.get('default').generate(routeCall(), NEVER_ABORTED);

    expect(routes.names()).toEqual(['default']);
    expect(routes.get('default').targets).toEqual([]);
    expect(routes.warnings).toEqual([
      expect.stringContaining('LITELLM_BASE_URL, or OPENAI_API_KEY, or ANTHROPIC_API_KEY'),
    ]);
    expect(outcome).toMatchObject({
      kind: 'failed',
      error: { code: 'provider_unavailable', message: expect.stringContaining('LITELLM_BASE_URL') },
    });
  });

  test('serve authored lines without any key, with a warning', async () => {
    const routes = routesOf([...TARGETS, OFFLINE]);

    const outcome = await routes
      .get('default')
      .generate(routeCall({ fallbackLines: ['Walk.'] }), NEVER_ABORTED);

    expect(outcome).toMatchObject({
      kind: 'answered',
      provider: 'offline',
      degraded: true,
      fellBack: false,
      attempts: [],
    });
    expect(routes.warnings).toEqual([expect.stringContaining('authored lines')]);
  });

  test('are found by name, or the known ones are listed', () => {
    const routes = routesOf([OFFLINE]);

    expect(thrownBy(() => routes.get('defualt'))).toMatchObject({
      code: 'route_not_found',
      message: expect.stringMatching(/did you mean "default".*Known routes: default/),
    });
  });

  test('are refused with all faults at once', () => {
    const error = thrownBy(() =>
      routesOf([{ provider: 'nobody' }, { provider: 'litellm' }], { LITELLM_BASE_URL: 'not a url' }),
    );

    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code: 'config_invalid' });
    expect((error as AppError).faults.map((fault) => fault.path)).toEqual([
      'routes.default.targets[0].provider',
      'providers.litellm',
    ]);
  });
});

test('parameters of a target are translated word by word', () => {
  expect(
    toModelParameters({
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      max_output_tokens: 80,
      stop: ['.'],
      seed: 7,
    }),
  ).toEqual({ temperature: 0.5, topP: 0.9, topK: 40, maxOutputTokens: 80, stopSequences: ['.'], seed: 7 });
  expect(toModelParameters(undefined)).toEqual({});
});

describe('the providers of a configuration', () => {
  const describeWith = (variables: Readonly<Record<string, string>>, providers: object = PROVIDERS) =>
    describeProviders(
      configSchema.parse({ providers, routes: { default: { targets: [OFFLINE] } } }),
      environmentOf(variables),
    );

  test('say which variables they miss, and never their values', () => {
    const described = describeWith({ OPENAI_API_KEY: 'sk-secret-value' });

    expect(described).toEqual([
      {
        name: 'litellm',
        kind: 'openai',
        inUse: false,
        reason: 'LITELLM_BASE_URL not set',
        missing: ['LITELLM_BASE_URL'],
      },
      { name: 'openai', kind: 'openai', inUse: true, reason: 'OPENAI_API_KEY set', missing: [] },
      {
        name: 'anthropic',
        kind: 'anthropic',
        inUse: false,
        reason: 'ANTHROPIC_API_KEY not set',
        missing: ['ANTHROPIC_API_KEY'],
      },
      { name: 'offline', kind: 'offline', inUse: true, reason: 'authored lines of the prompts', missing: [] },
    ]);
    expect(JSON.stringify(described)).not.toContain('sk-secret');
  });

  test('do without a key where the upstream is not the vendor’s own', () => {
    const [described] = describeWith(
      {},
      { anthropic: { kind: 'anthropic', base_url: 'http://127.0.0.1:4000' } },
    );

    expect(described?.inUse).toBe(true);
  });

  test.each([
    ['http://127.0.0.1:4000', 'http://127.0.0.1:4000/v1'],
    ['http://127.0.0.1:4000/', 'http://127.0.0.1:4000/v1'],
    ['https://example.org/openai/v1/', 'https://example.org/openai/v1'],
  ])('read base URL %s as %s', (written, expected) => {
    expect(normaliseBaseUrl(written, 'X', '/v1')).toBe(expected);
  });

  test.each(['ftp://example.org', 'http://user:pass@example.org', 'http://example.org/v1?key=1', 'nowhere'])(
    'refuse base URL %s without repeating it',
    (written) => {
      expect(thrownBy(() => normaliseBaseUrl(written, 'LITELLM_BASE_URL', '/v1'))).toMatchObject({
        code: 'config_invalid',
        message: expect.not.stringContaining(written),
      });
    },
  );
});
