import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  foldDecision,
  type GammaExponentialSequence,
  gammaExponentialInterval,
  gammaExponentialSequence,
  type Interval,
  type LoggedDecision,
  pseudoOutcome,
} from '../../../src/statistics/index.ts';
import { referenceValues } from '../../helpers/reference-values.ts';

interface Log {
  readonly action: readonly number[];
  readonly reward: readonly number[];
  readonly behavior: readonly (readonly number[])[];
  readonly q_hat: readonly (readonly number[])[];
  readonly evaluation?: readonly (readonly number[])[];
}

interface Bounds {
  readonly lower: readonly number[];
  readonly upper: readonly number[];
  readonly predictor_cap_was_active: boolean;
}

interface Reference {
  readonly tolerance_abs: number;
  readonly inputs: { readonly tiny: Log; readonly thompson_floor0p05_arm1: Log };
  readonly cases: readonly {
    readonly name: string;
    readonly alpha: number;
    readonly checkpoints: readonly number[];
    readonly vw_ips_cs: Readonly<Record<string, readonly [number, number]>>;
    readonly 'dr_eb_k0.5': {
      readonly mean_pseudo_lower: number;
      readonly pseudo_lower_first5: readonly number[];
    };
    readonly gamma_exp_k0: Bounds;
    readonly 'gamma_exp_k0.5': Bounds;
  }[];
}

const reference = referenceValues<Reference>('cs_off_policy_adaptive');

/** The decisions of a case: `tiny` has its own target, the others ask for the value of one arm of the same log. */
function decisionsOf(name: string): readonly LoggedDecision[] {
  const log = name === 'tiny' ? reference.inputs.tiny : reference.inputs.thompson_floor0p05_arm1;
  const arm = Number(name.at(-1));
  return log.action.map((chosen, t) => ({
    chosen,
    reward: log.reward[t] ?? Number.NaN,
    propensities: log.behavior[t] ?? [],
    qHat: log.q_hat[t] ?? [],
    target: log.evaluation?.[t] ?? [0, 1, 2].map((index) => (index === arm ? 1 : 0)),
  }));
}

function folded(decisions: readonly LoggedDecision[], k: number): GammaExponentialSequence {
  return decisions.reduce(foldDecision, gammaExponentialSequence(k));
}

function intervalsAt(
  decisions: readonly LoggedDecision[],
  k: number,
  looks: readonly number[],
): readonly Interval[] {
  return looks.map((look) => gammaExponentialInterval(folded(decisions.slice(0, look), k), 0.05));
}

describe('reference values', () => {
  test.each(reference.cases)('gamma-exponential intervals of $name', (row) => {
    expect(row.alpha).toBe(0.05);
    const decisions = decisionsOf(row.name);
    for (const [k, bounds] of [
      [0, row.gamma_exp_k0],
      [0.5, row['gamma_exp_k0.5']],
    ] as const) {
      intervalsAt(decisions, k, row.checkpoints).forEach(({ lower, upper }, index) => {
        expect(Math.abs(lower - (bounds.lower[index] ?? Number.NaN))).toBeLessThanOrEqual(
          reference.tolerance_abs,
        );
        expect(Math.abs(upper - (bounds.upper[index] ?? Number.NaN))).toBeLessThanOrEqual(
          reference.tolerance_abs,
        );
      });
    }
  });

  test('agree with the third-party implementation wherever the cap of the predictor was not needed', () => {
    const uncapped = reference.cases.filter((row) => !row.gamma_exp_k0.predictor_cap_was_active);
    expect(uncapped.map((row) => row.name)).toEqual(['thompson_floor0p05_arm1']);

    for (const row of uncapped) {
      intervalsAt(decisionsOf(row.name), 0, row.checkpoints).forEach(({ lower, upper }, index) => {
        const [theirLower, theirUpper] = row.vw_ips_cs[String(row.checkpoints[index])] ?? [];
        expect(Math.abs(lower - (theirLower ?? Number.NaN))).toBeLessThanOrEqual(reference.tolerance_abs);
        expect(Math.abs(upper - (theirUpper ?? Number.NaN))).toBeLessThanOrEqual(reference.tolerance_abs);
      });
    }
  });

  test.each(reference.cases)('doubly robust pseudo-outcomes of $name', (row) => {
    const outcomes = decisionsOf(row.name).map((decision) => pseudoOutcome(decision, 0.5).lower);
    const expected = row['dr_eb_k0.5'];
    const mean = outcomes.reduce((sum, x) => sum + x, 0) / outcomes.length;

    expect(Math.abs(mean - expected.mean_pseudo_lower)).toBeLessThanOrEqual(reference.tolerance_abs);
    expected.pseudo_lower_first5.forEach((x, index) => {
      expect(Math.abs((outcomes[index] ?? Number.NaN) - x)).toBeLessThanOrEqual(reference.tolerance_abs);
    });
  });
});

