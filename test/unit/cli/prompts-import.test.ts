import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { createPromptsFolder, type PromptsFolder } from './prompts-folder.ts';

let folder: PromptsFolder;
beforeEach(() => {
  folder = createPromptsFolder();
  folder.write('tip/v1.prompt', 'A tip.');
});
afterEach(() => folder.remove());

function foreign(file: string, text: string): string {
  const path = join(folder.path, 'theirs', file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

const written = (file: string): boolean => existsSync(join(folder.path, 'prompts', file));

const FOREIGN = `\uFEFF---\r
# Written elsewhere.
name: greeting
model: googleai/gemini-2.5-flash # fast
tools: [weather]
metadata:
  team: growth
config:
  temperature: 0.4
  max_tokens: 100
  stop: END
  apiVersion: v2
  topP: 7
input:
  schema:
    name: string
  hint: x
output:
  format: media
---
Hello {{name}}!
`;

describe('prompts import', () => {
  test('changes what must be changed, keeps the rest, and lists each change at its place', async () => {
    const path = foreign('greeting.prompt', FOREIGN);

    const { exitCode, stdout } = await folder.run('import', path);

    expect(exitCode).toBe(0);
    expect(stdout).toContain(`imported: ${path} as greeting/v1.prompt`);
    for (const change of [
      '3:1  removed "name": name and version come from the path',
      '5:1  moved "tools" to "imported.tools", which is not read: tools come with the request',
      '6:1  moved "metadata" to "imported.metadata"',
      '10:3  renamed "config.max_tokens" to "config.maxOutputTokens"',
      '11:3  renamed "config.stop" to "config.stopSequences"',
      '12:3  moved "config.apiVersion" to "imported.config.apiVersion", which is not read: unknown key',
      '13:3  moved "config.topP" to "imported.config.topP", which is not read: config.topP must be a number from 0 to 1',
      '17:3  moved "input.hint" to "imported.input.hint"',
      '19:3  moved "output.format" to "imported.output.format": formats are text and json',
    ]) {
      expect(stdout).toContain(`${path}:${change}`);
    }
    const text = folder.read('greeting/v1.prompt');
    expect(text).toContain('# Written elsewhere.');
    expect(text).toContain('model: googleai/gemini-2.5-flash # fast');
    expect(text).not.toContain('\r');
    expect(await folder.run('lint', 'greeting', '--json')).toMatchObject({ exitCode: 0 });
    const rendered = await folder.run('render', 'greeting', 'v1', '--var', 'name=you');
    expect(rendered.stdout).toBe('[user]\nHello you!\n');
  });

  test('leaves a file that needs no change as it is', async () => {
    const text = '---\nmodel:   m\n---\n\nHello.\n';

    const { stdout } = await folder.run('import', foreign('hello.prompt', text), '--json');

    expect(JSON.parse(stdout)).toMatchObject({ ok: true, written: true, files: [{ to: 'hello/v1.prompt' }] });
    expect(folder.read('hello/v1.prompt')).toBe(text);
  });

  test('names files of a folder by variant, folder and number, with their partials', async () => {
    foreign('Greeting Card.prompt', 'Hi {{>tone}}');
    foreign('greeting-card.formal.prompt', 'Good day');
    foreign('mail/short.prompt', 'Mail');
    foreign('tip/v2.prompt', 'Tip two');
    foreign('_tone.prompt', 'kindly');

    const { exitCode, stdout } = await folder.run('import', join(folder.path, 'theirs'), '--json');

    expect(exitCode).toBe(0);
    const names = JSON.parse(stdout).files.map(({ to }: { to: string }) => to);
    expect(names.sort()).toEqual([
      '_tone.prompt',
      'greeting-card/formal.prompt',
      'greeting-card/v1.prompt',
      'mail-short/v1.prompt',
      'tip/v2.prompt',
    ]);
    expect(folder.read('tip/v1.prompt')).toBe('A tip.');
    const { stdout: shown } = await folder.run('render', 'greeting-card', 'v1');
    expect(shown).toContain('Hi kindly');
  });

  test('takes the name and version that are given, and the next free number without', async () => {
    const path = foreign('x.prompt', 'X');

    await folder.run('import', path, '--prompt', 'tip', '--as', 'warm');
    await folder.run('import', path, '--prompt', 'tip');

    expect(written('tip/warm.prompt')).toBe(true);
    expect(written('tip/v2.prompt')).toBe(true);
  });

  test('writes nothing for a trial', async () => {
    const { exitCode, stdout } = await folder.run('import', foreign('x.prompt', 'X'), '--dry-run');

    expect(exitCode).toBe(0);
    expect(stdout).toContain('would import: ');
    expect(written('x')).toBe(false);
  });

  test('writes nothing at all when one file cannot be read here, and says why', async () => {
    foreign('good.prompt', 'Good');
    foreign('bad.prompt', '{{uppercase name}}\n{{#if}}');

    const { exitCode, stdout } = await folder.run('import', join(folder.path, 'theirs'));

    expect(exitCode).toBe(1);
    expect(stdout).toContain(`fault: ${join(folder.path, 'theirs', 'bad.prompt')}:`);
    expect(stdout).toContain('nothing was written');
    expect(written('good')).toBe(false);
    expect(written('bad')).toBe(false);
  });

  test('tells the faults of a changed file at their place in the foreign one', async () => {
    const text =
      '---\nname: x\nversion: 3\ninput:\n  schema:\n    q: string\n---\n\n\n{{q}}\n  {{w}}\n{{q}}\n  {{w}}\n';
    const path = foreign('x.prompt', text);

    const { exitCode, stdout } = await folder.run('import', path, '--json');

    expect(exitCode).toBe(1);
    const { faults } = JSON.parse(stdout) as { faults: { path: string }[] };
    expect(faults.map((fault) => fault.path)).toEqual([`${path}:11:5`, `${path}:13:5`]);
  });

  test('takes .prompt files only', async () => {
    const { exitCode, stderr } = await folder.run('import', foreign('notes.txt', 'Notes'));

    expect(exitCode).toBe(1);
    expect(stderr).toContain('notes.txt is no .prompt file');
    expect(written('notes')).toBe(false);
  });

  test('says for a partial that is there already what helps', async () => {
    foreign('_tone.prompt', 'Kind.');
    folder.write('_tone.prompt', 'Stern.');

    const { exitCode, stderr } = await folder.run('import', join(folder.path, 'theirs'));

    expect(exitCode).toBe(1);
    expect(stderr).toContain('_tone.prompt exists already');
    expect(stderr).toContain('rename this partial');
  });

  test.each([
    ['---\nmodel: [\n---\nx', 'front matter is not valid YAML'],
    ['---\nmodel: x\n', 'front matter is not closed'],
  ])('names the place of front matter that is none: %j', async (text, message) => {
    const { exitCode, stdout } = await folder.run('import', foreign('x.prompt', text));

    expect(exitCode).toBe(1);
    expect(stdout).toContain(message);
    expect(stdout).toContain('x.prompt:');
  });

  test('does not hold the faults of other prompts against a file', async () => {
    folder.write('broken/v1.prompt', '{{#if x}}');

    expect((await folder.run('import', foreign('x.prompt', 'X'))).exitCode).toBe(0);
  });

  test('overwrites nothing', async () => {
    const { exitCode, stderr } = await folder.run(
      ...['import', foreign('x.prompt', 'X'), '--prompt', 'tip', '--as', 'v1'],
    );

    expect(exitCode).toBe(1);
    expect(stderr).toContain('tip/v1.prompt exists already');
    expect(folder.read('tip/v1.prompt')).toBe('A tip.');
  });

  test.each([
    [['nowhere.prompt'], 'cannot read nowhere.prompt'],
    [['.', '--prompt', 'x'], ''],
  ])('refuses %j', async (args, message) => {
    const { exitCode, stderr } = await folder.run('import', ...args);

    expect(exitCode).toBe(1);
    expect(stderr).toContain(message);
  });
});
