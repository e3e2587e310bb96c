import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';

import { type ScriptedUpstream, startScriptedUpstream } from '../../../src/cli/demo/scripted-upstream.ts';
import { seededRandom, systemClock } from '../../../src/kernel/index.ts';
import { startScriptedUpstream as startRefusingUpstream } from '../../helpers/scripted-upstream.ts';
import { createPromptsFolder, type PromptsFolder } from './prompts-folder.ts';

let upstream: ScriptedUpstream;
/** Refuses every key. */
let closed: { readonly url: string; close(): Promise<void> };
beforeAll(async () => {
  upstream = await startScriptedUpstream({
    clock: systemClock,
    random: seededRandom(7),
    recognise: (rendered) => (rendered.includes('warm') ? 'v2' : 'v1'),
  });
  closed = await startRefusingUpstream((_call, response) => {
    response.writeHead(401, { 'content-type': 'application/json' });
    response.end('{"error":{"message":"no such key"}}');
  });
});
afterAll(async () => {
  await upstream.close();
  await closed.close();
});

let folder: PromptsFolder;
beforeEach(() => {
  folder = createPromptsFolder({
    providers: {
      up: { kind: 'openai', base_url: upstream.baseUrl },
      down: { kind: 'openai', base_url: closed.url },
      offline: { kind: 'offline' },
    },
    routes: {
      broken: {
        targets: [
          { provider: 'down', model: upstream.model },
          { provider: 'offline', order: 2 },
        ],
        retries: { attempts_per_target: 1 },
      },
      default: { targets: [{ provider: 'offline' }] },
      cheap: { targets: [{ provider: 'up', model: upstream.model }], retries: { attempts_per_target: 1 } },
    },
  });
  const prompt = (extra: string, text: string): string =>
    `---\ninput:\n  schema:\n    mood: string\ngateway.fallback:\n  - '{"a": 1}'\n${extra}---\n${text} for {{mood}}.\n`;
  folder.write('tip/v0.prompt', prompt('', 'An old tip'));
  folder.write('tip/v1.prompt', prompt('', 'A tip'));
  folder.write('tip/v2.prompt', prompt('', 'A warm tip'));
  folder.write('tip/v3.prompt', prompt('output:\n  schema:\n    a: number\n', 'A tip as JSON'));
  folder.write(
    'tip/cases.yaml',
    [
      '- name: low mood',
      '  versions: [v1, v3]',
      '  input: {variables: {mood: low}}',
      '  messages: [{role: user, content: not compared}]',
      '- name: no mood',
      '  version: v1',
      '  error: {code: template_input_invalid}',
      '- name: good mood',
      '  version: v2',
      '  input: {variables: {mood: good}}',
      '  messages: [{role: user, content: not compared}]',
      '',
    ].join('\n'),
  );
});
afterEach(() => folder.remove());

