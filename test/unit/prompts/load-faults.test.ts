import { describe, expect, test } from '@jest/globals';
import { faultsOf, loadFiles, type PromptFiles } from './temporary-prompts.ts';

const schema = (lines: string): string => `---\ninput:\n  schema:\n${lines}\n---\n`;

/** What an author writes, and the whole fault that comes back. */
const SINGLE_FILE: readonly (readonly [name: string, text: string, fault: string])[] = [
  [
    'a variable that is misspelt',
    `${schema('    completion_rate: number')}Rate:\n        {{completionRate}}{{completion_rate}}`,
    'prompts/tip/v3.prompt:7:11 uses "completionRate", which input.schema does not declare (did you mean "completion_rate"?)',
  ],
  [
    'a part of a variable that is misspelt',
    `${schema('    user:\n      name: string')}{{user.nam}}`,
    'prompts/tip/v3.prompt:7:3 uses "user.nam", which input.schema does not declare (did you mean "user.name"?)',
  ],
  [
    'a root variable within a loop',
    `${schema('    items(array):\n      n: string\n    title: string')}{{#each items}}{{n}}{{title}}{{/each}}`,
    'prompts/tip/v3.prompt:8:23 uses "title", which input.schema does not declare (did you mean "../title"?)',
  ],
  [
    'a profile feature without its prefix',
    `${schema('    profile:\n      tip_volume: integer')}{{tip_volume}}`,
    'prompts/tip/v3.prompt:7:3 uses "tip_volume", which input.schema does not declare (did you mean "profile.tip_volume"?)',
  ],
  [
    'a part of a text',
    `${schema('    name: string')}{{name.first}}`,
    'prompts/tip/v3.prompt:6:3 uses "name.first", but what stands before "first" is string by input.schema',
  ],
  [
    'a map printed as text',
    `${schema('    user:\n      name: string')}Hello {{user}}`,
    'prompts/tip/v3.prompt:7:7 prints "user", which is a map by input.schema: use {{json user}} or one of its parts, {{user.name}}',
  ],
  [
    'a loop over a text',
    `${schema('    name: string')}{{#each name}}{{this}}{{/each}}`,
    'prompts/tip/v3.prompt:6:1 "each" goes over lists and maps, and "name" is string by input.schema',
  ],
  [
    'loop data outside of a loop',
    '{{@index}}',
    'prompts/tip/v3.prompt:1:3 uses "@index" outside of {{#each}}, where it has no value',
  ],
  [
    'one ../ too many',
    '{{#each a}}{{../../b}}{{/each}}',
    'prompts/tip/v3.prompt:1:14 uses "../../b", but there is nothing outside of this block: remove a "../"; a partial gets such values as parameters, {{> name key=value}}',
  ],
  [
    'an unknown helper',
    '{{uppercase name}}',
    'prompts/tip/v3.prompt:1:1 "uppercase" is not a helper; known: json, lookup, truncate, list, date, fence, role, history, section, media, if, unless, each, with, ifEquals, unlessEquals',
  ],
  [
    'the helper log',
    '{{log name}}',
    'prompts/tip/v3.prompt:1:1 "log" is not a helper; known: json, lookup, truncate, list, date, fence, role, history, section, media, if, unless, each, with, ifEquals, unlessEquals',
  ],
  [
    'a block that is no helper',
    '{{#name}}x{{/name}}',
    'prompts/tip/v3.prompt:1:1 "name" is not a helper: write {{#if name}}, {{#each name}} or {{#with name}}',
  ],
  [
    'an unknown role',
    '{{role "assitant"}}x',
    'prompts/tip/v3.prompt:1:1 unknown role "assitant" (did you mean "assistant"?); known: system, user, model, assistant',
  ],
  [
    'an unknown date format',
    '{{date d format="wekday"}}',
    'prompts/tip/v3.prompt:1:1 unknown date format "wekday" (did you mean "weekday"?): use date, time, datetime, weekday, long, iso',
  ],
  [
    'an unknown zone',
    '{{date d zone="Mars/Olympus"}}',
    'prompts/tip/v3.prompt:1:1 unknown time zone "Mars/Olympus": use an IANA name such as "Europe/Berlin"',
  ],
  [
    'an unknown option',
    '{{list d separator=";"}}',
    'prompts/tip/v3.prompt:1:10 "list" has no option "separator"; known: sep, last',
  ],
  [
    'a missing partial',
    'x\n{{> greting}}',
    'prompts/tip/v3.prompt:2:1 uses the partial "greting", which does not exist: add _greting.prompt to the prompt\'s folder or to the prompts directory',
  ],
  [
    'an inline partial',
    '{{#*inline "x"}}y{{/inline}}',
    'prompts/tip/v3.prompt:1:1 decorators and inline partials {{* …}} are not supported: move the part into a file _name.prompt',
  ],
  [
    'a decorator',
    'a {{*dec}}',
    'prompts/tip/v3.prompt:1:3 decorators and inline partials {{* …}} are not supported: move the part into a file _name.prompt',
  ],
  [
    'a partial block',
    '{{#> layout}}y{{/layout}}',
    'prompts/tip/v3.prompt:1:1 partial blocks {{#> name}} are not supported: use {{> name}}',
  ],
  [
    'a block that is not closed',
    '---\nmodel: m\n---\n\nHi\n{{#if a}}x',
    'prompts/tip/v3.prompt:6:1 template cannot be read: a block is not closed: add {{/if}}, {{/each}} or what opened it',
  ],
  [
    'a block closed by another name',
    'Hi\n  {{#if a}}x{{/each}}',
    "prompts/tip/v3.prompt:2:6 template cannot be read: if doesn't match each",
  ],
  [
    'an expression that is not closed',
    'Hi {{name}',
    'prompts/tip/v3.prompt:1:10 template cannot be read: an expression is not closed properly: braces come in pairs, {{name}}',
  ],
  [
    'YAML that cannot be read',
    '---\nmodel: "m\nconfig: {\n---\nx',
    'prompts/tip/v3.prompt:3:10 front matter is not valid YAML: Missing closing "quote',
  ],
  [
    'front matter that is not closed',
    '---\nmodel: m\nHello',
    'prompts/tip/v3.prompt:1:1 front matter is not closed: add a line with "---" after it',
  ],
  [
    'a key that is given twice',
    '---\nmodel: m\nmodel: n\n---\nx',
    'prompts/tip/v3.prompt:3:1 front matter is not valid YAML: Map keys must be unique',
  ],
  [
    'an unknown key',
    '---\nmodell: m\n---\nx',
    'prompts/tip/v3.prompt:2:1 unknown key "modell" (did you mean "model"?); known: model, config, input, output, description; keys of other tools carry a dot ("mytool.modell")',
  ],
  [
    'a version in the front matter',
    '---\nversion: 1.10\n---\nx',
    'prompts/tip/v3.prompt:2:1 "version" has no place here: name and version come from the path; remove the line',
  ],
  [
    'an unknown gateway key',
    '---\ngateway.fallbacks: [a]\n---\nx',
    'prompts/tip/v3.prompt:2:1 unknown key "gateway.fallbacks" (did you mean "gateway.fallback"?); known: gateway.fallback',
  ],
  [
    'an unknown setting',
    '---\nconfig:\n  temprature: 1\n---\nx',
    'prompts/tip/v3.prompt:3:3 unknown key "config.temprature" (did you mean "temperature"?); known: temperature, topP, topK, maxOutputTokens, stopSequences, seed, frequencyPenalty, presencePenalty',
  ],
  [
    'a setting out of range',
    '---\nconfig:\n  topP: 2\n---\nx',
    'prompts/tip/v3.prompt:3:3 config.topP must be a number from 0 to 1',
  ],
  [
    'an unknown type',
    `${schema('    name: strng')}{{name}}`,
    'prompts/tip/v3.prompt:4:5 unknown type "strng" (did you mean "string"?): use one of string, number, integer, boolean, null, any',
  ],
  [
    'a default for an unknown variable',
    '---\ninput:\n  schema:\n    mood: string\n  default:\n    mod: good\n---\n{{mood}}',
    'prompts/tip/v3.prompt:6:5 input.default sets "mod", which input.schema does not declare (did you mean "mood"?)',
  ],
  [
    'a default of the wrong type',
    '---\ninput:\n  schema:\n    mood: string\n  default:\n    mood: 1\n---\n{{mood}}',
    'prompts/tip/v3.prompt:6:5 input.default does not fit input.schema: mood: must be string, got number',
  ],
  [
    'a fallback line that is no JSON',
    '---\noutput:\n  schema:\n    tip: string\ngateway.fallback:\n  - \'{"tip": "a"}\'\n  - Just do it.\n---\nx',
    'prompts/tip/v3.prompt:7:5 fallback line 2 does not fit output.schema: output: the answer is not valid JSON',
  ],
  [
    'a fallback line that does not fit the output schema',
    '---\noutput:\n  schema:\n    tip: string\ngateway.fallback: [\'{"tp": "a"}\']\n---\nx',
    'prompts/tip/v3.prompt:5:20 fallback line 1 does not fit output.schema: output.tip: required: string',
  ],
  [
    'a fallback line that is not text',
    '---\ngateway.fallback:\n  - true\n---\nx',
    'prompts/tip/v3.prompt:3:5 a fallback line must be text that is not empty (quote it)',
  ],
  [
    'an output format the gateway cannot check',
    '---\noutput:\n  format: jsn\n---\nx',
    'prompts/tip/v3.prompt:3:3 output.format must be text or json (did you mean "json"?)',
  ],
  [
    'JSON Schema that cannot be compiled',
    '---\ninput:\n  schema:\n    type: object\n    properties:\n      a: {$ref: "https://example.com/a.json"}\n---\n{{a}}',
    "prompts/tip/v3.prompt:3:3 input.schema is not valid JSON Schema: can't resolve reference https://example.com/a.json from id #",
  ],
  [
    'a file without template',
    '---\nmodel: m\n---\n \n',
    'prompts/tip/v3.prompt:5:1 has no template: write the prompt below the front matter',
  ],
];

