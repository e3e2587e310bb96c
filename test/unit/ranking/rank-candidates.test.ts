import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { AppError, seededRandom } from '../../../src/kernel/index.ts';
import {
  type RankingInput,
  rankCandidates,
  type ScorePolicy,
  type ScorePolicySnapshot,
} from '../../../src/ranking/index.ts';
import { scorePolicy } from '../../helpers/score-policy.ts';

function snapshot(coefficients: readonly number[], weight = 100): ScorePolicySnapshot {
  return {
    policy: 'tips',
    revision: 'tips-2',
    sequence: 2,
    policyRevision: 'sha256:rules',
    modelRevision: 'sha256:model',
    computedAtMs: 0,
    rewards: weight,
    weight,
    coefficients,
  };
}

const UNTRAINED = snapshot([], 0);
const POLICY = scorePolicy();

function rank(changes: Partial<RankingInput> & { readonly policy?: ScorePolicy } = {}) {
  return rankCandidates({
    policy: POLICY,
    snapshot: UNTRAINED,
    candidates: [
      { id: 'walk', features: { effort: 0.2 } },
      { id: 'run', features: { effort: 0.9 } },
    ],
    profileFeatures: { energy: 0.5 },
    contextFeatures: null,
    random: { next: () => 0.5 },
    ...changes,
  });
}

function faultsOf(changes: Partial<RankingInput>): readonly string[] {
  try {
    rank(changes);
    return [];
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'score_invalid') throw error;
    return error.faults.map(({ path, message }) => `${path}: ${message}`);
  }
}

/** `count` candidates of effort 0 to 1. */
function candidates(count: number) {
  return Array.from({ length: count }, (_, index) => ({
    id: `tip-${index}`,
    features: { effort: count === 1 ? 0 : index / (count - 1) },
  }));
}

