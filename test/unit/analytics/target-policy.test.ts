import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseTargetPolicy } from '../../../src/analytics/target-policy.ts';
import { AppError } from '../../../src/kernel/index.ts';

const ARMS = ['control', 'warm', 'brief.2'];

function faultOf(text: string): string {
  try {
    parseTargetPolicy(text, ARMS);
  } catch (error) {
    if (error instanceof AppError && error.code === 'invalid_request') {
      expect(error.faults.map(({ path }) => path)).toEqual(['policy']);
      return error.faults[0]?.message ?? '';
    }
    throw error;
  }
  throw new Error(`${text} was accepted`);
}

describe('a target policy', () => {
  test('is an arm, an even split, a split or a stored revision', () => {
    expect(parseTargetPolicy('arm:brief.2', ARMS)).toEqual({ kind: 'arm', arm: 'brief.2' });
    expect(parseTargetPolicy('uniform', ARMS)).toEqual({ kind: 'uniform' });
    expect(parseTargetPolicy('revision:tone-7', ARMS)).toEqual({ kind: 'revision', revision: 'tone-7' });
    expect(parseTargetPolicy('weights:control=1, warm=3', ARMS)).toEqual({
      kind: 'weights',
      weights: new Map([
        ['control', 0.25],
        ['warm', 0.75],
      ]),
    });
  });

  test.each([
    ['', 'must be arm:<name>, uniform, weights:<arm>=<share>,<arm>=<share> or revision:<policy revision>'],
    ['best', 'arms: control, warm, brief.2'],
    ['Uniform', 'must be arm:<name>'],
    ['arm:', 'arms: control, warm, brief.2'],
    ['arm:wram', 'did you mean warm?'],
    ['weights:', 'weights:control=0.2,warm=0.8'],
    ['weights:control', 'got "control"'],
    ['weights:control=', 'got "control="'],
    ['weights:control=0.2=0.8', 'got "control=0.2=0.8"'],
    ['weights:control=-1,warm=2', 'got "control=-1"'],
    ['weights:control=NaN', 'got "control=NaN"'],
    ['weights:control=1e999', 'got "control=1e999"'],
    ['weights:control=1,control=1', 'names the arm control twice'],
    ['weights:control=0,warm=0', 'needs a share above 0'],
    ['weights:other=1', 'names the arm "other"'],
    ['revision:', 'needs the name of a policy revision'],
  ])('%j is refused with the remedy', (text, remedy) => {
    expect(faultOf(text)).toContain(remedy);
  });

  test('that is refused repeats only a little of what was asked', () => {
    expect(faultOf(`arm:${'x'.repeat(10_000)}`).length).toBeLessThan(250);
  });

  test('whatever is asked is either a policy or refused by code', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `weights:${text}`),
          fc
            .array(fc.tuple(fc.constantFrom(...ARMS), fc.double()))
            .map((pairs) => `weights:${pairs.map(([arm, share]) => `${arm}=${share}`).join(',')}`),
        ),
        (text) => {
          try {
            const policy = parseTargetPolicy(text, ARMS);
            if (policy.kind !== 'weights') return;
            const sum = [...policy.weights.values()].reduce((total, share) => total + share, 0);
            expect(sum).toBeCloseTo(1, 9);
          } catch (error) {
            expect(error).toMatchObject({ code: 'invalid_request' });
          }
        },
      ),
    );
  });
});