describe('a fault names file, line, column and the remedy', () => {
  test.each(SINGLE_FILE)('%s', async (_name, text, fault) => {
    expect(await faultsOf({ 'tip/v3.prompt': text })).toContain(fault);
  });
});

const WHOLE_DIRECTORY: readonly (readonly [name: string, files: PromptFiles, faults: readonly string[]])[] = [
  [
    'a prompt outside of a folder',
    { 'v1.prompt': 'x' },
    ["prompts/v1.prompt belongs into a folder with the prompt's name: prompts/<name>/v1.prompt"],
  ],
  [
    'a prompt too deep',
    { 'tip/v1.prompt': 'x', 'tip/old/v0.prompt': 'x' },
    ['prompts/tip/old/v0.prompt is one folder too deep: prompts are <name>/<version>.prompt'],
  ],
  [
    'names that cannot be',
    { 'tip/V1.prompt': 'x', 'tip/@live.prompt': 'x', 'Tip Top/v1.prompt': 'x' },
    [
      'prompts/Tip Top "Tip Top" cannot name a prompt: use lower-case letters, digits, ".", "_" and "-", 1 to 64 characters, letter or digit first',
      'prompts/tip/@live.prompt "@live" cannot name a version ("@" begins a label, which points to a version): use lower-case letters, digits, ".", "_" and "-", 1 to 64 characters, letter or digit first',
      'prompts/tip/V1.prompt "V1" cannot name a version: use lower-case letters, digits, ".", "_" and "-", 1 to 64 characters, letter or digit first',
    ],
  ],
  [
    'text that is not UTF-8',
    { 'tip/v1.prompt': Uint8Array.from([0x68, 0xff, 0x69]) },
    ['prompts/tip/v1.prompt is not UTF-8 text: save it as UTF-8'],
  ],
  [
    'a NUL character',
    { 'tip/v1.prompt': 'a\0b' },
    ['prompts/tip/v1.prompt holds a NUL character: save it as UTF-8 text'],
  ],
  [
    'cases that would never run',
    { 'tip/v1.prompt': 'x', 'tip/cases.yml': '[]' },
    ['prompts/tip/cases.yml is not read: rename it to cases.yaml'],
  ],
  [
    'partials that use each other, once for each start',
    { 'tip/v1.prompt': '{{> a}}', '_a.prompt': '{{> b}}', '_b.prompt': '\n{{> a}}' },
    ['prompts/_b.prompt:2:1 the partial "a" uses itself (a → b → a): use {{#each}} for repetition'],
  ],
  [
    'faults of a partial, once, though two versions use it',
    { 'tip/v1.prompt': '{{> a}}', 'tip/v2.prompt': '{{> a}}', '_a.prompt': 'x\n{{#if}}{{/if}}' },
    ['prompts/_a.prompt:2:1 "if" takes one value: {{#if value}}'],
  ],
  [
    'all faults of all files at once',
    { 'a/v1.prompt': '{{@x}}{{@y}}', 'b/v1.prompt': '---\nx: 1\n---\n{{*d}}' },
    [
      'prompts/a/v1.prompt:1:3 uses "@x", which does not exist: known are @root, @index, @key, @first, @last',
      'prompts/a/v1.prompt:1:9 uses "@y", which does not exist: known are @root, @index, @key, @first, @last',
      'prompts/b/v1.prompt:2:1 unknown key "x"; known: model, config, input, output, description; keys of other tools carry a dot ("mytool.x")',
      'prompts/b/v1.prompt:4:1 decorators and inline partials {{* …}} are not supported: move the part into a file _name.prompt',
    ],
  ],
];

