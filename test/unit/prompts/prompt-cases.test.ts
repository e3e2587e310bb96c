import { describe, expect, test } from '@jest/globals';
import { loadPromptRegistry, type PromptCaseReport, runPromptCases } from '../../../src/prompts/index.ts';
import { LIMITS, type PromptFiles, writePrompts } from './temporary-prompts.ts';

async function run(cases: string, more: PromptFiles = {}): Promise<PromptCaseReport> {
  const directory = await writePrompts({
    'tip/v1.prompt':
      '---\ninput:\n  schema:\n    a: string\n---\n{{role "system"}}S{{role "user"}}{{fence a}}',
    'tip/cases.yaml': cases,
    ...more,
  });
  const load = await loadPromptRegistry({ directory, limits: LIMITS, strict: false });
  if (!load.ok) throw new Error(JSON.stringify(load.faults));
  return runPromptCases(load.registry, directory);
}

const EXPECTED = `
  messages:
    - { role: system, content: S }
    - role: user
      content: |
        <<untrusted 00000000000000000000000000000000>>
        x
        <</untrusted 00000000000000000000000000000000>>
`;

describe('running cases', () => {
  test('a case that holds', async () => {
    const report = await run(`- name: one\n  version: v1\n  input: {variables: {a: x}}${EXPECTED}`);

    expect(report).toEqual({
      results: [{ prompt: 'tip', version: 'v1', name: 'one', ok: true, faults: [] }],
      uncovered: [],
      faults: [],
    });
  });

  test('a case that fails says what differs and where it stands', async () => {
    const report = await run(
      `- name: one\n  version: v1\n  input: {variables: {a: x}}\n  messages: [{role: user, content: S}]\n`,
    );

    expect(report.results[0]?.ok).toBe(false);
    expect(report.results[0]?.faults.map((fault) => `${fault.path} ${fault.message}`)).toEqual([
      'prompts/tip/cases.yaml:1:3 expected 1 messages, got 2 (system, user)',
      'prompts/tip/cases.yaml:1:3 message 1: expected role user, got system',
    ]);
  });

  test('an expected error holds by code and path', async () => {
    const wanted = (error: string): string => `- name: e\n  version: v1\n  error: ${error}\n`;

    expect((await run(wanted('{code: template_input_invalid, path: variables.a}'))).results[0]?.ok).toBe(
      true,
    );
    expect((await run(wanted('{code: template_input_invalid, path: variables.b}'))).results[0]?.ok).toBe(
      false,
    );
    expect((await run(wanted('{code: template_limit_exceeded}'))).results[0]?.ok).toBe(false);
    const rendered = await run(
      `- name: e\n  version: v1\n  input: {variables: {a: x}}\n  error: {code: internal}\n`,
    );
    expect(rendered.results[0]?.faults[0]?.message).toBe('expected the error internal, but it rendered');
  });

  test('lists versions in force that no case covers', async () => {
    const report = await run('[]', { 'tip/v2.prompt': 'x' });

    expect(report.uncovered).toEqual(['tip@v1', 'tip@v2']);
  });

  test.each([
    ['- name: [', 'is not valid YAML'],
    ['name: one', 'cases.yaml must be a list of cases'],
    ['- one', 'a case must be a map'],
    ['- version: v1\n  messages: []', 'a case needs a name'],
    [
      '- name: n\n  version: v9\n  messages: []',
      'names version "v9", which does not exist (did you mean "v1"?)',
    ],
    ['- name: n\n  version: 1.10\n  messages: []', 'case "n" needs version: "v1"'],
    ['- name: n\n  version: v1', 'needs either messages or error'],
    ['- name: n\n  version: v1\n  mesages: []', 'unknown key "mesages" (did you mean "messages"?)'],
    ['- name: n\n  version: v1\n  input: {vars: {}}\n  messages: []', 'unknown key "input.vars"'],
    ['- name: n\n  version: v1\n  messages: [{role: tool, content: x}]', 'must be a list of {role, content}'],
  ])('refuses the case file %j', async (cases, fault) => {
    expect((await run(cases)).faults.map((each) => each.message).join('\n')).toContain(fault);
  });
});
