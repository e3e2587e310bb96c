import { describe, expect, test } from '@jest/globals';
import { versionOf } from './temporary-prompts.ts';

describe('checking an answer', () => {
  const JSON_TIP = '---\noutput:\n  schema:\n    tip: string, The tip\n    minutes?: integer\n---\nx';

  test('text always passes, as it is', async () => {
    expect((await versionOf('x')).checkOutput(' {not json')).toEqual({ ok: true, value: ' {not json' });
  });

  test.each([
    '{"tip": "a", "minutes": 3}',
    '\n {"tip": "a", "minutes": 3} \n',
    '```json\n{"tip": "a", "minutes": 3}\n```',
    '```\r\n{"tip": "a",\r\n"minutes": 3}\r\n```\n',
  ])('JSON passes with or without a Markdown fence: %j', async (text) => {
    expect((await versionOf(JSON_TIP)).checkOutput(text)).toEqual({
      ok: true,
      value: { tip: 'a', minutes: 3 },
    });
  });

  test('names every fault by its path and repeats nothing of the answer', async () => {
    const version = await versionOf(JSON_TIP);

    expect(version.checkOutput('{"tipp": "hidden", "minutes": "3"}')).toEqual({
      ok: false,
      faults: [
        { path: 'output.tip', message: 'required: string, The tip' },
        { path: 'output.tipp', message: 'unknown name (did you mean "tip"?)' },
        { path: 'output.minutes', message: 'must be integer or null, got string' },
      ],
    });
    expect(version.checkOutput('hidden')).toEqual({
      ok: false,
      faults: [{ path: 'output', message: 'the answer is not valid JSON' }],
    });
    expect(version.checkOutput(' ')).toEqual({
      ok: false,
      faults: [{ path: 'output', message: 'the answer is empty' }],
    });
    expect(version.checkOutput('[]')).toEqual({
      ok: false,
      faults: [{ path: 'output', message: 'must be object, got array' }],
    });
  });

  test('JSON without a schema must only be JSON', async () => {
    const version = await versionOf('---\noutput: {format: json}\n---\nx');

    expect(version.checkOutput('[1]')).toEqual({ ok: true, value: [1] });
    expect(version.checkOutput('[1')).toMatchObject({ ok: false });
  });

  test('two prompts may use the same $id', async () => {
    const text = '---\noutput: {schema: {$id: "https://example.com/s", type: object}}\n---\nx';

    const version = await versionOf(text, { 'p/v2.prompt': text, 'q/v1.prompt': text });

    expect(version.checkOutput('{}').ok).toBe(true);
  });

  test('the front matter becomes settings', async () => {
    const version = await versionOf(
      '---\nmodel: some/model\ndescription: What it does\nconfig: {temperature: 0, topP: 0.9, topK: 3, maxOutputTokens: 5, stopSequences: ["END"], seed: -1, frequencyPenalty: -2, presencePenalty: 2}\ngateway.fallback: [" a ", "b"]\n---\nx',
    );

    expect(version).toMatchObject({
      model: 'some/model',
      description: 'What it does',
      parameters: {
        temperature: 0,
        topP: 0.9,
        topK: 3,
        maxOutputTokens: 5,
        stopSequences: ['END'],
        seed: -1,
        frequencyPenalty: -2,
        presencePenalty: 2,
      },
      fallbackLines: ['a', 'b'],
      file: 'p/v1.prompt',
      locked: false,
      retired: false,
    });
  });
});