describe('the directory as a whole', () => {
  test.each(WHOLE_DIRECTORY)('%s', async (_name, files, faults) => {
    expect(await faultsOf(files)).toEqual(faults);
  });

  test('names the directory that does not exist', async () => {
    const { loadPromptRegistry } = await import('../../../src/prompts/index.ts');
    const { LIMITS } = await import('./temporary-prompts.ts');

    const load = await loadPromptRegistry({
      directory: '/nonexistent/prompts',
      limits: LIMITS,
      strict: false,
    });

    expect(load).toEqual({
      ok: false,
      faults: [
        {
          path: 'prompts',
          message: 'the folder cannot be read: does not exist: create it or set prompts.directory',
        },
      ],
      warnings: [],
    });
  });

  test("allows other tools' dotted keys, comments before the front matter, CRLF and a byte order mark", async () => {
    const registry = await loadFiles({
      'tip/v1.prompt':
        '\ufeff# licence\r\n\r\n---\r\nmytool.owner: {a: 1}\r\ndescription: d\r\n---\r\n\r\nHello\r\nyou\r\n',
    });

    const version = registry.version('tip', 'v1');
    expect(version.description).toBe('d');
    expect(version.source).not.toContain('\r');
  });

  test('counts nesting and expressions before anything walks the tree', async () => {
    const nested = (depth: number): string => '{{#if a}}'.repeat(depth) + '{{/if}}'.repeat(depth);

    expect(await faultsOf({ 'p/v1.prompt': `x${nested(32)}` })).toEqual([]);
    for (const depth of [33, 5_000]) {
      expect(
        (
          await faultsOf(
            { 'p/v1.prompt': `x${nested(depth)}` },
            { limits: { maxMustaches: 5_000, maxSourceBytes: 1_000_000 } },
          )
        ).join(),
      ).toContain('nests blocks or expressions deeper than 32');
    }
    const chain = `{{#if a}}${'{{else if a}}'.repeat(4_000)}{{/if}}`;
    expect((await faultsOf({ 'p/v1.prompt': chain })).join()).toContain('deeper than 32');
    const parentheses = `{{json ${'(json '.repeat(4_000)}a${')'.repeat(4_000)}}}`;
    expect((await faultsOf({ 'p/v1.prompt': parentheses })).join()).toContain('deeper than 32');
    expect(await faultsOf({ 'p/v1.prompt': '{{a}}'.repeat(501) })).toEqual([
      'prompts/p/v1.prompt:1:1 has 501 template expressions, more than max_mustaches (500): use a loop or split the prompt',
    ]);
    expect(await faultsOf({ 'p/v1.prompt': 'x'.repeat(65_537) })).toEqual([
      'prompts/p/v1.prompt is larger than 65536 bytes (max_source_bytes): shorten it or use partials',
    ]);
  });

  test('bounds what partials within partials add up to', async () => {
    const files: Record<string, string> = { 'p/v1.prompt': '{{> l0}}' };
    for (let level = 0; level < 7; level += 1) files[`_l${level}.prompt`] = `{{> l${level + 1}}}`.repeat(10);
    files['_l7.prompt'] = 'x';

    const faults = await faultsOf(files);

    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain('with its partials put in place the prompt has more than 4000 expressions');
  });

  test('refuses partials nested deeper than eight', async () => {
    const files: Record<string, string> = { 'p/v1.prompt': '{{> l0}}' };
    for (let level = 0; level < 9; level += 1)
      files[`_l${level}.prompt`] = level < 8 ? `{{> l${level + 1}}}` : 'x';

    expect(await faultsOf(files)).toEqual([
      'prompts/_l7.prompt:1:1 partials are nested deeper than 8: put some of them together',
    ]);
  });
});

