import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { createPromptsFolder, type PromptsFolder } from './prompts-folder.ts';

const CASES = `# Kept.
- name: old   # odd spaces
  version: v1
  messages: [{role: user, content: One.}]

- name: several lines
  version: v2
  input: {variables: {mood: low}} # flow
  messages:
    - role: user
      content: |
        Two
        before.

# Kept, too.
- version: v2
  messages: [{role: user, content: Two before.}] # beside
  name: messages in the middle
- name: both
  versions: [v2, v3]
  messages: [{role: user, content: x}]
- name: an error
  version: v2
  error: {code: template_input_invalid}
`;

let folder: PromptsFolder;
beforeEach(async () => {
  folder = createPromptsFolder();
  folder.write('tip/v1.prompt', 'One.');
  await folder.run('lock');
  folder.write('tip/v2.prompt', 'Two\n"after"{{#if mood}}: {{mood}}{{/if}}.');
  folder.write('tip/v3.prompt', 'Three.');
  folder.write('tip/cases.yaml', CASES);
});
afterEach(() => folder.remove());

describe('prompts test --update', () => {
  test('writes what drafts render into their cases, and changes nothing else', async () => {
    const { stderr } = await folder.run('test', 'tip', '--update');

    expect(stderr).toBe('updated: tip: several lines\nupdated: tip: messages in the middle\n');
    const text = folder.read('tip/cases.yaml');
    expect(text).toContain(
      '# Kept.\n- name: old   # odd spaces\n  version: v1\n  messages: [{role: user, content: One.}]\n',
    );
    expect(text).toContain(
      '  input: {variables: {mood: low}} # flow\n  messages:\n    - role: user\n      content: |\n        Two\n        "after": low.\n',
    );
    expect(text).toContain('# Kept, too.\n- version: v2\n');
    expect(text).toContain('  name: messages in the middle\n');
    expect(text).toContain('- name: both\n  versions: [v2, v3]\n  messages: [{role: user, content: x}]\n');
    expect(text).toContain('  error: {code: template_input_invalid}\n');
  });

  test('makes the cases of drafts pass, and a second run has nothing to do', async () => {
    folder.write('tip/cases.yaml', CASES.slice(0, CASES.indexOf('- name: both')));
    folder.write('tip/v3.prompt', 'Two\n"after"{{#if mood}}: {{mood}}{{/if}}.');

    const first = await folder.run('test', '--update', '--json');
    const written = folder.read('tip/cases.yaml');
    const second = await folder.run('test', '--update');

    expect(JSON.parse(first.stdout)).toMatchObject({ passed: 3, failed: [] });
    expect(second.stderr).toBe('');
    expect(folder.read('tip/cases.yaml')).toBe(written);
  });

  test('leaves a case of a released version to fail', async () => {
    const faulty = CASES.replace('content: One.', 'content: Won.');
    folder.write('tip/cases.yaml', faulty);

    const { exitCode, stdout } = await folder.run('test', '--update');

    expect(exitCode).toBe(1);
    expect(stdout).toContain('failed: tip@v1 "old"');
    expect(folder.read('tip/cases.yaml')).toContain('content: Won.');
  });

  test('does not go with --live', async () => {
    expect((await folder.run('test', 'tip', '--update', '--live')).exitCode).toBe(2);
  });
});
