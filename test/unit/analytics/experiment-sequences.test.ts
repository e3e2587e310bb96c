import { describe, expect, test } from '@jest/globals';
import type { SequenceHead } from '../../../src/analytics/index.ts';
import {
  emptySequenceState,
  foldSequenceDecision,
  type SequenceState,
  sequencePlan,
} from '../../../src/analytics/sequence-state.ts';
import type { MetricConfig } from '../../../src/config/index.ts';
import { seededRandom } from '../../../src/kernel/index.ts';
import { differenceInterval, gammaExponentialInterval } from '../../../src/statistics/index.ts';
import { armOf, experimentOf, reportOf } from './experiment-world.ts';
import { NOW_MS } from './report-world.ts';

const HALF = { v1: 0.5, v3: 0.5 };
const EXPERIMENT = experimentOf();

function metricOf(given: Partial<MetricConfig> = {}): MetricConfig {
  return {
    type: 'boolean',
    optimize: 'max',
    attribution_window_hours: 168,
    missing: 'zero',
    ...given,
  } as MetricConfig;
}

interface Answers {
  /** Chance of a reward, by arm. */
  readonly means: Readonly<Record<string, number>>;
  /** Chance of any outcome, by arm; without one there is no reward. */
  readonly answering?: Readonly<Record<string, number>>;
  readonly decisions?: number;
  readonly reward?: number;
}

function folded(answers: Answers, metric = metricOf()): SequenceState {
  const { means, answering = {}, decisions = 1_000, reward = 1 } = answers;
  const random = seededRandom(5);
  const plan = sequencePlan(EXPERIMENT, metric);
  let state = emptySequenceState(plan);
  for (let index = 0; index < decisions; index += 1) {
    const arm = random.next() < 0.5 ? 'v1' : 'v3';
    const answers = random.next() < (answering[arm] ?? 1);
    const earned = random.next() < (means[arm] ?? 0) ? reward : 0;
    state = foldSequenceDecision(state, plan, {
      createdAtMs: index,
      generationId: `gen_${index}`,
      arm,
      propensities: HALF,
      reward: answers ? earned : null,
    });
  }
  return state;
}

function headOf(state: SequenceState, given: Partial<SequenceHead> = {}): SequenceHead {
  return {
    foldedUntilMs: NOW_MS,
    soundUntilMs: NOW_MS,
    corrections: 0,
    checkpoint: { hourMs: NOW_MS, state },
    ...given,
  };
}

const ZERO = { missing: 'zero' };
const TOTALS = [armOf('v1', 500, 100), armOf('v3', 500, 250)];

