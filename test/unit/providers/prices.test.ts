import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Usage } from '../../../src/providers/index.ts';
import { PRICE_TABLE_VERSION, priceOf } from '../../../src/providers/prices/index.ts';
import type { ModelPrice } from '../../../src/providers/prices/model-price.ts';
import { PRICE_TABLE } from '../../../src/providers/prices/price-table.ts';

const usage = (fields: Partial<Usage>): Usage => ({
  inputTokens: 1_000,
  outputTokens: 500,
  cachedInputTokens: null,
  reasoningTokens: null,
  raw: null,
  ...fields,
});

const TABLE: Readonly<Record<string, ModelPrice>> = {
  // 1 and 2 dollars per million tokens, a tenth for cached ones, up to 100,000 tokens.
  'model-a': [1_000_000, 2_000_000, 100_000, 1_250_000, 100_000],
  'model-b': [1_000_000, 2_000_000, null, null, null],
};

describe('the price of a call', () => {
  test('is input plus output, in nano-dollars', () => {
    expect(priceOf(['model-a'], usage({}), TABLE)).toBe(1_000 * 1_000 + 500 * 2_000);
  });

  test('charges cached input at its own price', () => {
    expect(priceOf(['model-a'], usage({ cachedInputTokens: 400 }), TABLE)).toBe(
      600 * 1_000 + 400 * 100 + 500 * 2_000,
    );
  });

  test('charges what Anthropic wrote to its cache', () => {
    const raw = { cache_creation_input_tokens: 200 };
    expect(priceOf(['model-a'], usage({ raw }), TABLE)).toBe(800 * 1_000 + 200 * 1_250 + 500 * 2_000);
  });

  test.each([
    ['an unknown model', ['model-x'], {}],
    ['unknown input', ['model-a'], { inputTokens: null }],
    ['unknown output', ['model-a'], { outputTokens: null }],
    ['more input than the price holds for', ['model-a'], { inputTokens: 100_001 }],
    ['cached input without a price', ['model-b'], { cachedInputTokens: 1 }],
    ['more cached input than input', ['model-a'], { cachedInputTokens: 1_001 }],
    ['a name of Object.prototype', ['constructor'], {}],
  ])('is unknown, not zero, for %s', (_name, models, fields) => {
    expect(priceOf(models, usage(fields), TABLE)).toBeNull();
  });

  test('finds a name behind a proxy’s prefix, and the first of several it knows', () => {
    expect(priceOf(['openai/model-a'], usage({}), TABLE)).toBe(2_000_000);
    expect(priceOf(['nobody', 'model-b'], usage({}), TABLE)).toBe(2_000_000);
  });

  test('is a whole number that never falls when tokens are added', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(PRICE_TABLE)),
        fc.nat(50_000),
        fc.nat(50_000),
        fc.nat(1_000),
        (model, inputTokens, outputTokens, more) => {
          const cost = priceOf([model], usage({ inputTokens, outputTokens })) ?? Number.NaN;
          const dearer =
            priceOf([model], usage({ inputTokens: inputTokens + more, outputTokens: outputTokens + more })) ??
            Number.NaN;

          expect(Number.isSafeInteger(cost)).toBe(true);
          expect(dearer).toBeGreaterThanOrEqual(cost);
        },
      ),
    );
  });

  test('of one known model, from the vendored table', () => {
    // gpt-4o-mini: 0.15 and 0.60 dollars per million tokens (OpenAI's price page, 2026).
    expect(priceOf(['gpt-4o-mini'], usage({}))).toBe(1_000 * 150 + 500 * 600);
    expect(PRICE_TABLE_VERSION).toMatch(/^\d{4}-\d{2}-\d{2}\+litellm-\d+\.\d+\.\d+$/);
  });
});

describe('the price table', () => {
  test('holds the default models of the shipped configuration', () => {
    expect(Object.keys(PRICE_TABLE)).toEqual(expect.arrayContaining(['gpt-4o-mini', 'claude-haiku-4-5']));
  });

  test('holds only whole pico-dollars, and none for free', () => {
    for (const [model, [input, output, read, write, most]] of Object.entries(PRICE_TABLE)) {
      expect([model, input + output > 0]).toEqual([model, true]);
      for (const value of [input, output, read, write, most]) {
        expect([model, value === null || (Number.isSafeInteger(value) && value >= 0)]).toEqual([model, true]);
      }
    }
  });
});
