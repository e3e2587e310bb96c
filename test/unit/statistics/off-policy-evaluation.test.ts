import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { seededRandom } from '../../../src/kernel/index.ts';
import {
  chooseByWeights,
  type Estimate,
  evaluateOffPolicy,
  foldDecision,
  foldLoggedCell,
  foldLoggedDecision,
  gammaExponentialInterval,
  gammaExponentialSequence,
  type LoggedDecision,
  type OffPolicyEvaluation,
  offPolicyEvaluation,
  offPolicyReport,
} from '../../../src/statistics/index.ts';
import { referenceValues } from '../../helpers/reference-values.ts';

interface Reference {
  readonly tolerance_rel: number;
  readonly case: {
    readonly action: readonly number[];
    readonly reward: readonly number[];
    readonly behavior: readonly (readonly number[])[];
    readonly evaluation: readonly (readonly number[])[];
    readonly q_hat: readonly (readonly number[])[];
    readonly ess: number;
    readonly IPS: number;
    readonly SNIPS: number;
    readonly DM: number;
    readonly DR: number;
    readonly SNDR: number;
    readonly SWITCH_DR_tau1: number;
    readonly DRos_lambda1: number;
  };
}

const reference = referenceValues<Reference>('ope_tiny');
const tiny = reference.case;
const tinyRows: readonly LoggedDecision[] = tiny.action.map((chosen, row) => ({
  chosen,
  reward: tiny.reward[row] ?? Number.NaN,
  propensities: tiny.behavior[row] ?? [],
  target: tiny.evaluation[row] ?? [],
  qHat: tiny.q_hat[row] ?? [],
}));

describe('reference values', () => {
  test('all estimators of twelve decisions', () => {
    const report = evaluateOffPolicy(tinyRows, { switchTau: 1, lambda: 1 });

    for (const [actual, expected] of [
      [report.ips?.value, tiny.IPS],
      [report.snips?.value, tiny.SNIPS],
      [report.dm?.value, tiny.DM],
      [report.dr?.value, tiny.DR],
      [report.sndr?.value, tiny.SNDR],
      [report.switchDr?.value, tiny.SWITCH_DR_tau1],
      [report.drOs?.value, tiny.DRos_lambda1],
      [report.effectiveSampleSize, tiny.ess],
    ] as const) {
      expect(Math.abs((actual ?? Number.NaN) / expected - 1)).toBeLessThanOrEqual(reference.tolerance_rel);
    }
    expect(report.n).toBe(12);
    expect(report.maxWeight).toBeCloseTo(4, 12);
  });
});

/** A log of 0/1 rewards under fixed propensities, with a reward model that is off by a third. */
function simulatedLog(
  seed: number,
  n: number,
  target: readonly number[] = [0.2, 0.2, 0.6],
): readonly LoggedDecision[] {
  const random = seededRandom(seed);
  const means = [0.2, 0.5, 0.4];
  const propensities = [0.5, 0.3, 0.2];
  return Array.from({ length: n }, () => {
    const chosen = chooseByWeights(random.next(), propensities) ?? 0;
    const reward = random.next() < (means[chosen] ?? 0) ? 1 : 0;
    return { propensities, chosen, reward, target, qHat: [0.3, 0.6, 0.3] };
  });
}

