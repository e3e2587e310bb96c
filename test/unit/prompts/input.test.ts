import { describe, expect, test } from '@jest/globals';
import { loadFiles, renderError, renderLines, versionOf } from './temporary-prompts.ts';

const TEXT = `---
input:
  schema:
    mood: string, How the user feels
    tags?(array, Topics): string
    tone(enum, Voice of the answer): [warm, brisk]
    user?:
      name: string
      age?: integer
    profile?(object, What is known of the user):
      completion_rate?: number
      preferred_hour: integer
  default:
    tone: warm
    profile: {preferred_hour: 8, completion_rate: 0.5}
---
{{mood}} {{tone}} {{list tags}} {{user.name}}{{user.age}} {{profile.completion_rate}} {{profile.preferred_hour}}`;

describe('variables', () => {
  test('fills in defaults and reports what was used', async () => {
    const version = await versionOf(TEXT);

    const rendered = version.render({
      variables: { mood: 'low', tags: undefined },
      profile: null,
      history: [],
      random: { next: () => 0 },
    });

    expect(rendered.messages).toEqual([
      { role: 'user', content: [{ kind: 'text', text: 'low warm   0.5 8' }] },
    ]);
    expect(rendered.variables).toEqual({ mood: 'low', tone: 'warm' });
  });

  test('reports every fault at once, by the path of the request, without the values', async () => {
    const version = await versionOf(TEXT);

    const error = renderError(
      version,
      { tagz: [], tags: ['a', 1], tone: 'secret', user: { age: 'x', nam: 'y' }, profile: {}, signals: 1 },
      { profile: { preferred_hour: 'nine' } },
    );

    expect(error.code).toBe('template_input_invalid');
    expect(error.details).toEqual({ prompt: 'p', version: 'v1' });
    expect([...error.faults].sort((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
      { path: 'profile_features.preferred_hour', message: 'must be integer, got string' },
      { path: 'variables.mood', message: 'required: string, How the user feels' },
      { path: 'variables.profile', message: '"profile" is reserved: send these values as profile_features' },
      { path: 'variables.signals', message: '"signals" is reserved: the gateway fills it, remove it' },
      { path: 'variables.tags[1]', message: 'must be string, got number' },
      {
        path: 'variables.tagz',
        message: 'unknown variable (did you mean "tags"?); known: mood, tags, tone, user',
      },
      { path: 'variables.tone', message: 'must be one of "warm", "brisk"' },
      { path: 'variables.user.age', message: 'must be integer or null, got string' },
      { path: 'variables.user.nam', message: 'unknown name (did you mean "name"?)' },
      { path: 'variables.user.name', message: 'required: string' },
    ]);
    expect(JSON.stringify(error.faults) + error.message).not.toContain('secret');
  });

  test('says a single fault in the message', async () => {
    expect(renderError(await versionOf(TEXT)).message).toBe(
      'p@v1 cannot be rendered: variables.mood: required: string, How the user feels',
    );
  });

  test('does not turn one type into another', async () => {
    const version = await versionOf(
      '---\ninput:\n  schema:\n    n: integer\n    b: boolean\n---\n{{n}}{{b}}',
    );

    expect(renderError(version, { n: '1', b: 'true' }).faults.map((fault) => fault.path)).toEqual([
      'variables.n',
      'variables.b',
    ]);
  });

  test('lets the caller replace a default as a whole', async () => {
    const version = await versionOf(
      '---\ninput:\n  schema:\n    o(object):\n      (*): integer\n  default:\n    o: {a: 1}\n---\n{{json o}}',
    );

    expect(renderLines(version, { o: { b: 2 } })).toEqual(['user: {"b":2}']);
  });

  test('does not let one render change the defaults of the next', async () => {
    const version = await versionOf(
      '---\ninput:\n  schema:\n    o(array): any\n  default:\n    o: [{a: 1}]\n---\n{{json o}}',
    );

    const { variables } = version.render({
      variables: {},
      profile: null,
      history: [],
      random: { next: () => 0 },
    });

    expect(() => (variables['o'] as unknown[]).push(2)).toThrow(TypeError);
    expect(Object.isFrozen((variables['o'] as unknown[])[0])).toBe(true);
  });

  test('takes any variable where there is no schema, and any where the schema says so', async () => {
    expect(renderLines(await versionOf('{{a}}'), { a: 1, b: 2 })).toEqual(['user: 1']);
    const open = '---\ninput:\n  schema:\n    a: string\n    (*): integer\n---\n{{a}}{{b}}';
    expect(renderLines(await versionOf(open), { a: 'x', b: 2 })).toEqual(['user: x2']);
    expect(renderError(await versionOf(open), { a: 'x', b: 'y' }).faults[0]?.path).toBe('variables.b');
  });

  test('accepts JSON Schema, closed at the top unless it says otherwise', async () => {
    const json = (more: string): string =>
      `---\ninput:\n  schema:\n    $defs:\n      name: {type: string, minLength: 2}\n    type: object\n    required: [name]\n    properties:\n      name: {$ref: '#/$defs/name'}\n${more}---\n{{name}}`;

    expect(renderLines(await versionOf(json('')), { name: 'Ada' })).toEqual(['user: Ada']);
    expect(renderError(await versionOf(json('')), { name: 'A', x: 1 }).faults).toEqual([
      { path: 'variables.x', message: 'unknown variable; known: name' },
      { path: 'variables.name', message: 'must NOT have fewer than 2 characters' },
    ]);
    expect(
      renderLines(await versionOf(json('    additionalProperties: true\n')), { name: 'Ada', x: 1 }),
    ).toEqual(['user: Ada']);
  });

  test('a variable named __proto__ stays a plain key', async () => {
    const version = await versionOf('{{#each this}}{{@key}} {{/each}}');

    expect(renderLines(version, JSON.parse('{"__proto__": {"polluted": 1}, "a": 1}'))[0]).toContain(
      '__proto__',
    );
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(
      renderLines(version, { a: 1 }, { profile: JSON.parse('{"__proto__": {"polluted": 1}}') })[0],
    ).toContain('profile');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('profile features', () => {
  test('drops what the schema does not declare and treats null as missing', async () => {
    const version = await versionOf(TEXT);

    expect(
      renderLines(
        version,
        { mood: 'x' },
        { profile: { streak: 3, completion_rate: null, preferred_hour: 22 } },
      ),
    ).toEqual(['user: x warm   0.5 22']);
  });

  test('reports a required feature as missing', async () => {
    const version = await versionOf(
      '---\ninput:\n  schema:\n    profile:\n      a: string, What a is\n---\n{{profile.a}}',
    );

    expect(renderError(version).faults).toEqual([
      { path: 'profile_features.a', message: 'required: string, What a is' },
    ]);
  });

  test('leaves an optional profile out when nothing is known', async () => {
    const version = await versionOf(
      '---\ninput:\n  schema:\n    profile?:\n      a: string\n---\n[{{profile.a}}{{#if profile}}known{{/if}}]',
    );

    expect(renderLines(version)).toEqual(['user: []']);
    expect(renderLines(version, {}, { profile: { b: 1 } })).toEqual(['user: []']);
    expect(renderLines(version, {}, { profile: { a: 'x' } })).toEqual(['user: [xknown]']);
  });

  test('go unused where the prompt declares none', async () => {
    const version = await versionOf('---\ninput:\n  schema:\n    a: string\n---\n{{a}}{{json this}}');

    expect(renderLines(version, { a: 'x' }, { profile: { a: 1 } })).toEqual(['user: x{"a":"x"}']);
  });
});

describe('registry', () => {
  test('lists versions in natural order and knows names by their spelling', async () => {
    const registry = await loadFiles({
      'tip/v10.prompt': 'x',
      'tip/v2.prompt': 'x',
      'tip/2026-11-warm.prompt': 'x',
      'digest/v1.prompt': 'x',
    });

    expect(registry.prompts.map((family) => family.name)).toEqual(['digest', 'tip']);
    expect(registry.family('tip').versions.map((version) => version.version)).toEqual([
      '2026-11-warm',
      'v2',
      'v10',
    ]);
    expect(() => registry.family('tpi2')).toThrow('there is no prompt "tpi2"; known: digest, tip');
    expect(() => registry.version('tip', 'v3')).toThrow(
      'prompt "tip" has no version "v3" (did you mean "v2"?); known: 2026-11-warm, v2, v10',
    );
    expect(() => registry.version('digest@v1', 'v1')).toThrow(/there is no prompt/);
  });

  test('a hash depends on the text and its partials, not on line ends or unused partials', async () => {
    const hash = async (text: string, files: Record<string, string> = {}): Promise<string> =>
      (await versionOf(text, files)).hash;
    const partials = { '_a.prompt': '{{> b}}', '_b.prompt': 'b', '_c.prompt': 'c' };
    const base = await hash('{{> a}}\n', partials);

    expect(base).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await hash('{{> a}}\r\n', partials)).toBe(base);
    expect(await hash('{{> a}}\n', { ...partials, '_c.prompt': 'changed' })).toBe(base);
    expect(await hash('{{> a}}\n', { ...partials, '_b.prompt': 'changed' })).not.toBe(base);
    expect(await hash('{{> a}}\n', { ...partials, 'p/_b.prompt': 'own' })).not.toBe(base);
    expect(await hash('hello')).toBe(
      'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
    );
  });
});
