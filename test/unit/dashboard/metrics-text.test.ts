import { describe, expect, test } from '@jest/globals';
import { readMetrics } from '../../../src/dashboard/health/metrics-text.ts';

const TEXT = `# HELP calls_total Calls.
# TYPE calls_total counter
calls_total{status="ok",name="a \\"quoted\\" one, and }"} 3
calls_total{status="error",name="b"} 1.5
calls_total{status="ok",name="c"} 4
writable 1
broken{
seconds_bucket{le="0.1",route="a"} 5
seconds_bucket{le="1",route="a"} 9
seconds_bucket{le="+Inf",route="a"} 10
seconds_bucket{le="0.1",route="b"} 0
seconds_bucket{le="1",route="b"} 0
seconds_bucket{le="+Inf",route="b"} 10
empty_bucket{le="+Inf"} 0
`;

describe('metrics of the gateway', () => {
  const metrics = readMetrics(TEXT);

  test('are summed over the series that fit', () => {
    expect(metrics.sum('calls_total')).toBe(8.5);
    expect(metrics.sum('calls_total', { status: 'ok' })).toBe(7);
    expect(metrics.sum('writable')).toBe(1);
  });

  test('that are not there are not 0', () => {
    expect(metrics.sum('nothing_total')).toBeNull();
    expect(metrics.quantile('empty', 0.5)).toBeNull();
    expect(metrics.quantile('nothing', 0.5)).toBeNull();
  });

  test('are told apart by a label, the largest first', () => {
    expect(metrics.sumsBy('calls_total', 'status')).toEqual([
      ['ok', 7],
      ['error', 1.5],
    ]);
  });

  test('keep quotes and brackets within their labels', () => {
    expect(metrics.series('calls_total')[0]?.labels['name']).toBe('a "quoted" one, and }');
  });

  test('give the end of the bucket that holds a quantile, of one series or of all', () => {
    expect(metrics.quantile('seconds', 0.5, { route: 'a' })).toBe(0.1);
    expect(metrics.quantile('seconds', 0.9, { route: 'a' })).toBe(1);
    expect(metrics.quantile('seconds', 0.4)).toBe(1);
    expect(metrics.quantile('seconds', 0.5)).toBe(Infinity);
  });
});

test('an answer that is no metrics says nothing', () => {
  expect(readMetrics('<html>\n').sum('html')).toBeNull();
});
