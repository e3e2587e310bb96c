import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { type ConfigFault, loadConfig, readEnvironment } from '../../../src/config/index.ts';
import { AppError } from '../../../src/kernel/index.ts';

/** The smallest sound configuration. */
const SMALLEST = {
  providers: { offline: { kind: 'offline' } },
  routes: { default: { targets: [{ provider: 'offline' }] } },
};

let directory: string;
let file: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'gateway-config-'));
  file = join(directory, 'gateway.config.json');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function load(content: unknown, variables: Record<string, string> = {}) {
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content, null, 2));
  const { environment, faults } = readEnvironment(variables);
  return loadConfig({ path: file, environment, environmentFaults: faults });
}

/** `place message` of every fault, the file's own path left out; empty when the file is sound. */
function faultsOf(content: unknown, variables: Record<string, string> = {}): readonly string[] {
  return rawFaultsOf(content, variables).map(
    ({ path, message }) => `${path.replace(`${file}:`, '')} ${message}`,
  );
}

function rawFaultsOf(content: unknown, variables: Record<string, string> = {}): readonly ConfigFault[] {
  try {
    load(content, variables);
    return [];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    expect(error.code).toBe('config_invalid');
    return error.faults as readonly ConfigFault[];
  }
}

/** The smallest configuration with `changes` merged in at the top. */
const withTop = (changes: Record<string, unknown>): unknown => ({ ...SMALLEST, ...changes });
const withRoute = (changes: Record<string, unknown>): unknown =>
  withTop({ routes: { default: { ...SMALLEST.routes.default, ...changes } } });