describe('standard errors', () => {
  test('by hand: IPS of weights 2 and 0 is 1 ± 1', () => {
    const report = evaluateOffPolicy([
      { propensities: [0.5, 0.5], chosen: 0, reward: 1, target: [1, 0] },
      { propensities: [0.5, 0.5], chosen: 1, reward: 1, target: [1, 0] },
    ]);

    expect(report.ips).toEqual({ value: 1, standardError: 1 });
    // Every row that counts has reward 1: the ratio cannot vary.
    expect(report.snips).toEqual({ value: 1, standardError: 0 });
    expect(report.dm).toBeNull();
  });

  test('are the spread of the estimates over many logs', () => {
    const logs = 200;
    const reports = Array.from({ length: logs }, (_, seed) => evaluateOffPolicy(simulatedLog(seed + 1, 400)));
    const value = 0.2 * 0.2 + 0.2 * 0.5 + 0.6 * 0.4;
    for (const name of ['ips', 'snips', 'dr', 'sndr'] as const) {
      const estimates = reports.map((report) => report[name]).filter((x): x is Estimate => x !== null);
      const mean = estimates.reduce((sum, x) => sum + x.value, 0) / logs;
      const spread = Math.sqrt(estimates.reduce((sum, x) => sum + (x.value - mean) ** 2, 0) / (logs - 1));
      const stated = estimates.reduce((sum, x) => sum + (x.standardError ?? Number.NaN), 0) / logs;

      // Unbiased within 4 standard errors; a standard deviation of 200 numbers is known to 5 %: 4 of these.
      expect(Math.abs(mean - value)).toBeLessThan((4 * spread) / Math.sqrt(logs) + 0.001);
      expect(Math.abs(spread / stated - 1)).toBeLessThan(0.2);
    }
  });

  test('keep their digits when every reward is far from 0', () => {
    const shifted = simulatedLog(1, 500).map(({ qHat: _qHat, ...row }) => row);
    const near = evaluateOffPolicy(shifted);
    const far = evaluateOffPolicy(shifted.map((row) => ({ ...row, reward: row.reward + 1e3 })));

    expect(far.snips?.standardError).toBeCloseTo(near.snips?.standardError ?? Number.NaN, 7);
    expect((far.snips?.value ?? 0) - 1e3).toBeCloseTo(near.snips?.value ?? Number.NaN, 7);
  });
});

describe('the gate', () => {
  test('lets a sound log pass', () => {
    expect(evaluateOffPolicy(simulatedLog(3, 1_000)).gate).toEqual({ ok: true, reasons: [] });
  });

  test('lets a target pass that is the logging policy itself', () => {
    expect(evaluateOffPolicy(simulatedLog(3, 200, [0.5, 0.3, 0.2])).gate.ok).toBe(true);
  });

  test('refuses small logs, also empty ones', () => {
    expect(evaluateOffPolicy(tinyRows).gate.reasons.map(({ fault }) => fault)).toEqual([
      'small_effective_sample',
    ]);
    expect(evaluateOffPolicy([]).gate.ok).toBe(false);
  });

  test('refuses a log in which one row outweighs all others', () => {
    const spike: LoggedDecision = { propensities: [0.999_9, 0.000_1], chosen: 1, reward: 1, target: [0, 1] };
    const rows = [spike, ...new Array<LoggedDecision>(9_999).fill({ ...spike, chosen: 0 })];

    const { gate, maxWeight } = evaluateOffPolicy(rows);

    expect(maxWeight).toBeCloseTo(10_000, 6);
    expect(gate.reasons.map(({ fault }) => fault)).toEqual([
      'small_effective_sample',
      'small_effective_share',
    ]);
  });

  test('refuses a log whose propensities are not true', () => {
    const rows = simulatedLog(5, 1_000).map((row) => ({ ...row, propensities: [0.2, 0.3, 0.5] }));

    expect(evaluateOffPolicy(rows).gate.reasons.map(({ fault }) => fault)).toEqual(['mean_weight_off']);
  });

  test('refuses a target that uses an arm which was never possible, and says how much of it', () => {
    const rows = Array.from({ length: 1_000 }, (_, row) => ({
      propensities: [0.5, 0.5, 0],
      chosen: row % 2,
      reward: 1,
      target: [0.35, 0.35, 0.3],
    }));

    const report = evaluateOffPolicy(rows);

    expect(report.shareWithoutSupport).toBeCloseTo(0.3, 12);
    expect(report.gate.reasons.map(({ fault }) => fault)).toEqual(['support_missing', 'mean_weight_off']);
    expect(report.interval?.upper).toBeGreaterThanOrEqual(1);
  });
});