describe('ranking', () => {
  test('by hand: the best gets the rest, the other 1 / (K + gamma gap), both above the floor', () => {
    // Estimates 0.1 + 0.5 effort: 0.2 and 0.55. gamma = 10 sqrt(99 + 1) = 100.
    const result = rank({ snapshot: snapshot([0.1, 0.5, 0, 0], 99) });

    const other = 0.05 + 0.9 / (2 + 100 * 0.35);
    expect(result.estimates[0]).toBeCloseTo(0.2, 12);
    expect(result.propensities[0]).toBeCloseTo(other, 12);
    expect(result.propensities[1]).toBeCloseTo(1 - other, 12);
    expect(result.ranking.map(({ id }) => id)).toEqual(['run', 'walk']);
    expect(result.ranking[0]?.score).toBeCloseTo(0.55, 12);
    expect(result.chosen).toBe(1);
    expect(result.chosenInput).toEqual([1, 0.9, 0.5, 0.45]);
  });

  test('knows no difference before the first reward: the order of the request, and even chances', () => {
    const result = rank();

    expect(result.ranking.map(({ id }) => id)).toEqual(['walk', 'run']);
    expect(result.propensities).toEqual([0.5, 0.5]);
    expect(result.estimates).toEqual([0, 0]);
  });

  test('a single candidate is chosen with certainty', () => {
    const result = rank({ candidates: candidates(1), snapshot: snapshot([0.1, 0.5, 0, 0]) });

    expect(result.propensities).toEqual([1]);
    expect(result.chosen).toBe(0);
  });

  test('an even policy ranks by what it has learnt and chooses without regard to it', () => {
    const result = rank({
      policy: scorePolicy({ kind: 'uniform' }),
      snapshot: snapshot([0.1, 0.5, 0, 0]),
      candidates: candidates(5),
    });

    expect(result.propensities).toEqual([0.2, 0.2, 0.2, 0.2, 0.2]);
    expect(result.ranking[0]?.id).toBe('tip-4');
  });

  test('where less is better, the best is the one with the least', () => {
    const policy = scorePolicy({}, { type: 'float', min: 10, max: 20, optimize: 'min' });
    const result = rank({ policy, snapshot: snapshot([0.1, 0.5, 0, 0]) });

    // 0.55 of the way from the worst, 20, to the best, 10.
    expect(result.ranking[0]?.id).toBe('run');
    expect(result.ranking[0]?.score).toBeCloseTo(14.5, 12);
  });

  test('estimates are cut to what a reward can be', () => {
    const result = rank({ snapshot: snapshot([-0.5, 5, 0, 0]), candidates: candidates(3) });

    expect(result.estimates).toEqual([0, 1, 1]);
  });

  test('t counts rewards, not decisions: what taught nothing does not sharpen the choice', () => {
    const first = rank({ snapshot: snapshot([0.1, 0.5, 0, 0], 0) });
    const later = rank({ snapshot: snapshot([0.1, 0.5, 0, 0], 10_000) });

    expect(first.propensities[1]).toBeLessThan(0.9);
    expect(later.propensities[1]).toBeGreaterThan(0.94);
  });

  test('every propensity is at or above the floor, and all sum to 1', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 4, maxLength: 4 }),
        fc.integer({ min: 0, max: 1_000_000 }),
        fc.double({ min: 0.001, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (count, coefficients, weight, floorShare, gammaExponent) => {
          const policy = { ...POLICY, floorShare, gammaExponent };
          const result = rank({
            policy,
            snapshot: snapshot(coefficients, weight),
            candidates: candidates(count),
          });

          const sum = result.propensities.reduce((total, propensity) => total + propensity, 0);
          expect(Math.abs(sum - 1)).toBeLessThanOrEqual(1e-12);
          const floor = floorShare / count;
          expect(Math.min(...result.propensities)).toBeGreaterThanOrEqual(floor - 1e-15);
          const estimates = result.ranking.map(({ score }) => score);
          expect(estimates).toEqual([...estimates].sort((a, b) => b - a));
        },
      ),
      { seed: 20_261_123, numRuns: 100 },
    );
  });

  test('chooses each candidate as often as its logged propensity says', () => {
    const random = seededRandom(20_261_123);
    const input = { snapshot: snapshot([0.1, 0.3, 0, 0], 40), candidates: candidates(6), random };
    const draws = 100_000;
    const counts = new Array<number>(6).fill(0);
    let propensities: readonly number[] = [];
    for (let draw = 0; draw < draws; draw += 1) {
      const result = rank(input);
      counts[result.chosen] = (counts[result.chosen] ?? 0) + 1;
      propensities = result.propensities;
    }

    for (const [index, propensity] of propensities.entries()) {
      const standardError = Math.sqrt((propensity * (1 - propensity)) / draws);
      expect(Math.abs((counts[index] ?? 0) / draws - propensity)).toBeLessThanOrEqual(4 * standardError);
    }
  });

  test('ranks a thousand candidates of twelve features within milliseconds', () => {
    const names = Array.from({ length: 12 }, (_, index) => `f${index}`);
    const number = { type: 'number', min: 0, max: 1 };
    const features = { candidate: Object.fromEntries(names.map((name) => [name, number])) };
    const policy = scorePolicy({ features, interactions: [] });
    const many = Array.from({ length: 1_000 }, (_, index) => ({
      id: `tip-${index}`,
      features: Object.fromEntries(names.map((name, feature) => [name, ((index * 7 + feature) % 100) / 100])),
    }));
    const learnt = snapshot(Array.from({ length: 13 }, (_, index) => index / 100));
    const rankMany = () => rank({ policy, snapshot: learnt, candidates: many, profileFeatures: null });
    for (let round = 0; round < 20; round += 1) rankMany();

    const timesMs: number[] = [];
    for (let round = 0; round < 20; round += 1) {
      const startedMs = performance.now();
      rankMany();
      timesMs.push(performance.now() - startedMs);
    }

    // About 1 ms on an idle core; the fastest of twenty keeps most of the noise of a busy machine out.
    expect(Math.min(...timesMs)).toBeLessThan(20);
  });
});