describe('loadConfig', () => {
  test('fills in defaults and freezes everything', () => {
    const { config } = load(SMALLEST);

    expect(config.server.port).toBe(8787);
    expect(config.server.host).toBe('127.0.0.1');
    expect(config.routes['default']?.timeout.total_ms).toBe(60_000);
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.routes['default']?.targets[0])).toBe(true);
    expect(() => {
      config.server.port = 1;
    }).toThrow(TypeError);
  });

  test('resolves what is relative from the folder of the file', () => {
    const loaded = load(
      withTop({ prompts: { directory: 'my-prompts' }, ledger: { database_url: 'sqlite:a/b.db' } }),
    );

    expect(loaded.file).toBe(file);
    expect(loaded.directory).toBe(directory);
    expect(loaded.promptsDirectory).toBe(join(directory, 'my-prompts'));
    expect(loaded.databaseFile).toBe(join(directory, 'a/b.db'));
  });

  test.each([
    ['sqlite:/var/lib/g.db', '/var/lib/g.db'],
    ['sqlite:///var/lib/g.db', '/var/lib/g.db'],
    ['SQLITE:/x.db', '/x.db'],
  ])('reads the absolute database URL %s', (url, path) => {
    expect(load(SMALLEST, { DATABASE_URL: url }).databaseFile).toBe(path);
  });

  test('gives the same hash for the same meaning, whatever the order, the white space and the environment', () => {
    const { hash } = load(SMALLEST);
    const reordered = `{"routes":${JSON.stringify(SMALLEST.routes)},\n\n"providers":${JSON.stringify(SMALLEST.providers)}}`;

    expect(hash).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(load(reordered, { PORT: '1234' }).hash).toBe(hash);
    expect(load(withTop({ server: { port: 8787 } })).hash).toBe(hash);
    expect(load(withTop({ $schema: './elsewhere.json' })).hash).toBe(hash);
    expect(load(withTop({ server: { port: 8788 } })).hash).not.toBe(hash);
  });

  test('lets the environment override the file and keeps the origin of each value', () => {
    const { config, origins } = load(withTop({ server: { port: 1111, host: 'localhost' } }), {
      PORT: '0',
      LOG_LEVEL: 'debug',
      DATABASE_URL: 'sqlite:elsewhere.db',
    });

    expect(config.server).toMatchObject({ port: 0, host: 'localhost' });
    expect(config.log.level).toBe('debug');
    expect(config.ledger.database_url).toBe('sqlite:elsewhere.db');
    expect(origins.get('server.port')).toBe('environment PORT');
    expect(origins.get('server.host')).toBe('file');
    expect(origins.get('server.max_body_bytes')).toBe('default');
    expect(origins.get('log.level')).toBe('environment LOG_LEVEL');
    expect(origins.get('ledger.database_url')).toBe('environment DATABASE_URL');
  });

  test('says how to get a file when there is none', () => {
    const { environment } = readEnvironment({});
    const path = join(directory, 'absent.json');

    expect(() => loadConfig({ path, environment })).toThrow(
      expect.objectContaining({
        code: 'config_invalid',
        faults: [expect.objectContaining({ path, message: expect.stringContaining('GATEWAY_CONFIG') })],
      }),
    );
  });

  test('the example of that message is a sound configuration', () => {
    const { environment } = readEnvironment({ GATEWAY_CONFIG: join(directory, 'absent.json') });
    let message = '';
    try {
      loadConfig({ environment });
    } catch (error) {
      message = error instanceof AppError ? (error.faults[0]?.message ?? '') : '';
    }

    expect(faultsOf(message.slice(message.indexOf('{')))).toEqual([]);
  });

  test('refuses a folder in place of the file', () => {
    const { environment } = readEnvironment({});

    expect(() => loadConfig({ path: directory, environment })).toThrow(
      expect.objectContaining({ code: 'config_invalid' }),
    );
  });

  test('reports malformed JSON with line and column, together with the environment', () => {
    expect(faultsOf('{\n  "server": {,}\n}', { PORT: 'x' })).toEqual([
      'PORT expected a whole number from 0 to 65535, got "x"',
      '2:14 malformed JSON: expected a key in double quotes, found ","',
    ]);
  });

  test('reports every fault of schema, references and environment at once, in reading order', () => {
    const content = `{
  "metircs": {},
  "server": { "port": "8787" },
  "providers": { "openai": { "kind": "opnai" }, "offline": { "kind": "offline" } },
  "routes": { "default": { "targets": [{ "provider": "offline" }, { "provider": "ofline" }] } },
  "default_route": "defualt"
}`;

    expect(faultsOf(content, { LOG_LEVEL: 'inf' })).toEqual([
      'LOG_LEVEL there is no level "inf" (did you mean "info"?)',
      '2:3 metircs: unknown key "metircs" (did you mean "metrics"?)',
      '3:15 server.port: expected a number, got "8787": write it without quotes',
      '4:30 providers.openai.kind: expected one of "openai", "anthropic", "offline", got "opnai" (did you mean "openai"?)',
      '5:69 routes.default.targets[1].provider: no provider is named "ofline" (did you mean "offline"?)',
      '6:3 default_route: no route is named "defualt" (did you mean "default"?)',
    ]);
  });

  test('keeps the parts of a fault apart for tools', () => {
    expect(rawFaultsOf(withTop({ default_route: 'x' }), { PORT: 'x' })).toEqual([
      expect.objectContaining({ variable: 'PORT', jsonPath: null, line: null, column: null }),
      expect.objectContaining({ variable: null, jsonPath: 'default_route', line: 16, column: 3 }),
    ]);
  });

  test.each<[string, unknown, string]>([
    ['a key of another section', withRoute({ total_ms: 5 }), 'it belongs into "timeout"'],
    ['an unknown key without a near one', withTop({ server: { zzz: 1 } }), 'known keys: host, port'],
    [
      'a fraction for a count',
      withRoute({ retries: { max_attempts: 1.5 } }),
      'expected a whole number, got 1.5',
    ],
    ['a value out of range', withTop({ server: { port: 70_000 } }), 'must be at most 65535, got 70000'],
    ['an empty list of targets', withRoute({ targets: [] }), 'needs at least 1 entry'],
    ['no providers', { routes: SMALLEST.routes }, 'providers: required: an object'],
    ['null for a section', withTop({ ledger: null }), 'ledger: expected an object, got null'],
    ['a list for the whole', [], 'expected an object, got a list'],
    [
      'a bad name',
      withTop({ providers: { offline: { kind: 'offline' }, Big: { kind: 'offline' } } }),
      'a name has 1 to 64',
    ],
    [
      'a float metric without room',
      withTop({ metrics: { m: { type: 'float', min: 1, max: 1 } } }),
      '"min" (1) must be below "max" (1)',
    ],
    [
      'no category',
      withTop({ metrics: { m: { type: 'categorical', values: {} } } }),
      'needs at least one category',
    ],
    ['no metric at all', withTop({ metrics: {} }), 'declare at least one metric'],
    [
      'an undeclared primary metric',
      withTop({ prompts: { settings: { tip: { primary_metric: 'complete' } } } }),
      'did you mean "completed"?',
    ],
    [
      'more tries at one target than in all',
      withRoute({ retries: { attempts_per_target: 4 } }),
      '4 is more than "max_attempts" (3, its default)',
    ],
    [
      'a first token after the deadline',
      withRoute({ timeout: { first_token_ms: 9, total_ms: 8 } }),
      '9 is more than "total_ms" (8)',
    ],
    [
      'a longer wait than the longest',
      withRoute({ retries: { backoff_ms: 10_000 } }),
      '10000 is more than "max_backoff_ms" (5000, its default)',
    ],
    [
      'another database',
      withTop({ ledger: { database_url: 'postgres://u:hunter2@h/d' } }),
      'only sqlite: is supported by this build, not postgres:',
    ],
    ['a database in memory', withTop({ ledger: { database_url: 'sqlite::memory:' } }), 'name a file'],
    ['a path without scheme', withTop({ ledger: { database_url: 'data.db' } }), 'write it as sqlite:PATH'],
    ['a host with a port', withTop({ server: { allowed_hosts: ['a.example:8080'] } }), 'not a host name'],
    [
      'a redaction outside the variables',
      withTop({ ledger: { redact: ['user.email'] } }),
      'must begin with variables.',
    ],
    [
      'a proxy that is no address',
      withTop({ server: { trusted_proxies: ['proxy.internal'] } }),
      'neither an address nor a network',
    ],
    ['a redaction of nothing', withTop({ ledger: { redact: ['variables.'] } }), 'names nothing below'],
    [
      'a certificate file that is absent',
      withTop({ network: { ca_files: ['absent.pem'] } }),
      'there is no file',
    ],
    [
      'a unit hash key that is unset',
      withTop({ ledger: { unit_hash_key_env: 'UNIT_KEY' } }),
      'UNIT_KEY is not set',
    ],
    [
      'an unknown parameter',
      withRoute({ targets: [{ provider: 'offline', parameters: { max_tokens: 3 } }] }),
      'unknown key "max_tokens"',
    ],
    [
      'a provider without address',
      withTop({ providers: { ...SMALLEST.providers, p: { kind: 'openai' } } }),
      'needs "base_url" or "base_url_env"',
    ],
    [
      'another protocol',
      withTop({ providers: { ...SMALLEST.providers, p: { kind: 'openai', base_url: 'ftp://x' } } }),
      'http:// or https://',
    ],
    [
      'a query in a base URL',
      withTop({ providers: { ...SMALLEST.providers, p: { kind: 'openai', base_url: 'http://x/?a=1' } } }),
      'neither "?" nor "#"',
    ],
  ])('refuses %s', (_case, content, message) => {
    const faults = faultsOf(content);

    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(message);
  });

  test.each<[string, unknown, Record<string, string>]>([
    [
      'a key pasted in place of its variable',
      withTop({
        providers: {
          ...SMALLEST.providers,
          p: { kind: 'openai', base_url: 'http://x', api_key_env: 'sk-hunter2' },
        },
      }),
      {},
    ],
    [
      'a password in a base URL',
      withTop({
        providers: { ...SMALLEST.providers, p: { kind: 'openai', base_url: 'http://u:hunter2@x' } },
      }),
      {},
    ],
    ['a password in the database URL', SMALLEST, { DATABASE_URL: 'postgres://u:hunter2@h/d' }],
    [
      'a key under an unknown name',
      withTop({ providers: { offline: { kind: 'offline', api_key: 'hunter2' } } }),
      {},
    ],
    [
      'a broken base URL of the environment',
      withTop({ providers: { ...SMALLEST.providers, p: { kind: 'openai', base_url_env: 'P_URL' } } }),
      { P_URL: 'u:hunter2@x' },
    ],
  ])('refuses %s without repeating it', (_case, content, variables) => {
    const faults = faultsOf(content, variables);

    expect(faults).toHaveLength(1);
    expect(faults[0]).not.toContain('hunter2');
  });

  test('lowers a default that exceeds a written bound, and only that', () => {
    const { config } = load(withRoute({ timeout: { total_ms: 5_000 }, retries: { max_attempts: 1 } }));

    expect(config.routes['default']?.timeout).toEqual({
      total_ms: 5_000,
      first_token_ms: 5_000,
      idle_ms: 5_000,
      connect_ms: 3_000,
    });
    expect(config.routes['default']?.retries).toMatchObject({ attempts_per_target: 1, max_attempts: 1 });
  });

  test('does not report what only follows from another fault', () => {
    const content = withTop({
      metrics: {
        completed: { type: 'boolean', optimise: 'max' },
        other: { type: 'float', min: 'a', max: 0 },
      },
      prompts: { settings: { tip: { primary_metric: 'other' } } },
    });

    expect(faultsOf(content).map((fault) => fault.replace(/^\S+ /, ''))).toEqual([
      'metrics.completed.optimise: unknown key "optimise" (did you mean "optimize"?)',
      'metrics.other.min: expected a number, got "a"',
    ]);
  });

  test('warns of a provider that no route uses', () => {
    const { warnings } = load(
      withTop({ providers: { ...SMALLEST.providers, spare: { kind: 'anthropic' } } }),
    );

    expect(warnings).toEqual([
      expect.objectContaining({ message: 'providers.spare: no route has a target with this provider' }),
    ]);
  });

  test('never answers anything but a configuration or faults with their place, whatever the file holds', () => {
    const key = fc.constantFrom(
      'server',
      'prompts',
      'metrics',
      'providers',
      'routes',
      'default',
      'targets',
      'kind',
      'port',
      'x',
    );
    const { tree } = fc.letrec((tie) => ({
      leaf: fc.oneof(
        fc.constantFrom('offline', 'openai', 'boolean', '', null, 0, -1, true),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
      ),
      tree: fc.oneof(
        { depthSize: 'small' },
        tie('leaf'),
        fc.dictionary(key, tie('tree'), { maxKeys: 4 }),
        fc.array(tie('tree'), { maxLength: 2 }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(key, tree, { maxKeys: 6 }), (content) => {
        for (const fault of rawFaultsOf(content)) {
          expect(fault.line).toBeGreaterThan(0);
          expect(fault.message).not.toBe('');
        }
      }),
    );
  });
});
