import { expect, test } from '@jest/globals';
import { reportCsvPath, reportPath, seriesPath } from '../../../src/dashboard/prompt/report-query.ts';

const NOW = Date.parse('2026-11-23T10:20:30Z');

test('asks for everything without filters', () => {
  expect(reportPath('tip', {}, NOW)).toBe('/analytics/prompts/tip/versions');
});

test('takes over the filters of the address and leaves out what is not theirs', () => {
  const query = { metric: 'completed', model: 'gpt-4o', segment: 'forced', view: 'diff', source: '' };

  expect(reportPath('tip', query, NOW)).toBe(
    '/analytics/prompts/tip/versions?metric=completed&model=gpt-4o&segment=forced',
  );
});

test('begins a period on a full hour, so that its address stays the same within the hour', () => {
  const path = reportPath('tip', { period: '24h' }, NOW);

  expect(path).toBe('/analytics/prompts/tip/versions?from=2026-11-22T10%3A00%3A00.000Z');
  expect(reportPath('tip', { period: '24h' }, NOW + 60_000)).toBe(path);
});

test('includes the last of two days', () => {
  expect(reportPath('tip', { period: 'days', from: '2026-11-01', to: '2026-11-02' }, NOW)).toBe(
    '/analytics/prompts/tip/versions?from=2026-11-01T00%3A00%3A00.000Z&to=2026-11-03T00%3A00%3A00.000Z',
  );
});

test('leaves out what is no day', () => {
  expect(reportPath('tip', { from: 'soon', to: '2026-13-45' }, NOW)).toBe('/analytics/prompts/tip/versions');
});

test('asks for the same report as a file', () => {
  expect(reportCsvPath('tip', {}, NOW)).toBe('/analytics/prompts/tip/versions?format=csv');
  expect(reportCsvPath('tip', { metric: 'reaction' }, NOW)).toBe(
    '/analytics/prompts/tip/versions?metric=reaction&format=csv',
  );
});

test('draws a short window by the hour, others by the day, and what the reader chose', () => {
  expect(seriesPath('tip', { period: '24h' }, NOW)).toContain('by=hour');
  expect(seriesPath('tip', { period: '30d' }, NOW)).toContain('by=day');
  expect(seriesPath('tip', {}, NOW)).toBe('/analytics/prompts/tip/timeseries?by=day');
  expect(seriesPath('tip', { by: 'hour' }, NOW)).toContain('by=hour');
});
