import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { OfflineLanguageModel } from '../../../src/providers/offline/index.ts';
import { wordPieces } from '../../../src/providers/offline/offline-language-model.ts';
import { failureOf, modelRequest } from '../../helpers/model-request.ts';
import { NEVER_ABORTED } from '../../helpers/route-for-test.ts';

const model = new OfflineLanguageModel('offline');
const LINES = ['one', 'two', 'three', 'four'];

describe('authored lines', () => {
  test('are chosen by the generation id: the same call, the same line', async () => {
    const request = modelRequest({ fallbackLines: LINES, generationId: 'gen_7' });

    const first = await model.generate(request, NEVER_ABORTED);
    const second = await model.generate(request, NEVER_ABORTED);

    expect(second.text).toBe(first.text);
  });

  test('are all used, evenly', async () => {
    const counts = new Map<string, number>();
    for (let call = 0; call < 4_000; call += 1) {
      const request = modelRequest({ fallbackLines: LINES, generationId: `gen_${call}` });
      const { text } = await model.generate(request, NEVER_ABORTED);
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }

    // A quarter each, give or take five standard deviations of a binomial: sqrt(4000 × 0.25 × 0.75) = 27.
    for (const line of LINES) expect(Math.abs((counts.get(line) ?? 0) - 1_000)).toBeLessThan(137);
  });

  test('claim no tokens and no model', async () => {
    const result = await model.generate(modelRequest({ fallbackLines: LINES }), NEVER_ABORTED);

    expect(result).toMatchObject({
      model: 'authored',
      usage: { inputTokens: null, outputTokens: null },
      upstreamCostNanoUsd: null,
    });
  });

  test('are missed with a failure when the prompt has none', async () => {
    expect(await failureOf(model.generate(modelRequest(), NEVER_ABORTED))).toMatchObject({
      failureClass: 'bad_request',
      message: expect.stringContaining('gateway.fallback'),
    });
  });

  test('stream in pieces that are the line again', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'ß', ' ', '\n', '👟') }), (line) => {
        expect(wordPieces(line).join('')).toBe(line);
      }),
    );
  });
});