describe('the folded part of an experiment report', () => {
  test('states the value of each arm and the direct difference, on the promised levels', async () => {
    const state = folded({ means: { v1: 0.2, v3: 0.5 } });

    const report = await reportOf({ totals: TOTALS, metric: ZERO, sequence: headOf(state) });

    const [, v3] = report.arms;
    const [, value] = state.values;
    const [difference] = state.differences;
    if (value === undefined || difference === undefined) throw new Error('there are two arms');
    expect(v3?.driftSafe).toMatchObject({
      ...gammaExponentialInterval(value, 0.05),
      confidence: 0.95,
      decisions: 1_000,
      method: 'gamma-exponential confidence sequence on logged propensities',
    });
    expect(v3?.driftSafe?.mean).toBeCloseTo(0.5, 1);
    expect(v3?.difference).toMatchObject({
      ...differenceInterval(difference, 0.05),
      confidence: 0.95,
      method: 'direct difference sequence on logged propensities',
    });
    expect(report.verdict).toMatchObject({ state: 'better', arm: 'v3' });
    expect(report.verdict.text).toContain(`Compared: decisions before ${new Date(NOW_MS).toISOString()}.`);
    expect(report.warnings).toEqual([]);
  });

  test('keeps the union bound for the verdict where silence is left out, whatever was folded', async () => {
    const state = folded({ means: { v1: 0.2, v3: 0.2 } }, metricOf({ missing: 'exclude' }));

    const report = await reportOf({ totals: TOTALS, sequence: headOf(state) });

    expect(report.arms[1]?.difference?.method).toBe('union bound of two beta-binomial confidence sequences');
    expect(report.verdict.state).toBe('better');
    expect(report.arms[1]?.driftSafe?.decisions).toBe(1_000);
  });

  test('says how far it is folded, and that a correction waits', async () => {
    const state = folded({ means: { v1: 0.2, v3: 0.5 }, decisions: 10 });
    const head = headOf(state, { soundUntilMs: NOW_MS - 7_200_000, corrections: 3 });

    const report = await reportOf({ totals: TOTALS, metric: ZERO, sequence: head });

    expect(report.sequence).toEqual({
      foldedUntil: new Date(NOW_MS).toISOString(),
      correctedThrough: new Date(NOW_MS - 7_200_000).toISOString(),
      corrections: 3,
      decisions: 10,
      unanswered: 0,
      unusable: 0,
    });
  });

  test('gives no verdict before the first hour is folded, and never another interval instead', async () => {
    const report = await reportOf({ totals: TOTALS, metric: ZERO });

    expect(report.sequence).toBeNull();
    expect(report.arms[1]?.difference).toMatchObject({ difference: null, lower: -1, upper: 1 });
    expect(report.verdict).toMatchObject({
      state: 'no_data',
      text: 'No verdict yet: decisions are compared once their attribution window and its grace are over.',
    });
  });

  test('forecasts how many more outcomes the direct difference needs', async () => {
    const state = folded({ means: { v1: 0.3, v3: 0.4 }, decisions: 400 });

    const { verdict } = await reportOf({ totals: TOTALS, metric: ZERO, sequence: headOf(state) });

    expect(verdict.state).toBe('no_difference_yet');
    expect(verdict.comparisons[0]?.moreOutcomes).toBeGreaterThan(50);
    expect(verdict.comparisons[0]?.moreOutcomes).toBeLessThan(5_000);
  });

  test('warns when the mean and the drift-safe interval of an arm exclude each other', async () => {
    const state = folded({ means: { v1: 0.2, v3: 0.8 } });

    const { warnings, verdict } = await reportOf({ totals: TOTALS, sequence: headOf(state) });

    expect(warnings).toMatchObject([{ code: 'drift', arm: 'v3' }]);
    expect(verdict.text).toContain('read the warnings before you act');
  });

  test('gives no drift-safe interval where users of one arm answer more often', async () => {
    const metric = metricOf({ missing: 'exclude' });
    const state = folded({ means: { v1: 0.3, v3: 0.3 }, answering: { v1: 0.9, v3: 0.3 } }, metric);

    const report = await reportOf({ totals: TOTALS, sequence: headOf(state) });

    expect(state.unanswered).toBeGreaterThan(300);
    expect(report.arms.map(({ driftSafe }) => driftSafe)).toEqual([null, null]);
    expect(report.warnings.map(({ code }) => code)).toEqual(['unbalanced_rewards']);
  });

  test('speaks in numbers of the metric, also where less is better', async () => {
    const metric = { type: 'float', min: 10, max: 30, optimize: 'min', missing: 'exclude' } as const;
    const plan = sequencePlan(EXPERIMENT, metricOf(metric));
    let state = emptySequenceState(plan);
    for (let index = 0; index < 400; index += 1) {
      const arm = index % 2 === 0 ? 'v1' : 'v3';
      const reward = arm === 'v1' ? 15 : 25;
      state = foldSequenceDecision(state, plan, {
        createdAtMs: index,
        generationId: `gen_${index}`,
        arm,
        propensities: HALF,
        reward,
      });
    }

    const report = await reportOf({ metric, totals: [], sequence: headOf(state) });

    const [v1, v3] = report.arms.map(({ driftSafe }) => driftSafe);
    expect(v1?.mean).toBeCloseTo(15, 0);
    expect(v3?.mean).toBeCloseTo(25, 0);
    expect(v1?.lower).toBeGreaterThanOrEqual(10);
    expect(v3?.upper).toBeLessThanOrEqual(30);
    expect(v1?.upper).toBeLessThan(v3?.lower ?? 0);
  });

  test('leaves out decisions whose propensities cannot be true, and says how many', async () => {
    const plan = sequencePlan(EXPERIMENT, metricOf());
    const sound = { createdAtMs: 0, generationId: 'gen_1', arm: 'v1', propensities: HALF, reward: 1 };
    const states = [
      { ...sound, propensities: null },
      { ...sound, propensities: { v1: 0.5 } },
      { ...sound, propensities: { v1: 0.99, v3: 0.01 } },
      { ...sound, propensities: { v1: 0.9, v3: 0.9 } },
      { ...sound, propensities: { v1: 1.5, v3: -0.5 } },
      { ...sound, arm: 'gone' },
      { ...sound, arm: null },
    ].map((decision) => foldSequenceDecision(emptySequenceState(plan), plan, decision));

    expect(states.map(({ decisions, unusable }) => [decisions, unusable])).toEqual(states.map(() => [0, 1]));
  });

  test('gives nothing once rewards are off the declared scale', async () => {
    const state = folded({ means: { v1: 0.2, v3: 0.5 }, reward: 7 });

    const report = await reportOf({ totals: TOTALS, metric: ZERO, sequence: headOf(state) });

    expect(state.offScale).toBeGreaterThan(0);
    expect(report.arms[1]?.driftSafe).toBeNull();
    expect(report.arms[1]?.difference).toMatchObject({ difference: null, lower: -1, upper: 1 });
  });
});
