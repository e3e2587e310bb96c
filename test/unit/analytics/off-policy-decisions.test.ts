import { expect, test } from '@jest/globals';
import { newestSpans } from '../../../src/analytics/off-policy-decisions.ts';
import { HOUR_MS } from '../../../src/kernel/index.ts';

const hours = (...counts: readonly (readonly [hour: number, units: number])[]) =>
  counts.map(([hour, units]) => ({ hourMs: hour * HOUR_MS, units }));
const span = (from: number, to: number) => ({ fromMs: from * HOUR_MS, toMs: to * HOUR_MS });

test('neighbouring hours are read as one, empty ones are skipped', () => {
  expect(newestSpans(hours([1, 10], [2, 10], [7, 10]), 100)).toEqual({
    spans: [span(1, 3), span(7, 8)],
    truncated: false,
  });
});

test('the newest hours are kept when there are too many decisions', () => {
  expect(newestSpans(hours([1, 50], [2, 60], [3, 40]), 100)).toEqual({
    spans: [span(2, 4)],
    truncated: true,
  });
});

test('one hour is read even when it alone has too many', () => {
  expect(newestSpans(hours([1, 5], [2, 500]), 100)).toEqual({ spans: [span(2, 3)], truncated: true });
});

test('an experiment without units has nothing to read', () => {
  expect(newestSpans([], 100)).toEqual({ spans: [], truncated: false });
});
