import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { createPromptsFolder, type PromptsFolder } from './prompts-folder.ts';

let folder: PromptsFolder;
beforeEach(() => {
  folder = createPromptsFolder();
  folder.write(
    'tip/v1.prompt',
    '---\nconfig:\n  temperature: 0.2\ninput:\n  schema:\n    mood: string\n---\nA tip for a {{mood}} day.\n',
  );
  folder.write(
    'tip/v2.prompt',
    '---\nconfig:\n  temperature: 0.9\ninput:\n  schema:\n    mood?: string\n    goal: string\n    profile(object):\n      hour?: integer\n  default:\n    goal: rest\n---\nA warm tip for a {{mood}} day about {{goal}}{{profile.hour}}.\n',
  );
  folder.write(
    'tip/v10.prompt',
    '---\ninput:\n  schema:\n    mood: string\n---\nA tip for a {{mood}} day.\n',
  );
  folder.write(
    'tip/cases.yaml',
    [
      '- name: a good day',
      '  versions: [v1, v10]',
      '  input: {variables: {mood: good}}',
      '  messages: [{role: user, content: A tip for a good day.}]',
      '- name: with a goal',
      '  version: v2',
      '  input: {variables: {mood: bad, goal: sleep}}',
      '  messages: [{role: user, content: A warm tip for a bad day about sleep.}]',
      '',
    ].join('\n'),
  );
});
afterEach(() => folder.remove());

describe('prompts diff', () => {
  test('shows text, variables, defaults, parameters, schema and what the cases render', async () => {
    const { exitCode, stdout } = await folder.run('diff', 'tip', 'v1', 'v2');

    expect(exitCode).toBe(0);
    expect(stdout).toContain('--- tip/v1.prompt\n+++ tip/v2.prompt\n');
    expect(stdout).toContain('-A tip for a {{mood}} day.');
    expect(stdout).toContain('~ mood: required string -> optional null or string');
    expect(stdout).toContain('+ goal: optional string');
    expect(stdout).toContain('+ profile.hour: optional integer or null');
    expect(stdout).toContain('+ goal: rest');
    expect(stdout).toContain('~ config.temperature: 0.2 -> 0.9');
    expect(stdout).toContain('Input schema\n--- v1\n+++ v2\n');
    expect(stdout).toContain('Rendered: 2 of 2 cases differ');
    expect(stdout).toContain('-A tip for a good day.\n+A warm tip for a good day about rest.');
    expect(stdout).toContain('-[refused: template_input_invalid]');
  });

  test('compares the newest version with the one before it when none is named', async () => {
    const { stdout } = await folder.run('diff', 'tip', '--json');

    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      from: { version: 'v2' },
      to: { version: 'v10', hash: expect.stringMatching(/^sha256:/) },
    });
  });

  test('leaves out cases of other versions and says which ones render the same', async () => {
    const { stdout } = await folder.run('diff', 'tip', 'v1', 'v10', '--json');

    expect(JSON.parse(stdout).rendered).toEqual([{ case: 'a good day', same: true, diff: '' }]);
  });

  test('says that a version is the same as itself', async () => {
    expect((await folder.run('diff', 'tip', 'v2', 'v2')).stdout).toBe('tip: v2 and v2 are the same text\n');
  });

  test.each([
    [['tip', 'v1', 'v3'], 'prompt "tip" has no version "v3"; known: v1, v2, v10'],
    [['tip', 'v9'], 'prompt "tip" has no version "v9"'],
    [['tap'], 'there is no prompt "tap" (did you mean "tip"?); known: tip'],
  ])('refuses %j with the known ones', async (args, message) => {
    const { exitCode, stdout, stderr } = await folder.run('diff', ...args);

    expect(exitCode).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain(message);
  });

  test('refuses a prompt with one version unless it is named', async () => {
    folder.write('solo/v1.prompt', 'Alone.');

    const { exitCode, stderr } = await folder.run('diff', 'solo');

    expect(exitCode).toBe(1);
    expect(stderr).toContain('one version only, v1');
  });

  test('warns of a faulty case and compares without it', async () => {
    folder.write('tip/cases.yaml', '- nme: x\n');

    const { exitCode, stderr } = await folder.run('diff', 'tip', 'v1', 'v2');

    expect(exitCode).toBe(0);
    expect(stderr).toContain('prompts/tip/cases.yaml:1:3  unknown key "nme"');
  });
});
