import { describe, expect, test } from '@jest/globals';

import { inputNames } from '../../../src/ranking/index.ts';
import { scorePolicy } from '../../helpers/score-policy.ts';

describe('loadScorePolicies', () => {
  test('fills in what is not written', () => {
    expect(scorePolicy()).toEqual({
      name: 'tips',
      revision: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      modelRevision: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      kind: 'squarecb',
      metric: 'completed',
      declaration: { type: 'boolean', optimize: 'max', attribution_window_hours: 168, missing: 'exclude' },
      features: [
        { kind: 'number', name: 'effort', source: 'candidate', min: 0, max: 1, default: 0.5 },
        { kind: 'number', name: 'energy', source: 'profile', min: 0, max: 1, default: 0.5 },
      ],
      interactions: [['effort', 'energy']],
      unknownFeatures: 'refuse',
      gammaScale: 10,
      gammaExponent: 0.5,
      lambda: 1,
      floorShare: 0.1,
      discount: 1,
      updateIntervalMs: 60_000,
      maxCandidates: 1_000,
    });
  });

  test.each([
    ['gamma', { gamma_scale: 3 }],
    ['the floor', { floor_share: 0.5 }],
    ['the number of candidates', { max_candidates: 10 }],
    ['the interval, without discounting', { update_interval_seconds: 1 }],
    ['unknown features', { unknown_features: 'ignore' }],
  ])('another value of %s is another rule that keeps what was learnt', (_name, change) => {
    const changed = scorePolicy(change);

    expect(changed.revision).not.toBe(scorePolicy().revision);
    expect(changed.modelRevision).toBe(scorePolicy().modelRevision);
  });

  test.each([
    ['the penalty', { ridge_lambda: 2 }, {}],
    ['the interactions', { interactions: [] }, {}],
    ['the discount', { discount: 0.9 }, {}],
    ['the direction of the metric', {}, { optimize: 'min' }],
    ['what silence means', {}, { missing: 'zero' }],
  ])('another value of %s learns anew', (_name, change, metric) => {
    expect(scorePolicy(change, metric).modelRevision).not.toBe(scorePolicy().modelRevision);
  });

  test('the description of a metric is for people', () => {
    expect(scorePolicy({}, { description: 'Done.' }).revision).toBe(scorePolicy().revision);
  });

  test('names every input in the order of the coefficients', () => {
    const features = {
      candidate: { short: { type: 'boolean' }, topic: { type: 'category', values: ['mind', 'body'] } },
      context: { late: { type: 'boolean' } },
    };

    expect(inputNames(scorePolicy({ features, interactions: [['topic', 'late']] }))).toEqual([
      'constant',
      'short',
      'topic=mind',
      'topic=body',
      'late',
      'topic=mind × late',
      'topic=body × late',
    ]);
  });
});
