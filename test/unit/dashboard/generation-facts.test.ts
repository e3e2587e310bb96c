import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  attemptBars,
  contentText,
  rewardText,
  valueText,
} from '../../../src/dashboard/generations/generation-facts.ts';

describe('bars of attempts', () => {
  test('lie where the attempts lay in their common time', () => {
    expect(
      attemptBars([
        { started_ms: 0, duration_ms: 100 },
        { started_ms: 150, duration_ms: 50 },
      ]),
    ).toEqual([
      { begin: 0, width: 0.5 },
      { begin: 0.75, width: 0.25 },
    ]);
  });

  test('can be seen and stay within the picture, whatever was measured', () => {
    const attempt = fc.record({ started_ms: fc.nat(1_000_000), duration_ms: fc.nat(1_000_000) });

    fc.assert(
      fc.property(fc.array(attempt, { minLength: 1 }), (attempts) => {
        for (const { begin, width } of attemptBars(attempts)) {
          expect(begin).toBeGreaterThanOrEqual(0);
          expect(width).toBeGreaterThan(0.009);
          expect(begin + width).toBeLessThanOrEqual(1 + 1e-9);
        }
      }),
    );
  });
});

test.each([
  [1, '1'],
  [0.7, '0.7'],
  [1 / 3, '0.3333'],
  [-2.5, '−2.5'],
])('the reward %d is shown as %s', (reward, text) => {
  expect(rewardText(reward)).toBe(text);
});

test('a value that is text is told from one that is not', () => {
  expect([valueText('love'), valueText(true), valueText(3)]).toEqual(['love', 'true', '3']);
});

test('parts of a message are shown as they are', () => {
  expect(contentText('hello')).toBe('hello');
  expect(contentText([{ type: 'text', text: '<b>' }])).toContain('"text": "<b>"');
});
