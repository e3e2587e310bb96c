import { getRandomValues } from 'node:crypto';

/** Randomness as a parameter. `next` is uniform in [0, 1). */
export interface Random {
  next(): number;
}

/** Drawn in blocks: one call of the generator per number would cost a microsecond. */
const BLOCK = new Uint32Array(2 * 512);
let position = BLOCK.length;

/** Unguessable: boundaries around untrusted text are drawn from it. 53 random bits each. */
export const systemRandom: Random = {
  next: () => {
    if (position >= BLOCK.length) {
      getRandomValues(BLOCK);
      position = 0;
    }
    const high = (BLOCK[position] ?? 0) >>> 5;
    const low = (BLOCK[position + 1] ?? 0) >>> 6;
    position += 2;
    return (high * 67_108_864 + low) / 9_007_199_254_740_992;
  },
};

/** A small seeded generator (mulberry32, public domain) for simulations and tests: the same seed, the same numbers. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    next: () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = state;
      mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
    },
  };
}
