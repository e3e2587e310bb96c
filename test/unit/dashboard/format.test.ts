import { expect, test } from '@jest/globals';
import {
  formatAge,
  formatCompact,
  formatCount,
  formatDifference,
  formatDurationMs,
  formatReward,
  formatShare,
  formatTime,
  formatUsd,
} from '../../../src/dashboard/format.ts';

test.each([
  [formatCount(1_234_567), '1,234,567'],
  [formatCount(null), '–'],
  [formatCompact(9_999), '9,999'],
  [formatCompact(12_345), '12.3K'],
  [formatReward(0.41249), '0.412'],
  [formatReward(-0.5), '−0.500'],
  [formatReward(128.4), '128'],
  [formatDifference(0.031), '+0.031'],
  [formatDifference(-0.031), '−0.031'],
  [formatDifference(0), '0.000'],
  [formatShare(0), '0 %'],
  [formatShare(0.0001), '< 0.1 %'],
  [formatShare(0.1234), '12.3 %'],
  [formatShare(1), '100 %'],
  [formatUsd(0), '$0'],
  [formatUsd(null), '–'],
  [formatUsd(12.345), '$12.35'],
  [formatUsd(1_234.5), '$1,235'],
  [formatUsd(0.0123), '$0.012'],
  [formatUsd(0.000088), '$0.000088'],
  [formatUsd(0.0000001), '< $0.000001'],
  [formatDurationMs(412.4), '412 ms'],
  [formatDurationMs(1_834), '1.83 s'],
  [formatTime('2026-11-23T10:05:00Z'), '23 Nov 2026, 10:05 UTC'],
  [formatTime('soon'), 'soon'],
])('shows %s as %s', (shown, expected) => {
  expect(shown).toBe(expected);
});

test.each([
  [0, 'just now'],
  [-5_000, 'just now'],
  [3 * 60_000, '3 min ago'],
  [2 * 3_600_000, '2 h ago'],
  [50 * 3_600_000, '2 d ago'],
])('shows an age of %d ms as %s', (ageMs, expected) => {
  const now = Date.parse('2026-11-23T10:00:00Z');

  expect(formatAge(new Date(now - ageMs).toISOString(), now)).toBe(expected);
});
