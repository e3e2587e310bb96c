import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fromAnthropicMessage } from '../../../src/providers/anthropic/anthropic-answer.ts';
import { AnthropicStreamCollector } from '../../../src/providers/anthropic/anthropic-stream.ts';
import { ProviderFailure } from '../../../src/providers/index.ts';
import { fromOpenAiCompletion } from '../../../src/providers/openai/openai-answer.ts';
import { OpenAiStreamCollector } from '../../../src/providers/openai/openai-stream.ts';

/** Almost right answers are the dangerous ones: objects of the APIs' own words with anything inside. */
const KEYS = [
  'choices',
  'message',
  'delta',
  'content',
  'tool_calls',
  'function',
  'name',
  'arguments',
  'index',
  'id',
  'model',
  'usage',
  'prompt_tokens',
  'prompt_tokens_details',
  'input_tokens',
  'finish_reason',
  'stop_reason',
  'error',
  'text',
  'input',
  'partial_json',
  'content_block',
  'logprobs',
] as const;
const TYPES = [
  'text',
  'tool_use',
  'message_start',
  'content_block_start',
  'content_block_delta',
  'content_block_stop',
  'message_delta',
  'input_json_delta',
  'text_delta',
];

const { hostile } = fc.letrec<{ hostile: unknown }>((tie) => ({
  hostile: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(null, true, '', 'x', 0, 1, -1, 1.5, 1e300),
    fc.array(tie('hostile'), { maxLength: 3 }),
    fc
      .tuple(
        fc.dictionary(fc.constantFrom(...KEYS), tie('hostile'), { maxKeys: 5 }),
        fc.option(fc.constantFrom(...TYPES), { nil: undefined }),
      )
      .map(([fields, type]) => (type === undefined ? fields : { ...fields, type })),
  ),
}));

function onlyProviderFailures(body: () => unknown): void {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(ProviderFailure);
  }
}

describe('whatever JSON an upstream sends', () => {
  test('a whole answer is read or refused, never a crash', () => {
    fc.assert(
      fc.property(hostile, (answer) => {
        onlyProviderFailures(() =>
          fromOpenAiCompletion(answer, { modelRequested: 'm', costHeader: null, secret: null }),
        );
        onlyProviderFailures(() =>
          fromAnthropicMessage(answer, { modelRequested: 'm', costHeader: null, outputTool: 'x' }),
        );
      }),
      { numRuns: 3_000 },
    );
  });

  test('a stream is read or refused, never a crash, and its text is the sum of its events', () => {
    fc.assert(
      fc.property(fc.array(hostile, { maxLength: 6 }), (events) => {
        const openai = new OpenAiStreamCollector('m');
        const anthropic = new AnthropicStreamCollector('m', 'x');
        let openaiText = '';
        let anthropicText = '';
        onlyProviderFailures(() => {
          for (const event of events) {
            for (const ours of openai.add(event)) if (ours.kind === 'text') openaiText += ours.text;
          }
        });
        onlyProviderFailures(() => {
          for (const event of events) {
            const ours = anthropic.add(event);
            if (ours?.kind === 'text') anthropicText += ours.text;
          }
        });

        expect(anthropic.result().text).toBe(anthropicText);
        // A tool call that fails takes the text of its own delta with it.
        expect(openai.result().text.startsWith(openaiText)).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });
});
