import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { addExactly, ZERO_SUM } from '../../../src/storage/sqlite/exact-sum.ts';

const reward = fc.integer({ min: -1_000_000, max: 1_000_000 }).map((millionths) => millionths / 999_983);

test('gives the same pair in every order', () => {
  fc.assert(
    fc.property(
      fc
        .array(reward, { maxLength: 200 })
        .chain((values) =>
          fc.tuple(fc.constant(values), fc.shuffledSubarray(values, { minLength: values.length })),
        ),
      ([values, shuffled]) => {
        expect(shuffled.reduce(addExactly, ZERO_SUM)).toEqual(values.reduce(addExactly, ZERO_SUM));
      },
    ),
  );
});

test('takes back exactly what was added', () => {
  fc.assert(
    fc.property(fc.array(reward, { maxLength: 200 }), reward, (values, corrected) => {
      const sum = values.reduce(addExactly, ZERO_SUM);

      expect(addExactly(addExactly(sum, corrected), -corrected)).toEqual(sum);
    }),
  );
});

test('does not lose a tenth in ten million', () => {
  let sum = ZERO_SUM;
  for (let count = 0; count < 100_000; count += 1) sum = addExactly(sum, 0.1);

  // A plain double gives 10000.000000018848.
  expect(sum.high).toBe(10_000);
});
