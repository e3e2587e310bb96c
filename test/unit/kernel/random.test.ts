import { describe, expect, test } from '@jest/globals';
import { type Random, seededRandom, systemRandom } from '../../../src/kernel/index.ts';

const DRAWS = 20_000;

describe.each<[string, Random]>([
  ['the system’s', systemRandom],
  ['a seeded', seededRandom(11)],
])('%s generator', (_name, random) => {
  test('draws uniformly from [0, 1)', () => {
    const counts = new Array<number>(10).fill(0);
    for (let draw = 0; draw < DRAWS; draw += 1) {
      const number = random.next();
      expect(number >= 0 && number < 1).toBe(true);
      counts[Math.floor(number * 10)] = (counts[Math.floor(number * 10)] ?? 0) + 1;
    }
    // Chi-squared with 9 degrees of freedom: above 39.3 once in 100,000 runs.
    const expected = DRAWS / 10;
    expect(counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)).toBeLessThan(39.3);
  });
});

test('the same seed gives the same numbers', () => {
  const draw = (seed: number): number[] => {
    const random = seededRandom(seed);
    return [random.next(), random.next(), random.next()];
  };

  expect(draw(5)).toEqual(draw(5));
  expect(draw(5)).not.toEqual(draw(6));
});