describe('prompts test --live', () => {
  test('shows what a model answers to two versions, with tokens, cost and latency', async () => {
    const { exitCode, stdout } = await folder.run(
      'test',
      'tip',
      '--live',
      '--route',
      'cheap',
      '--versions',
      'v1,v2',
    );

    expect(exitCode).toBe(0);
    expect(stdout).toContain('tip by route cheap');
    expect(stdout).toMatch(/low mood\n.*\n│ v1 +│ v2 +│/);
    expect(stdout).toMatch(/good mood\n/);
    expect(stdout).not.toContain('no mood');
    expect(stdout).toMatch(/│ \d+ \+ \d+ tokens, \$0\.\d{6}, \d+ ms/);
    expect(stdout).toMatch(/│ v2 +│ +2 │ +0 │ +\d+ │ +\d+ │ +\$0\.\d{6} │ +\d+ ms │/);
  });

  test('prints the same as JSON, for one version too', async () => {
    const { exitCode, stdout } = await folder.run(
      ...['test', 'tip', '--live', '--route', 'cheap', '--versions', 'v2', '--concurrency', '1', '--json'],
    );

    expect(exitCode).toBe(0);
    const printed = JSON.parse(stdout);
    expect(printed).toMatchObject({ ok: true, prompt: 'tip', route: 'cheap', versions: ['v2'] });
    expect(printed.cases).toEqual([
      {
        name: 'good mood',
        results: [
          {
            version: 'v2',
            ok: true,
            text: expect.stringMatching(/./),
            problem: null,
            faults: [],
            provider: 'up',
            model: expect.stringMatching(/^gpt-4o-mini/),
            input_tokens: expect.any(Number),
            output_tokens: expect.any(Number),
            cost_usd: expect.any(Number),
            latency_ms: expect.any(Number),
          },
        ],
      },
    ]);
  });

  test('compares the two newest versions when none is named, and ends with 1 for an answer that does not fit', async () => {
    const { exitCode, stdout } = await folder.run('test', 'tip', '--live', '--route', 'cheap', '--json');

    expect(exitCode).toBe(1);
    const printed = JSON.parse(stdout);
    expect(printed).toMatchObject({ ok: false, versions: ['v2', 'v3'] });
    expect(printed.cases[0].results).toMatchObject([
      { version: 'v2', ok: true },
      {
        version: 'v3',
        ok: false,
        problem: 'does not fit output.schema',
        faults: [{ path: expect.any(String) }],
      },
    ]);
  });

  test('does not pass authored lines off as answers', async () => {
    const { exitCode, stdout, stderr } = await folder.run('test', 'tip', '--live', '--versions', 'v1');

    expect(exitCode).toBe(1);
    expect(stdout).toContain('! an authored line, no model answered');
    expect(stderr).toContain('warning: Route "default" has no model in use');
  });

  test('says that a provider is not asked any more after its failures', async () => {
    const { exitCode, stdout } = await folder.run(
      ...[
        'test',
        'tip',
        '--live',
        '--route',
        'broken',
        '--versions',
        'v1,v2',
        '--concurrency',
        '1',
        '--json',
      ],
    );

    expect(exitCode).toBe(1);
    const { cases } = JSON.parse(stdout) as { cases: { results: { problem: string }[] }[] };
    const problems = cases.flatMap(({ results }) => results.map(({ problem }) => problem));
    expect(problems[0]).toContain('(down: no such key)');
    expect(problems.at(-1)).toContain('(down not asked after the failures before)');
  });

  test('goes on when a version does not take the input of a case', async () => {
    folder.write('tip/v4.prompt', '---\ninput:\n  schema:\n    goal: string\n---\n{{goal}}\n');

    const { exitCode, stdout } = await folder.run(
      ...['test', 'tip', '--live', '--route', 'cheap', '--versions', 'v1,v4', '--json'],
    );

    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout).cases[0].results).toMatchObject([
      { version: 'v1', ok: true },
      {
        version: 'v4',
        ok: false,
        problem: expect.stringContaining('template_input_invalid'),
        latency_ms: null,
      },
    ]);
  });

  test.each([
    [['tip', '--route', 'cheap'], 2, '--route belongs to --live'],
    [['tip', '--versions', 'v1,v2'], 2, '--versions belongs to --live'],
    [['--concurrency', '2'], 2, '--concurrency belongs to --live'],
    [['--live'], 2, '--live calls a model for every case: name the prompt'],
    [['tip', '--live', '--route', 'chep'], 1, 'There is no route "chep", did you mean "cheap"'],
    [['tip', '--live', '--versions', 'v1,v9'], 1, 'no version "v9"'],
    [['tip', '--live', '--versions', 'v0'], 1, 'has no case that renders v0'],
    [['tip', '--versions', 'v1,,v2'], 2, 'expected one to 3 versions'],
    [['tip', '--live', '--concurrency', '0'], 2, 'expected a whole number from 1 to 32'],
  ])('refuses %j with %d', async (args, code, message) => {
    const { exitCode, stdout, stderr } = await folder.run('test', ...args);

    expect(exitCode).toBe(code);
    expect(stdout).toBe('');
    expect(stderr).toContain(message);
  });
});
