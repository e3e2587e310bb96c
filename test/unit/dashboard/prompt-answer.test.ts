import { describe, expect, test } from '@jest/globals';
import { promptAnswer } from '../../../src/dashboard/overview/prompt-answer.ts';

const baseline = { prompt_version: 'v1', mature: 100, mean: 0.2, lift: null };
const against = (prompt_version: string, difference: number, lower: number, upper: number) => ({
  prompt_version,
  mature: 100,
  mean: 0.2 + difference,
  lift: { difference, lower, upper, confidence: 0.95 },
});
const compare = (versions: Parameters<typeof promptAnswer>[0]['versions'], optimize: 'max' | 'min' = 'max') =>
  promptAnswer({ versions, baseline: 'v1', optimize, isDescriptive: false });

describe('the answer on top', () => {
  test('names the best of the versions that are certainly better', () => {
    const answer = compare([baseline, against('v2', 0.1, 0.02, 0.2), against('v3', 0.3, 0.2, 0.4)]);

    expect(answer).toEqual({ tone: 'settled', heading: 'v3 is better than v1', winner: 'v3' });
  });

  test('does not call the larger difference a winner while 0 is in its interval', () => {
    const answer = compare([baseline, against('v2', 0.1, 0.02, 0.2), against('v3', 0.3, -0.01, 0.6)]);

    expect(answer.winner).toBe('v2');
  });

  test('is open while no interval leaves out 0', () => {
    expect(compare([baseline, against('v2', 0.1, -0.1, 0.3)])).toEqual({
      tone: 'open',
      heading: 'No difference is certain yet',
      winner: null,
    });
  });

  test('reads less as better where less is wanted', () => {
    expect(compare([baseline, against('v2', -0.1, -0.2, -0.05)], 'min').winner).toBe('v2');
    expect(compare([baseline, against('v2', 0.1, 0.05, 0.2)], 'min').winner).toBe('v1');
  });

  test('says that the baseline is the best when all others are certainly worse', () => {
    expect(compare([baseline, against('v2', -0.1, -0.2, -0.05)]).heading).toBe('v1 is the best');
  });

  test('promises nothing for a chosen part of the evidence', () => {
    const answer = promptAnswer({
      versions: [baseline, against('v2', 0.1, 0.02, 0.2)],
      baseline: 'v1',
      optimize: 'max',
      isDescriptive: true,
    });

    expect(answer).toMatchObject({ tone: 'warning', winner: null });
  });

  test('says when there is no outcome or nothing to compare', () => {
    expect(compare([{ ...baseline, mature: 0, mean: null }]).heading).toBe('No outcome yet');
    expect(compare([baseline]).heading).toBe('Nothing to compare yet');
  });
});