describe('streaming', () => {
  test('stored and resumed in the middle it gives the same report', () => {
    const rows = simulatedLog(7, 300);
    const half = rows.slice(0, 150).reduce(foldLoggedDecision, offPolicyEvaluation({ switchTau: 2 }));
    const resumed = JSON.parse(JSON.stringify(half)) as OffPolicyEvaluation;

    const report = offPolicyReport(rows.slice(150).reduce(foldLoggedDecision, resumed), 0.1);

    expect(report).toEqual(evaluateOffPolicy(rows, { switchTau: 2, alpha: 0.1 }));
  });

  test('reads any iterable once, in constant memory', () => {
    function* rows(): Iterable<LoggedDecision> {
      for (let row = 0; row < 20_000; row += 1)
        yield { ...tinyRows[row % 12], chosen: tiny.action[row % 12] } as LoggedDecision;
    }

    const many = evaluateOffPolicy(rows(), { switchTau: 1, lambda: 1 });

    expect(many.n).toBe(20_000);
    expect(many.sndr?.value).toBeCloseTo(tiny.SNDR, 3);
    expect(
      JSON.stringify(Array.from(rows()).slice(0, 500).reduce(foldLoggedDecision, offPolicyEvaluation()))
        .length,
    ).toBeLessThan(2_000);
  });

  test('does not depend on the order of the rows, but for the interval', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...tinyRows], { minLength: 12, maxLength: 12 }), (shuffled) => {
        const { interval: _first, ...expected } = evaluateOffPolicy(tinyRows);
        const { interval: _second, ...actual } = evaluateOffPolicy(shuffled);

        expect(actual.dr?.value).toBeCloseTo(expected.dr?.value ?? Number.NaN, 12);
        expect(actual.sndr?.standardError).toBeCloseTo(expected.sndr?.standardError ?? Number.NaN, 12);
        expect(actual.effectiveSampleSize).toBeCloseTo(expected.effectiveSampleSize, 10);
      }),
    );
  });

  test('shrinks from DM to DR: lambda 0 is DM, a very great lambda DR, and so does a great tau', () => {
    const none = evaluateOffPolicy(tinyRows, { switchTau: 0, lambda: 0 });
    const all = evaluateOffPolicy(tinyRows, { switchTau: 1e9, lambda: Number.MAX_VALUE });

    expect(none.drOs).toEqual(none.dm);
    expect(none.switchDr).toEqual(none.dm);
    expect(all.drOs?.value).toBeCloseTo(all.dr?.value ?? Number.NaN, 12);
    expect(all.switchDr?.value).toBeCloseTo(all.dr?.value ?? Number.NaN, 12);
  });
});

describe('the anytime interval', () => {
  test('is the gamma-exponential sequence over the same rows', () => {
    const rows = simulatedLog(11, 800);
    const robust = rows.reduce(foldDecision, gammaExponentialSequence(0.5));

    expect(evaluateOffPolicy(rows).interval).toEqual(gammaExponentialInterval(robust, 0.05));
  });

  test('is left out where a reward is outside [0, 1]; the estimates are not', () => {
    const report = evaluateOffPolicy([...tinyRows.slice(1), { ...tinyRows[0], reward: 7 } as LoggedDecision]);

    expect(report.interval).toBeNull();
    expect(report.ips).not.toBeNull();
  });
});

