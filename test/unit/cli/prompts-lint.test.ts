import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { createPromptsFolder, type PromptsFolder } from './prompts-folder.ts';

let folder: PromptsFolder;
beforeEach(() => {
  folder = createPromptsFolder();
  folder.write('tip/v1.prompt', '---\ninput:\n  schema:\n    mood: string\n---\nA tip: {{mood}}.\n');
  folder.write(
    'tip/cases.yaml',
    '- name: plain\n  version: v1\n  input: {variables: {mood: low}}\n  messages: [{role: user, content: "A tip: low."}]\n',
  );
});
afterEach(() => folder.remove());

describe('prompts lint', () => {
  test('says ok with counts', async () => {
    expect(await folder.run('lint')).toEqual({
      exitCode: 0,
      stdout: 'ok: 1 version, 0 faults, 0 warnings\n',
      stderr: '',
    });
  });

  test('names place, cause and remedy of every fault in every file', async () => {
    folder.write('tip/v2.prompt', '---\nmodell: x\ninput:\n  schema:\n    mood: strng\n---\n{{mood}}\n');
    folder.write(
      'tip/v3.prompt',
      '---\ninput:\n  schema:\n    completion_rate: number\n---\nA\n  {{completionRate}}\n',
    );
    folder.write('_shared.prompt', '{{#if x}}');
    folder.write('tip/cases.yaml', '- name: a\n  version: v9\n  messages: []\n- nme: b\n');
    folder.write('prompts.lock.json', '{"versions": {}, "retired": ["tip@v8"]}');
    folder.write('tip/V4.prompt', 'x');

    const { exitCode, stdout, stderr } = await folder.run('lint');

    expect(exitCode).toBe(1);
    expect(stderr).toBe('');
    for (const line of [
      'prompts/_shared.prompt:1:1  template cannot be read',
      'prompts/prompts.lock.json:1:30  "retired" names "tip@v8", which does not exist',
      'prompts/tip/V4.prompt:1:1  "V4" cannot name a version',
      'prompts/tip/cases.yaml:1:3  names version "v9", which does not exist',
      'prompts/tip/cases.yaml:4:3  unknown key "nme"',
      'prompts/tip/v2.prompt:2:1  unknown key "modell" (did you mean "model"?)',
      'prompts/tip/v2.prompt:5:5  unknown type "strng"',
      'prompts/tip/v3.prompt:7:5  uses "completionRate", which input.schema does not declare (did you mean "completion_rate"?)',
    ]) {
      expect(stdout).toContain(line);
    }
    expect(stdout).toMatch(/failed: 3 versions, 8 faults, \d warnings?\n$/);
  });

  test.each([
    [['lint'], 0],
    [['lint', '--strict'], 1],
  ])('shows warnings, which %j ends with %d for', async (args, code) => {
    folder.write('tip/v1.prompt', '---\ninput:\n  schema:\n    mood: string\n    b: string\n---\n{{mood}}\n');
    folder.write('bare/v1.prompt', 'No case.');

    const { exitCode, stdout } = await folder.run(...args);

    expect(exitCode).toBe(code);
    expect(stdout).toContain(
      'prompts/tip/v1.prompt:5:5  warning: declares "b", which the template does not use',
    );
    expect(stdout).toContain('prompts/bare  warning: has no cases.yaml');
  });

  test('shows the warnings of sound files beside the faults of others', async () => {
    folder.write('tip/v1.prompt', '---\ninput:\n  schema:\n    b: string\n---\nx\n');
    folder.write('tip/v2.prompt', '{{nope}');

    const { stdout } = await folder.run('lint', '--json');

    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      versions: 2,
      faults: [{ path: expect.stringMatching(/^prompts\/tip\/v2\.prompt:1:\d+$/) }],
      warnings: [{ path: 'prompts/tip/v1.prompt:4:5' }],
    });
  });

  test('looks at one prompt and at what it shares', async () => {
    folder.write('other/v1.prompt', '{{#if');
    folder.write('_shared.prompt', '{{/if}}');

    const { stdout } = await folder.run('lint', 'tip');

    expect(stdout).toContain('prompts/_shared.prompt');
    expect(stdout).not.toContain('prompts/other');
  });

  test('refuses an unknown prompt with the known ones, beside faulty files', async () => {
    folder.write('tap/v1.prompt', '{{#if');

    const { exitCode, stderr } = await folder.run('lint', 'tipp');

    expect(exitCode).toBe(1);
    expect(stderr).toContain('there is no prompt "tipp" (did you mean "tip"?); known: tap, tip');
  });

  test('says that the folder does not exist', async () => {
    const empty = createPromptsFolder({ prompts: { directory: 'nowhere' } });

    const { exitCode, stdout } = await empty.run('lint');
    empty.remove();

    expect(exitCode).toBe(1);
    expect(stdout).toContain('nowhere  the folder cannot be read: does not exist');
  });
});
