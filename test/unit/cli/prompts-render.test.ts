import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { runCaptured } from './captured-context.ts';
import { createPromptsFolder, type PromptsFolder } from './prompts-folder.ts';

let folder: PromptsFolder;
beforeEach(() => {
  folder = createPromptsFolder();
  folder.write(
    'tip/v1.prompt',
    [
      '---',
      'input:',
      '  schema:',
      '    mood: string',
      '    count?: integer',
      '    topics?(array): string',
      '    profile(object):',
      '      hour?: integer',
      '---',
      '{{role "system"~}}',
      'Be brief.',
      '{{~role "user"~}}',
      'I feel {{mood}}{{#if count}} {{count}} times{{/if}}. {{list topics}} {{profile.hour}}',
      '',
    ].join('\n'),
  );
  folder.write('photo/v1.prompt', '{{media url=url contentType="image/png"}}What is this?');
});
afterEach(() => folder.remove());

function file(name: string, text: string): string {
  const path = join(folder.path, name);
  writeFileSync(path, text);
  return path;
}

describe('prompts render', () => {
  test('prints each message under its role', async () => {
    const { exitCode, stdout } = await folder.run('render', 'tip', 'v1', '--var', 'mood=it = "fine"');

    expect(exitCode).toBe(0);
    expect(stdout).toBe('[system]\nBe brief.\n\n[user]\nI feel it = "fine".  \n');
  });

  test('reads variables and profile from files, and --var wins', async () => {
    const vars = file('vars.json', '{"mood": "low", "topics": ["a", "b"]}');
    const profile = file('profile.json', '{"hour": 9, "unknown": 1}');

    const { stdout } = await folder.run(
      ...['render', 'tip', 'v1', '--vars', vars, '--profile', profile],
      ...['--var', 'mood=high', '--var', 'count=3', '--json'],
    );

    expect(JSON.parse(stdout)).toEqual({
      ok: true,
      prompt: 'tip',
      prompt_version: 'v1',
      prompt_hash: expect.stringMatching(/^sha256:/),
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'I feel high 3 times. a, b 9' },
      ],
      variables: { mood: 'high', count: 3, topics: ['a', 'b'] },
    });
  });

  test('reads variables from standard input', async () => {
    const args = ['prompts', 'render', 'tip', 'v1', '--vars', '-', '--config', folder.config];

    const { stdout } = await runCaptured(args, {}, ['{"mood":', '"piped"}']);

    expect(stdout).toContain('I feel piped.');
  });

  test('keeps the text of a variable that looks like a number', async () => {
    const { stdout } = await folder.run('render', 'tip', 'v1', '--var', 'mood=007');

    expect(stdout).toContain('I feel 007.');
  });

  test('shows media by its address', async () => {
    const url = 'https://example.org/a.png';

    const shown = await folder.run('render', 'photo', 'v1', '--var', `url=${url}`);
    const json = await folder.run('render', 'photo', 'v1', '--var', `url=${url}`, '--json');

    expect(shown.stdout).toContain(`[media: ${url}]What is this?`);
    expect(JSON.parse(json.stdout).messages[0].content).toEqual([
      { type: 'media', url, content_type: 'image/png' },
      { type: 'text', text: 'What is this?' },
    ]);
  });

  test('names every fault of the input at once', async () => {
    const { exitCode, stderr } = await folder.run('render', 'tip', 'v1', '--var', 'moood=x');

    expect(exitCode).toBe(1);
    expect(stderr).toContain('variables.mood  ');
    expect(stderr).toContain('variables.moood  ');
  });

  test('says how to give what is no text', async () => {
    const { exitCode, stderr } = await folder.run(
      ...['render', 'tip', 'v1', '--var', 'mood=x', '--var', 'topics=a', '--var', 'count=many'],
    );

    expect(exitCode).toBe(1);
    expect(stderr).toContain('--var topics  is no text by input.schema');
    expect(stderr).toContain('--var count  ');
  });

  test.each([
    ['{"mood": ', 'is not valid JSON'],
    ['["mood"]', 'must hold a JSON object'],
  ])('refuses a file of variables that holds %j', async (text, message) => {
    const { exitCode, stderr } = await folder.run('render', 'tip', 'v1', '--vars', file('bad.json', text));

    expect(exitCode).toBe(1);
    expect(stderr).toContain(message);
  });

  test('refuses a file that is not there', async () => {
    const { exitCode, stderr } = await folder.run('render', 'tip', 'v1', '--profile', 'nowhere.json');

    expect(exitCode).toBe(1);
    expect(stderr).toContain('cannot read nowhere.json');
  });

  test.each([['mood'], ['=x']])('ends with 2 for --var %s', async (given) => {
    const { exitCode, stderr } = await folder.run('render', 'tip', 'v1', '--var', given);

    expect(exitCode).toBe(2);
    expect(stderr).toContain('expected NAME=VALUE');
  });
});