describe('refusals name row and field', () => {
  const sound: LoggedDecision = { propensities: [0.5, 0.5], chosen: 0, reward: 1, target: [1, 0] };

  test.each<[string, Partial<LoggedDecision>, string]>([
    ['propensities that do not sum to 1', { propensities: [0.5, 0.4] }, 'row 2: propensities must sum to 1'],
    ['an arm that does not exist', { chosen: 7 }, 'row 2: chosen must be an arm in 0 … 1, got 7'],
    ['a chosen arm without propensity', { propensities: [0, 1] }, 'row 2: propensities[0]'],
    ['a reward that is no number', { reward: Number.NaN }, 'row 2: reward'],
    ['a target of another length', { target: [1] }, 'row 2: target'],
    [
      'a reward model that comes late',
      { qHat: [0.5, 0.5] },
      'row 2: qHat must be given for every row or for none',
    ],
  ])('%s', (_what, change, message) => {
    expect(() => evaluateOffPolicy([sound, sound, { ...sound, ...change }])).toThrow(RangeError);
    expect(() => evaluateOffPolicy([sound, sound, { ...sound, ...change }])).toThrow(message);
  });

  test.each([{ switchTau: -1 }, { lambda: Number.NaN }, { lambda: Number.POSITIVE_INFINITY }, { alpha: 0 }])(
    'options %j',
    (options) => {
      expect(() => evaluateOffPolicy([sound], options)).toThrow(RangeError);
    },
  );
});

describe('cells of decisions that differ in their rewards only', () => {
  const cell = fc.record({
    assigned: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 3, maxLength: 3 }),
    wanted: fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 3, maxLength: 3 }),
    qHat: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 }),
    chosen: fc.integer({ min: 0, max: 2 }),
    rewards: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 }),
  });
  const shares = (parts: readonly number[]) => {
    const sum = parts.reduce((total, part) => total + part, 0);
    return sum === 0 ? [1, 0, 0] : parts.map((part) => part / sum);
  };

  test('give every number that their rows give one by one', () => {
    fc.assert(
      fc.property(fc.array(cell, { minLength: 1, maxLength: 6 }), (cells) => {
        let byRow = offPolicyEvaluation();
        let byCell = offPolicyEvaluation();
        for (const { assigned, wanted, qHat, chosen, rewards } of cells) {
          const shared = { propensities: shares(assigned), target: shares(wanted), qHat, chosen };
          for (const reward of rewards) byRow = foldLoggedDecision(byRow, { ...shared, reward });
          byCell = foldLoggedCell(byCell, {
            ...shared,
            rewards: {
              n: rewards.length,
              sum: rewards.reduce((sum, reward) => sum + reward, 0),
              sumOfSquares: rewards.reduce((sum, reward) => sum + reward * reward, 0),
            },
          });
        }
        const expected = offPolicyReport(byRow);
        const actual = offPolicyReport(byCell);

        expect(actual.n).toBe(expected.n);
        for (const name of ['ips', 'snips', 'dm', 'dr', 'sndr', 'switchDr', 'drOs', 'meanWeight'] as const) {
          expect(actual[name] === null).toBe(expected[name] === null);
          expect(actual[name]?.value ?? 0).toBeCloseTo(expected[name]?.value ?? 0, 9);
          // A root of a rounded 0: as good as half of the digits.
          expect(actual[name]?.standardError ?? 0).toBeCloseTo(expected[name]?.standardError ?? 0, 6);
        }
        expect(actual.effectiveSampleSize).toBeCloseTo(expected.effectiveSampleSize, 9);
        expect(actual.maxWeight).toBe(expected.maxWeight);
        expect(actual.interval === null).toBe(expected.n > 0);
      }),
      { numRuns: 200 },
    );
  });

  test('refuse an impossible cell as an impossible row', () => {
    const rewards = { n: 2, sum: 1, sumOfSquares: 1 };
    const target = [0.5, 0.5];

    expect(() =>
      foldLoggedCell(offPolicyEvaluation(), { propensities: [1, 0], chosen: 1, target, rewards }),
    ).toThrow(RangeError);
  });
});

test('the gate refuses a target on arms that could not be chosen, however few the decisions', () => {
  const rows = new Array<LoggedDecision>(1_000).fill({
    propensities: [0.5, 0.5, 0],
    chosen: 0,
    reward: 1,
    target: [0.49, 0.49, 0.02],
  });

  const { gate, shareWithoutSupport } = evaluateOffPolicy(rows);

  expect(shareWithoutSupport).toBeCloseTo(0.02, 12);
  expect(gate.reasons.map(({ fault }) => fault)).toContain('support_missing');
  expect(gate.ok).toBe(false);
});
