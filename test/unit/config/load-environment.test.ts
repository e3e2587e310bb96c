import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { loadEnvironment, readEnvironment } from '../../../src/config/index.ts';
import { AppError } from '../../../src/kernel/index.ts';

function faultsOf(variables: Record<string, string>) {
  return readEnvironment(variables).faults.map(({ path, message }) => `${path}: ${message}`);
}

describe('loadEnvironment', () => {
  test('counts empty and blank as unset', () => {
    const environment = loadEnvironment({
      PORT: '',
      HOST: '  ',
      DATABASE_URL: '\n',
      DEFAULT_PROMPT_VERSION: '',
      OPENAI_API_KEY: ' ',
    });

    expect(environment.port).toBeNull();
    expect(environment.host).toBeNull();
    expect(environment.databaseUrl).toBeNull();
    expect(environment.defaultPromptVersion).toEqual({ everywhere: null, byPrompt: new Map() });
    expect(environment.secret('OPENAI_API_KEY')).toBeNull();
    expect(environment.secret('NEVER_SET')).toBeNull();
  });

  test('removes the line break that secrets from files end in', () => {
    expect(loadEnvironment({ OPENAI_API_KEY: 'sk-1\n' }).secret('OPENAI_API_KEY')).toBe('sk-1');
  });

  test('knows no variable by the name of an object property', () => {
    expect(loadEnvironment({}).secret('constructor')).toBeNull();
    expect(loadEnvironment({}).secret('__proto__')).toBeNull();
  });

  test('does not change when the variables change afterwards', () => {
    const variables: Record<string, string> = { KEY: 'before' };
    const environment = loadEnvironment(variables);
    variables['KEY'] = 'after';

    expect(environment.secret('KEY')).toBe('before');
  });

  test.each([
    ['0', 0],
    ['65535', 65_535],
    [' 8080 ', 8080],
  ])('reads PORT %j', (text, port) => {
    expect(loadEnvironment({ PORT: text }).port).toBe(port);
  });

  test.each(['65536', '-1', '80.5', '8o80', '0x50', '1e3', '999999', 'http'])('refuses PORT %j', (text) => {
    expect(faultsOf({ PORT: text })).toEqual([
      `PORT: expected a whole number from 0 to 65535, got ${JSON.stringify(text)}`,
    ]);
  });

  test.each([
    ['v2', 'v2', {}],
    ['@live', '@live', {}],
    ['tip=v2,digest=@live', null, { tip: 'v2', digest: '@live' }],
    ['v1,tip=v2', 'v1', { tip: 'v2' }],
    [' tip = v2 , 2026-11-warm ', '2026-11-warm', { tip: 'v2' }],
  ])('reads DEFAULT_PROMPT_VERSION %j', (text, everywhere, byPrompt) => {
    expect(loadEnvironment({ DEFAULT_PROMPT_VERSION: text }).defaultPromptVersion).toEqual({
      everywhere,
      byPrompt: new Map(Object.entries(byPrompt)),
    });
  });

  test.each([
    ['v1,', 'an entry is empty'],
    [',', 'an entry is empty'],
    ['v1,v2', '"v1" and "v2" both stand for every prompt'],
    ['tip=v1,tip=v2', 'the prompt "tip" stands twice'],
    ['tip=', '"" is neither a version'],
    ['=v2', '"" is not the name of a prompt'],
    ['Tip=v2', '"Tip" is not the name of a prompt'],
    ['tip=v1=v2', 'more than one "="'],
    ['v 2', '"v 2" is neither a version'],
    ['@', '"@" is neither a version'],
    ['@@live', '"@@live" is neither a version'],
    ['v2;tip=v1', 'is not the name of a prompt'],
  ])('refuses DEFAULT_PROMPT_VERSION %j', (text, message) => {
    const faults = faultsOf({ DEFAULT_PROMPT_VERSION: text });

    expect(faults[0]).toContain('DEFAULT_PROMPT_VERSION: ');
    expect(faults[0]).toContain(message);
    expect(faults[0]).toContain('tip=v2,digest=@live');
  });

  test('reads back every well-formed DEFAULT_PROMPT_VERSION', () => {
    const name = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,20}$/);
    const version = fc.oneof(
      name,
      name.map((label) => `@${label}`),
    );
    fc.assert(
      fc.property(
        fc.option(version),
        fc.dictionary(name, version, { noNullPrototype: true }),
        (everywhere, byPrompt) => {
          const entries = Object.entries(byPrompt).map(([prompt, value]) => `${prompt}=${value}`);
          const text = [...(everywhere === null ? [] : [everywhere]), ...entries].join(',');

          expect(loadEnvironment({ DEFAULT_PROMPT_VERSION: text }).defaultPromptVersion).toEqual({
            everywhere,
            byPrompt: new Map(Object.entries(byPrompt)),
          });
        },
      ),
    );
  });

  test('fails with config_invalid and every faulty variable at once', () => {
    const attempt = (): unknown => loadEnvironment({ PORT: 'x', DEFAULT_PROMPT_VERSION: ',' });

    expect(attempt).toThrow(AppError);
    try {
      attempt();
    } catch (error) {
      expect(error).toMatchObject({ code: 'config_invalid' });
      const variables = error instanceof AppError ? error.faults.map(({ path }) => path) : [];
      expect(new Set(variables)).toEqual(new Set(['PORT', 'DEFAULT_PROMPT_VERSION']));
    }
  });
});