const unit = fc.double({ min: 0, max: 1, noNaN: true });
const situation = fc.integer({ min: 2, max: 6 }).chain((count) => {
  const weights = fc
    .array(fc.integer({ min: 1, max: 1_000 }), { minLength: count, maxLength: count })
    .map((parts) => parts.map((part) => part / parts.reduce((sum, x) => sum + x, 0)));
  return fc.record({
    propensities: weights,
    target: weights,
    means: fc.array(unit, { minLength: count, maxLength: count }),
    qHat: fc.array(unit, { minLength: count, maxLength: count }),
    k: fc.double({ min: 0, max: 5, noNaN: true }),
  });
});

describe('pseudo-outcomes', () => {
  test('by hand: weight 2, k 1/2, estimate 0.6 cut to 1/4', () => {
    const decision = { propensities: [0.5, 0.5], chosen: 0, reward: 1, target: [1, 0], qHat: [0.6, 0.9] };

    expect(pseudoOutcome(decision, 0.5)).toEqual({ lower: 0.25 + 2 * 0.75, upper: 0.25 - 2 * 0.25 });
    expect(pseudoOutcome(decision, 0)).toEqual({ lower: 2, upper: 0 });
  });

  test('have the value as expectation and never fall below -k, whatever the estimates', () => {
    fc.assert(
      fc.property(situation, ({ propensities, target, means, qHat, k }) => {
        let lowerMean = 0;
        let upperMean = 0;
        let value = 0;
        propensities.forEach((p, chosen) => {
          const mean = means[chosen] ?? 0;
          value += (target[chosen] ?? 0) * mean;
          for (const [reward, chance] of [
            [1, mean],
            [0, 1 - mean],
          ] as const) {
            const { lower, upper } = pseudoOutcome({ propensities, target, chosen, reward, qHat }, k);
            expect(Math.min(lower, upper)).toBeGreaterThanOrEqual(-k - 1e-12);
            lowerMean += p * chance * lower;
            upperMean += p * chance * upper;
          }
        });

        expect(lowerMean).toBeCloseTo(value, 9);
        expect(upperMean).toBeCloseTo(1 - value, 9);
      }),
    );
  });

  test('count what the target does without support as 0 at both ends', () => {
    const decision = { propensities: [1, 0], chosen: 0, reward: 1, target: [0.5, 0.5], qHat: [1, 1] };

    expect(pseudoOutcome(decision, 5)).toEqual({ lower: 0.5, upper: 0 });
  });

  const sound: LoggedDecision = { propensities: [0.5, 0.5], chosen: 0, reward: 1, target: [1, 0] };

  test.each<[string, Partial<LoggedDecision>, string]>([
    ['propensities that do not sum to 1', { propensities: [0.5, 0.4] }, 'propensities must sum to 1'],
    ['a negative propensity', { propensities: [1.5, -0.5] }, 'propensities[0]'],
    ['no arms', { propensities: [] }, 'propensities must not be empty'],
    ['an arm that does not exist', { chosen: 2 }, 'chosen'],
    ['half an arm', { chosen: 0.5 }, 'chosen'],
    ['a chosen arm without propensity', { propensities: [0, 1] }, 'propensities[0] must be positive'],
    [
      'a propensity that no generator delivers',
      { propensities: [1e-320, 1] },
      'propensities[0] must be positive',
    ],
    ['a reward above 1', { reward: 1.1 }, 'reward'],
    ['a reward that is no number', { reward: Number.NaN }, 'reward'],
    ['a target of another length', { target: [1] }, 'target must have 2 arms'],
    ['a target that is no distribution', { target: [1, 1] }, 'target must sum to 1'],
    ['a missing estimate', { qHat: [0.5] }, 'qHat must have 2 arms'],
    ['an estimate that is no number', { qHat: [0.5, Number.NaN] }, 'qHat[1]'],
  ])('refuse %s', (_what, change, message) => {
    expect(() => pseudoOutcome({ ...sound, ...change }, 0.5)).toThrow(RangeError);
    expect(() => pseudoOutcome({ ...sound, ...change }, 0.5)).toThrow(message);
  });
});

