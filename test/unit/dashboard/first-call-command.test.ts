import { execFileSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import {
  firstCallCommand,
  firstOutcomeCommand,
} from '../../../src/dashboard/generations/first-call-command.ts';

const ORIGIN = 'http://127.0.0.1:8787';

/** What the shell makes of a command: its words, with a function in the place of curl. */
function wordsOf(command: string): readonly string[] {
  const script = `curl() { printf '%s\\n' "$@"; }\n${command}`;
  const environment = { PATH: process.env['PATH'] ?? '', PROMPT_GATEWAY_KEY: 'pgw_x_y' };
  return execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8', env: environment })
    .trimEnd()
    .split('\n');
}

describe('the command of an empty state', () => {
  test('calls the default prompt without a key where none is asked for', () => {
    expect(wordsOf(firstCallCommand({ origin: ORIGIN, isOpen: true, prompt: null }))).toEqual([
      '-s',
      `${ORIGIN}/generate`,
      '-H',
      'content-type: application/json',
      '-d',
      '{"variables":{},"external_id":"try-1"}',
    ]);
  });

  test('takes the key from the environment where one is asked for', () => {
    const words = wordsOf(firstCallCommand({ origin: ORIGIN, isOpen: false, prompt: 'tip' }));

    expect(words).toContain('Authorization: Bearer pgw_x_y');
    expect(words.at(-1)).toContain('"prompt":"tip"');
  });

  test('survives an apostrophe in what it quotes', () => {
    const command = firstOutcomeCommand({
      origin: ORIGIN,
      isOpen: true,
      generationId: 'gen_1',
      metric: "it's",
      value: 'love',
    });

    expect(wordsOf(command).at(-1)).toBe('{"generation_id":"gen_1","metric":"it\'s","value":"love"}');
  });
});