describe('features', () => {
  const policy = scorePolicy({
    features: {
      candidate: {
        minutes: { type: 'number', min: 5, max: 65, default: 20 },
        short: { type: 'boolean', default: true },
        topic: { type: 'category', values: ['mind', 'body', 'food'], default: 'food' },
      },
      context: { late: { type: 'boolean' } },
    },
    interactions: [['minutes', 'late']],
  });
  const inputOf = (features: Readonly<Record<string, unknown>>, late: unknown) =>
    rank({
      policy,
      candidates: [{ id: 'a', features }],
      profileFeatures: null,
      contextFeatures: { late },
    }).chosenInput;

  test('are scaled, cut, spread over categories, and multiplied', () => {
    expect(inputOf({ minutes: 35, short: false, topic: 'body' }, true)).toEqual([1, 0.5, 0, 0, 1, 0, 1, 0.5]);
    expect(inputOf({ minutes: 1e9, short: true, topic: 'mind' }, false)).toEqual([1, 1, 1, 1, 0, 0, 0, 0]);
  });

  test.each([
    ['missing', {}],
    ['null', { minutes: null, short: null, topic: null }],
  ])('that are %s take their defaults', (_name, features) => {
    expect(inputOf(features, null)).toEqual([1, 0.25, 1, 0, 0, 1, 0, 0]);
  });

  test.each([
    [
      'text for a number',
      { minutes: '20' },
      'candidates[0].features.minutes: must be a number, got the text "20"',
    ],
    ['no number', { minutes: Number.NaN }, 'candidates[0].features.minutes: must be a number, got NaN'],
    [
      'an endless number',
      { minutes: -Infinity },
      'candidates[0].features.minutes: must be a number, got -Infinity',
    ],
    ['a list', { minutes: [20] }, 'candidates[0].features.minutes: must be a number, got an array'],
    ['1 for true', { short: 1 }, 'candidates[0].features.short: must be true or false, got 1'],
    [
      'an unknown category',
      { topic: 'mimd' },
      'candidates[0].features.topic: must be one of mind, body, food, got the text "mimd" (did you mean "mind"?)',
    ],
    [
      'a number for a category',
      { topic: 3 },
      'candidates[0].features.topic: must be one of mind, body, food, got 3',
    ],
    [
      'an unknown feature',
      { minuts: 3 },
      'candidates[0].features.minuts: is no feature of the policy (did you mean "minutes"?)',
    ],
    [
      'a name of every object',
      { constructor: 3 },
      'candidates[0].features.constructor: is no feature of the policy; declared: minutes, short, topic',
    ],
  ])('refuses %s', (_name, features, fault) => {
    expect(faultsOf({ policy, candidates: [{ id: 'a', features }], profileFeatures: null })).toEqual([fault]);
  });

  test('reports every fault at once, by its path', () => {
    expect(
      faultsOf({
        candidates: [
          { id: 'a', features: { effort: 0.5 } },
          { id: 'a', features: { effort: 'high' } },
        ],
        profileFeatures: { energy: true, age: 7 },
        contextFeatures: { late: true },
      }),
    ).toEqual([
      'candidates[1].id: is the id of candidates[0] too',
      'profile_features.age: is no feature of the policy; declared: energy',
      'profile_features.energy: must be a number, got true',
      'context.late: is no feature of the policy; declared: (none)',
      'candidates[1].features.effort: must be a number, got the text "high"',
    ]);
  });

  test('lists the first faults of many, and counts them all', () => {
    const many = candidates(200).map(({ id }) => ({ id, features: { effort: 'x'.repeat(1_000) } }));

    expect(faultsOf({ candidates: many })).toHaveLength(50);
    expect(faultsOf({ candidates: many })[0]?.length).toBeLessThan(200);
    expect(() => rank({ candidates: many })).toThrow('200 faults, the first 50 are listed');
  });

  test('a body full of unknown names is refused without looking for what each may have meant', () => {
    const features = Object.fromEntries(Array.from({ length: 60_000 }, (_, index) => [`efort${index}`, 1]));
    const startedMs = performance.now();

    expect(faultsOf({ candidates: [{ id: 'a', features }] })).toHaveLength(50);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
  });

  test('refuses no candidates, and more than the policy takes', () => {
    expect(faultsOf({ candidates: [] })).toEqual(['candidates: is empty: send at least one candidate']);
    expect(faultsOf({ policy: scorePolicy({ max_candidates: 2 }), candidates: candidates(3) })).toEqual([
      'candidates: has 3 candidates, at most 2 are ranked: choose among them first, or raise max_candidates of the policy',
    ]);
  });

  test('ignores what it does not know where it may, and says so once', () => {
    const result = rank({
      policy: { ...policy, unknownFeatures: 'ignore' },
      candidates: [
        { id: 'a', features: { colour: 'red', topic: 'sport' } },
        { id: 'b', features: { colour: 'blue' } },
      ],
      profileFeatures: { age: 7 },
    });

    expect(result.ignored).toEqual([
      'profile_features.age',
      'candidates[].features.colour',
      'candidates[].features.topic=sport',
    ]);
    expect(result.chosenInput.slice(3, 6)).toEqual([0, 0, 1]);
  });
});
