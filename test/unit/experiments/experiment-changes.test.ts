import { describe, expect, test } from '@jest/globals';
import { experimentChanges } from '../../../src/experiments/experiment-changes.ts';
import type { Experiment } from '../../../src/experiments/index.ts';
import { experiment } from '../../fakes/scripted-experiments.ts';

function warningsOf(next: readonly Experiment[], current: readonly Experiment[]): readonly string[] {
  return experimentChanges(next, current).map(({ path, message }) => `${path} ${message}`);
}

describe('experimentChanges', () => {
  test('says nothing about what the operator surely meant', () => {
    const arms = [
      { name: 'control', version: 'v1', weight: 9 },
      { name: 'warm', version: 'v2', weight: 1 },
      { name: 'brief', version: 'v3', weight: 1 },
    ];

    expect(warningsOf([experiment({ arms, startMs: 5, stopMs: 9 })], [experiment()])).toEqual([]);
    expect(
      warningsOf([experiment(), experiment({ name: 'other', prompt: 'digest' })], [experiment()]),
    ).toEqual([]);
    expect(warningsOf([], [experiment()])).toEqual([]);
  });

  test.each<[string, Partial<Experiment>, string, string]>([
    ['another unit', { unit: 'session_id' }, 'experiments.tone.unit', 'everybody is assigned anew'],
    ['another prompt', { prompt: 'digest' }, 'experiments.tone.prompt', 'new name'],
    ['another salt', { salt: 'pepper' }, 'experiments.tone.salt', 'who is assigned stays'],
    [
      'an arm taken out',
      { arms: [{ name: 'control', version: 'v1', weight: 1 }] },
      'experiments.tone.arms.warm',
      'do not count',
    ],
    [
      'another version of an arm',
      {
        arms: [
          { name: 'control', version: 'v1', weight: 1 },
          { name: 'warm', version: 'v3', weight: 1 },
        ],
      },
      'experiments.tone.arms.warm.version',
      'rewards of two versions mix',
    ],
  ])('warns of %s', (_name, changes, path, text) => {
    const warnings = experimentChanges([experiment(changes)], [experiment()]);

    expect(warnings).toEqual([{ path, message: expect.stringContaining(text) }]);
  });

  test('takes a new name with the same versions for a rename, which does not exist', () => {
    const renamed = experiment({ name: 'voice' });

    expect(warningsOf([renamed], [experiment()])).toEqual([
      expect.stringMatching(/^experiments\.voice .*"tone".*everybody is assigned anew/),
    ]);
  });
});
