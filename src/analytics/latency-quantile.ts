import { latencyBucketMidMs } from '../ledger/index.ts';

/**
 * The latency in milliseconds below or at which a share `quantile` of the calls lies, read from `[bucket, count]` pairs
 * in any order; at most 4.5 % off, the half width of a bucket. Null when nothing was measured.
 */
export function latencyQuantileMs(
  histogram: readonly (readonly [bucket: number, count: number])[],
  quantile: number,
): number | null {
  const buckets = histogram.filter(([, count]) => count > 0).sort(([a], [b]) => a - b);
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  let seen = 0;
  for (const [bucket, count] of buckets) {
    seen += count;
    if (seen >= quantile * total) return latencyBucketMidMs(bucket);
  }
  return null;
}
