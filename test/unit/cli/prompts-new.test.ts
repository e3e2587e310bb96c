import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { createPromptsFolder, type PromptsFolder } from './prompts-folder.ts';

const V1 = '---\ninput:\n  schema:\n    mood: string\n---\nA tip for a {{mood}} day.\n';
const CASES = `# Why we have them.
- name: a good day
  version: v1
  input: {variables: {mood: good}} # good enough
  messages: [{role: user, content: A tip for a good day.}]
`;

let folder: PromptsFolder;
beforeEach(() => {
  folder = createPromptsFolder();
  folder.write('tip/v1.prompt', V1);
  folder.write('tip/cases.yaml', CASES);
});
afterEach(() => folder.remove());

const exists = (file: string): boolean => existsSync(join(folder.path, 'prompts', file));

describe('prompts new', () => {
  test('copies a version with a case that passes, and says what comes next', async () => {
    const { exitCode, stdout } = await folder.run('new', 'tip', 'v2', '--from', 'v1');

    expect(exitCode).toBe(0);
    expect(folder.read('tip/v2.prompt')).toBe(V1);
    expect(folder.read('tip/cases.yaml').startsWith(CASES)).toBe(true);
    expect(stdout).toContain('made: prompts/tip/v2.prompt (a copy of v1)');
    expect(stdout).toContain('prompt-gateway prompts diff tip v1 v2');
    expect(await folder.run('test')).toMatchObject({ exitCode: 0, stdout: 'ok: 2 cases passed\n' });
  });

  test('copies the newest version that is not retired when none is named', async () => {
    folder.write('tip/v10.prompt', V1);
    await folder.run('lock');
    await folder.run('retire', 'tip@v10');

    const { stdout } = await folder.run('new', 'tip', 'v11', '--json');

    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      prompt: 'tip',
      version: 'v11',
      from: 'v1',
      file: 'prompts/tip/v11.prompt',
      cases_file: 'prompts/tip/cases.yaml',
      case: 'a good day (v11)',
      next: expect.arrayContaining(['edit prompts/tip/v11.prompt']),
    });
  });

  test('gives each case a name of its own, also for a copy of a copy', async () => {
    await folder.run('new', 'tip', 'v11');
    const { stdout } = await folder.run('new', 'tip', 'v12', '--from', 'v11', '--json');

    expect(JSON.parse(stdout)).toMatchObject({ case: 'a good day (v12)' });
    expect((await folder.run('test', 'tip')).exitCode).toBe(0);
  });

  test('makes a new prompt that lints and passes', async () => {
    const { exitCode } = await folder.run('new', 'haiku', '2026-11');

    expect(exitCode).toBe(0);
    expect(await folder.run('test')).toMatchObject({ exitCode: 0 });
    expect((await folder.run('list')).stdout).toContain('2026-11');
  });

  test('makes up an input that fits the schema where there is no case to copy', async () => {
    folder.write(
      'form/v1.prompt',
      [
        '---',
        'input:',
        '  schema:',
        '    name: string',
        '    age: integer',
        '    mood(enum): [low, high]',
        '    tags(array): string',
        '    home(object):',
        '      city: string',
        '      zip?: string',
        '    ok: boolean',
        '    given: string',
        '    profile(object):',
        '      hour?: integer',
        '  default:',
        '    given: by default',
        '---',
        '{{name}} {{age}} {{mood}} {{list tags}} {{home.city}} {{ok}} {{given}} {{profile.hour}}',
      ].join('\n'),
    );

    await folder.run('new', 'form', 'v2');

    expect(folder.read('form/cases.yaml')).toContain(
      'content: some name 1 low some tags some city true by default',
    );
  });

  test('expects the refusal where a made-up input cannot render', async () => {
    folder.write(
      'code/v1.prompt',
      '---\ninput:\n  schema:\n    type: object\n    properties:\n      zip: {type: string, pattern: "^[0-9]{5}$"}\n    required: [zip]\n---\n{{zip}}\n',
    );

    await folder.run('new', 'code', 'v2');

    expect(folder.read('code/cases.yaml')).toContain('path: variables.zip');
    expect((await folder.run('test', 'code')).stdout).toContain('1 case passed, 0 failed');
  });

  test.each([
    [['tip', 'v1'], 'tip@v1 exists already'],
    [['tip', 'v2', '--from', 'v7'], 'no version "v7"'],
    [['tap', 'v2', '--from', 'v1'], 'there is no prompt "tap" (did you mean "tip"?)'],
    [['tip', '@live'], 'cannot name a version'],
    [['../up', 'v1'], 'cannot name a prompt'],
    [['tip', '../../v9'], 'cannot name a version'],
  ])('refuses %j and changes nothing', async (args, message) => {
    const { exitCode, stdout, stderr } = await folder.run('new', ...args);

    expect(exitCode).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain(message);
    expect(folder.read('tip/cases.yaml')).toBe(CASES);
    expect(exists('tap')).toBe(false);
    expect(exists('tip/v2.prompt')).toBe(false);
  });

  test('leaves nothing behind when cases.yaml cannot take a case', async () => {
    folder.write('tip/cases.yaml', 'name: no list\n');

    const { exitCode, stderr } = await folder.run('new', 'tip', 'v2');

    expect(exitCode).toBe(78);
    expect(stderr).toContain('must be a list of cases');
    expect(exists('tip/v2.prompt')).toBe(false);
    expect(folder.read('tip/cases.yaml')).toBe('name: no list\n');
  });

  test('says what is wrong with the folder before it adds to it', async () => {
    folder.write('tip/v0.prompt', '{{#if x}}');

    const { exitCode, stderr } = await folder.run('new', 'tip', 'v2');

    expect(exitCode).toBe(78);
    expect(stderr).toContain('v0.prompt:1:1');
    expect(exists('tip/v2.prompt')).toBe(false);
  });
});
