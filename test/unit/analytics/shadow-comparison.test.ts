import { describe, expect, test } from '@jest/globals';
import { errorShares, latencyRatio, SHADOW_ALPHA } from '../../../src/analytics/shadow-comparison.ts';
import { addedSums } from '../../../src/analytics/shadow-sums.ts';
import { seededRandom } from '../../../src/kernel/index.ts';
import { sampleNormal } from '../../../src/statistics/index.ts';

const RUNS = 300;
const PAIRS = 600;
const LOOK_EVERY = 40;

/** Four standard errors of a share of {@link SHADOW_ALPHA} over the runs. */
const ALLOWED = SHADOW_ALPHA + 4 * Math.sqrt((SHADOW_ALPHA * (1 - SHADOW_ALPHA)) / RUNS);

describe('under continuous peeking', () => {
  test('the difference of failures on the same calls hardly ever leaves out the truth', () => {
    const random = seededRandom(11);
    let everWrong = 0;
    for (let run = 0; run < RUNS; run += 1) {
      const counts = { live: 0, shadow: 0, liveOnly: 0, shadowOnly: 0 };
      let wrong = false;
      for (let pair = 1; pair <= PAIRS; pair += 1) {
        // Four in a hundred calls are hard for both; apart from that both fail alike, two in a hundred.
        const isHard = random.next() < 0.04;
        const live = isHard || random.next() < 0.02;
        const shadow = isHard || random.next() < 0.02;
        counts.live += Number(live);
        counts.shadow += Number(shadow);
        counts.liveOnly += Number(live && !shadow);
        counts.shadowOnly += Number(shadow && !live);
        if (pair % LOOK_EVERY !== 0) continue;
        const { difference } = errorShares({
          ...addedSums([]),
          runs: pair,
          liveFailed: counts.live,
          shadowFailed: counts.shadow,
          liveOnlyFailed: counts.liveOnly,
          shadowOnlyFailed: counts.shadowOnly,
        });
        wrong ||= (difference.lower ?? -1) > 0 || (difference.upper ?? 1) < 0;
      }
      everWrong += Number(wrong);
    }

    expect(everWrong / RUNS).toBeLessThanOrEqual(SHADOW_ALPHA);
  });

  test('the ratio of latencies leaves out the truth no more often than it says, and notices a third more', () => {
    const random = seededRandom(12);
    let everWrong = 0;
    let noticed = 0;
    for (let run = 0; run < RUNS; run += 1) {
      const sums = { n: 0, sum: 0, squares: 0, slower: 0, slowerSquares: 0 };
      let wrong = false;
      let notice = false;
      for (let pair = 1; pair <= PAIRS; pair += 1) {
        const logRatio = 0.5 * sampleNormal(random);
        const slower = logRatio + Math.log(4 / 3);
        sums.sum += logRatio;
        sums.squares += logRatio ** 2;
        sums.slower += slower;
        sums.slowerSquares += slower ** 2;
        if (pair % LOOK_EVERY !== 0) continue;
        const same = ratioOf(pair, sums.sum, sums.squares);
        const other = ratioOf(pair, sums.slower, sums.slowerSquares);
        wrong ||= (same?.lower ?? 0) > 1 || (same?.upper ?? 2) < 1;
        notice ||= (other?.lower ?? 0) > 1;
      }
      everWrong += Number(wrong);
      noticed += Number(notice);
    }

    expect(everWrong / RUNS).toBeLessThan(ALLOWED);
    expect(noticed / RUNS).toBeGreaterThan(0.95);
  });
});

function ratioOf(latencyPairs: number, logRatioSum: number, logRatioSumSq: number) {
  return latencyRatio({ ...addedSums([]), latencyPairs, logRatioSum, logRatioSumSq });
}