describe('the sequence', () => {
  test('says nothing before the first decision', () => {
    expect(gammaExponentialInterval(gammaExponentialSequence(0.5), 0.05)).toEqual({ lower: 0, upper: 1 });
  });

  test('is plain data: stored and resumed it gives the same bits', () => {
    const decisions = decisionsOf('thompson_floor0p05_arm1');
    const stored = JSON.stringify(folded(decisions.slice(0, 400), 0.5));
    const resumed = decisions.slice(400).reduce(foldDecision, JSON.parse(stored) as GammaExponentialSequence);

    expect(resumed).toEqual(folded(decisions, 0.5));
  });

  test('does not change the state that it folds into', () => {
    const start = Object.freeze(gammaExponentialSequence(0));
    const [decision] = decisionsOf('tiny');

    expect(decision === undefined ? 0 : foldDecision(start, decision).t).toBe(1);
    expect(start.t).toBe(0);
  });

  test('stays within [0, 1], in order, and widens with a smaller alpha', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(situation, fc.nat(), unit), { minLength: 1, maxLength: 40 }),
        fc.double({ min: 0.001, max: 0.4, noNaN: true }),
        (rows, alpha) => {
          let sequence = gammaExponentialSequence(0.5);
          for (const [{ propensities, target, qHat }, choice, reward] of rows) {
            const chosen = choice % propensities.length;
            sequence = foldDecision(sequence, { propensities, target, qHat, chosen, reward });
          }
          const outer = gammaExponentialInterval(sequence, alpha / 2);
          const inner = gammaExponentialInterval(sequence, alpha);

          expect(outer.lower).toBeGreaterThanOrEqual(0);
          expect(outer.upper).toBeLessThanOrEqual(1);
          expect(outer.lower).toBeLessThanOrEqual(inner.lower);
          expect(outer.upper).toBeGreaterThanOrEqual(inner.upper);
        },
      ),
    );
  });

  test('counting failures instead of successes mirrors it', () => {
    const decisions = decisionsOf('thompson_floor0p05_arm1');
    const mirrored = decisions.map((decision) => ({
      ...decision,
      reward: 1 - decision.reward,
      qHat: (decision.qHat ?? []).map((q) => 1 - q),
    }));
    const earned = gammaExponentialInterval(folded(decisions, 0.5), 0.05);
    const missed = gammaExponentialInterval(folded(mirrored, 0.5), 0.05);

    expect(missed.lower).toBeCloseTo(1 - earned.upper, 12);
    expect(missed.upper).toBeCloseTo(1 - earned.lower, 12);
  });

  test('closes in on the value, also after ten million decisions of state', () => {
    const t = 1e7;
    const sums = { sumXi: t / 2, sumV: t / 4 };
    const { lower, upper } = gammaExponentialInterval(
      { kind: 'gamma-exponential', k: 0, t, lower: sums, upper: sums },
      0.05,
    );
    // Gamma mixture at great V: s^2 is about 2 V (ln(2/alpha) + ln sqrt(2 pi V) + ln of the mixing density at 0).
    const halfWidth = Math.sqrt(2 * (t / 4) * (Math.log(40) + 0.5 * Math.log(t / 4))) / t;

    expect((upper - lower) / 2 / halfWidth).toBeGreaterThan(0.8);
    expect((upper - lower) / 2 / halfWidth).toBeLessThan(1.2);
    expect(lower + upper).toBeCloseTo(1, 12);
  });

  test('refuses an impossible k or alpha', () => {
    expect(() => gammaExponentialSequence(-0.1)).toThrow(RangeError);
    expect(() => gammaExponentialInterval(gammaExponentialSequence(0), 0)).toThrow('alpha');
    expect(() => gammaExponentialInterval(gammaExponentialSequence(0), 1)).toThrow('alpha');
  });
});
