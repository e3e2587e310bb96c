import { describe, expect, test } from '@jest/globals';
import { seededRandom } from '../../../src/kernel/index.ts';
import {
  betaBinomialInterval,
  betaPosterior,
  bucketedPropensities,
  chooseByWeights,
  differenceInterval,
  differenceSequence,
  foldDecision,
  foldDifference,
  gammaExponentialInterval,
  gammaExponentialSequence,
  type Interval,
  thompsonPropensities,
  withFloor,
} from '../../../src/statistics/index.ts';

/**
 * The promise that matters under a learning policy: whoever looks after every single decision sees the running average of
 * the true value outside in at most a share alpha of all experiments. Alpha is great here so that misses are common
 * enough to be counted.
 */
const RUNS = 60;
const DECISIONS = 240;
const ALPHA = 0.3;
const FLOOR = 0.1;

/** 99.9 % of the binomial share with RUNS draws lies below this, if the true share is ALPHA. */
const HIGHEST_SHARE = ALPHA + 3.09 * Math.sqrt((ALPHA * (1 - ALPHA)) / RUNS);

interface Scenario {
  readonly name: string;
  /** Mean reward of both arms at decision t with the given context, 0 or 1. */
  readonly means: (t: number, context: number) => readonly [number, number];
  /** Contexts change the assignment: arm 0 is preferred in context 0, arm 1 in context 1. */
  readonly isContextual: boolean;
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'Thompson sampling of equal arms', means: () => [0.3, 0.3], isContextual: false },
  {
    name: 'Thompson sampling while the better arm changes',
    means: (t) => [0.6 - (0.4 * t) / DECISIONS, 0.2 + (0.6 * t) / DECISIONS],
    isContextual: false,
  },
  {
    name: 'assignment by a context that also moves the reward',
    means: (_t, context) => (context === 0 ? [0.2, 0.2] : [0.7, 0.7]),
    isContextual: true,
  },
];

type Statement = 'ips' | 'doublyRobust' | 'difference' | 'armsAlone';

/** Share of experiments in which each statement is wrong after any decision. */
function everMissed({ means, isContextual }: Scenario): Readonly<Record<Statement, number>> {
  const missed: Record<Statement, number> = { ips: 0, doublyRobust: 0, difference: 0, armsAlone: 0 };
  for (let run = 1; run <= RUNS; run += 1) {
    const random = seededRandom(run);
    const totals = [
      { n: 0, sum: 0 },
      { n: 0, sum: 0 },
    ];
    const wrong = new Set<Statement>();
    let ips = gammaExponentialSequence(0);
    let doublyRobust = gammaExponentialSequence(0.5);
    let difference = differenceSequence({ arm: 1, baseline: 0, minPropensity: FLOOR });
    let learned: readonly number[] = [0.5, 0.5];
    let valueOfArm = 0;
    let valueOfDifference = 0;
    for (let t = 1; t <= DECISIONS; t += 1) {
      const context = random.next() < 0.5 ? 0 : 1;
      if (t % 20 === 0) {
        const best = thompsonPropensities(totals.map((total) => betaPosterior(total)));
        learned = bucketedPropensities(withFloor(best, FLOOR), FLOOR);
      }
      const byContext = context === 0 ? [0.85, 0.15] : [0.15, 0.85];
      const propensities = isContextual ? byContext : learned;
      const truth = means(t, context);
      const chosen = chooseByWeights(random.next(), propensities) ?? 0;
      const reward = random.next() < (truth[chosen] ?? 0) ? 1 : 0;
      const qHat = totals.map(({ n, sum }) => (sum + 0.5) / (n + 1));
      const decision = { propensities, chosen, reward, qHat };
      ips = foldDecision(ips, { ...decision, target: [1, 0] });
      doublyRobust = foldDecision(doublyRobust, { ...decision, target: [1, 0] });
      difference = foldDifference(difference, decision);
      const { n, sum } = totals[chosen] ?? { n: 0, sum: 0 };
      totals[chosen] = { n: n + 1, sum: sum + reward };
      valueOfArm += truth[0];
      valueOfDifference += truth[1] - truth[0];
      const alone = totals[0] ?? { n: 0, sum: 0 };
      const check = (statement: Statement, { lower, upper }: Interval, value: number): void => {
        if (value / t < lower || value / t > upper) wrong.add(statement);
      };
      check('ips', gammaExponentialInterval(ips, ALPHA), valueOfArm);
      check('doublyRobust', gammaExponentialInterval(doublyRobust, ALPHA), valueOfArm);
      check('difference', differenceInterval(difference, ALPHA), valueOfDifference);
      check('armsAlone', betaBinomialInterval({ ...alone, alpha: ALPHA }), valueOfArm);
    }
    for (const statement of wrong) missed[statement] += 1 / RUNS;
  }
  return missed;
}

describe('looking after every decision', () => {
  test.each(SCENARIOS)('the sequences are wrong at most as often as promised: $name', (scenario) => {
    const missed = everMissed(scenario);

    expect(missed.ips).toBeLessThanOrEqual(HIGHEST_SHARE);
    expect(missed.doublyRobust).toBeLessThanOrEqual(HIGHEST_SHARE);
    expect(missed.difference).toBeLessThanOrEqual(HIGHEST_SHARE);
    // The simulation can fail: an interval from the arm's own rewards misses nearly always under a context.
    if (scenario.isContextual) expect(missed.armsAlone).toBeGreaterThan(0.9);
  });
});