describe('warnings', () => {
  const unused = { 'tip/v1.prompt': `${schema('    a: string\n    b?(array, many): string')}{{a}}` };
  const differing = {
    'tip/v1.prompt': `${schema('    a: string\n    b: string')}{{a}}{{b}}`,
    'tip/v2.prompt': `${schema('    a: integer\n    c?: string\n    profile?:\n      x: number')}{{a}}{{c}}`,
  };
  const cannot = 'callers cannot move between the two';

  test('an unused variable warns, and fails a strict load', async () => {
    const warning =
      'prompts/tip/v1.prompt:5:5 declares "b", which the template does not use: use it or remove it';

    const registry = await loadFiles(unused);

    expect(registry.warnings.map((each) => `${each.path} ${each.message}`)).toEqual([warning]);
    expect(await faultsOf(unused, { strict: true })).toEqual([warning]);
  });

  test('a variable used as part of the whole counts as used', async () => {
    const whole = { 'tip/v1.prompt': `${schema('    a: string\n    b: string')}{{json this}}` };

    expect(await faultsOf(whole, { strict: true })).toEqual([]);
  });

  test('differing inputs of two versions warn, the profile apart', async () => {
    expect(await faultsOf(differing, { strict: true })).toEqual([
      `prompts/tip/v2.prompt:3:3 does not take "b", which v1 does: ${cannot}`,
      `prompts/tip/v2.prompt:4:5 takes "a" as required integer, where v1 takes required string: ${cannot}`,
      `prompts/tip/v2.prompt:5:5 takes "c", which v1 does not: ${cannot}`,
    ]);
    expect((await loadFiles(differing)).warnings).toHaveLength(3);
  });

  test('a retired version is not compared', async () => {
    const { sha256Hex } = await import('../../../src/kernel/index.ts');
    const lock = {
      versions: { 'tip@v1': `sha256:${sha256Hex(differing['tip/v1.prompt'])}` },
      retired: ['tip@v1'],
    };

    expect(
      await faultsOf({ ...differing, 'prompts.lock.json': JSON.stringify(lock) }, { strict: true }),
    ).toEqual([]);
  });
});
