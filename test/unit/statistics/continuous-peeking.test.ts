import { describe, expect, test } from '@jest/globals';
import { type Random, seededRandom } from '../../../src/kernel/index.ts';
import { betaBinomialInterval, betaBinomialLogEvidence } from '../../../src/statistics/index.ts';

/**
 * The promise that matters: somebody who looks after every single reward, and stops as soon as the truth is excluded,
 * succeeds in at most a share alpha of all sequences.
 */
const RUNS = 1_000;
const REWARDS = 200;
const ALPHA = 0.05;

/** 99.9 % of the binomial share with RUNS draws lies below this, if the true share is ALPHA. */
const HIGHEST_SHARE = ALPHA + 3.09 * Math.sqrt((ALPHA * (1 - ALPHA)) / RUNS);

interface Rewards {
  readonly name: string;
  readonly mean: number;
  readonly draw: (random: Random) => number;
}

const bernoulli = (mean: number): Rewards => ({
  name: `0 or 1 with mean ${mean}`,
  mean,
  draw: (random) => (random.next() < mean ? 1 : 0),
});

const REWARD_KINDS: readonly Rewards[] = [
  bernoulli(0.02),
  bernoulli(0.2),
  bernoulli(0.5),
  { name: 'uniform on [0, 1]', mean: 0.5, draw: (random) => random.next() },
  {
    name: 'categories worth 0, 0.7 and 1',
    mean: 0.5 * 0 + 0.3 * 0.7 + 0.2 * 1,
    draw: (random) => {
      const u = random.next();
      return u < 0.5 ? 0 : u < 0.8 ? 0.7 : 1;
    },
  },
];

/** Share of sequences in which `excludes` says so after any reward. */
function shareThatEverExcludes(
  rewards: Rewards,
  seed: number,
  excludes: (n: number, sum: number) => boolean,
): number {
  const random = seededRandom(seed);
  let missed = 0;
  for (let run = 0; run < RUNS; run += 1) {
    let sum = 0;
    let hasMissed = false;
    // The draws go on after a miss, so that every rule sees the same sequences.
    for (let n = 1; n <= REWARDS; n += 1) {
      sum += rewards.draw(random);
      hasMissed ||= excludes(n, sum);
    }
    if (hasMissed) missed += 1;
  }
  return missed / RUNS;
}

describe('reading after every reward', () => {
  test.each(REWARD_KINDS)('excludes the true mean at most as often as promised: $name', (rewards) => {
    const share = shareThatEverExcludes(
      rewards,
      20_261_123,
      (n, sum) => betaBinomialLogEvidence(rewards.mean, { n, sum }) >= Math.log(1 / ALPHA),
    );

    expect(share).toBeLessThanOrEqual(HIGHEST_SHARE);
  });

  test('the simulation can fail: an interval made for a single look misses far more often', () => {
    const rewards = bernoulli(0.5);
    const singleLook = (n: number, sum: number): boolean => {
      const mean = sum / n;
      return n >= 10 && Math.abs(mean - rewards.mean) > 1.96 * Math.sqrt((mean * (1 - mean)) / n);
    };

    expect(shareThatEverExcludes(rewards, 20_261_123, singleLook)).toBeGreaterThan(4 * HIGHEST_SHARE);
  });

  test('the interval itself misses as rarely when it is computed at every look', () => {
    const rewards = bernoulli(0.3);
    const random = seededRandom(7);
    let missed = 0;
    for (let run = 0; run < 100; run += 1) {
      let sum = 0;
      let hasMissed = false;
      for (let n = 1; n <= 100; n += 1) {
        sum += rewards.draw(random);
        const { lower, upper } = betaBinomialInterval({ n, sum, alpha: ALPHA });
        hasMissed ||= rewards.mean < lower || rewards.mean > upper;
      }
      if (hasMissed) missed += 1;
    }

    expect(missed / 100).toBeLessThanOrEqual(ALPHA + 3.09 * Math.sqrt((ALPHA * (1 - ALPHA)) / 100));
  });
});
