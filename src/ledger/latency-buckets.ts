/** Buckets grow by 2^(1/8), about 9 %: a quantile read from them is at most 4.5 % off. Bucket 0 ends at 0.1 ms. */
const SMALLEST_MS = 0.1;
const BUCKETS_PER_DOUBLING = 8;
/** Ends above 30 minutes: slower calls fall into the last bucket. */
const LAST_BUCKET = 200;

/** Index of the latency histogram bucket for a duration in milliseconds. */
export function latencyBucket(durationMs: number): number {
  if (!(durationMs > SMALLEST_MS)) return 0;
  return Math.min(LAST_BUCKET, Math.ceil(Math.log2(durationMs / SMALLEST_MS) * BUCKETS_PER_DOUBLING));
}

/** Geometric middle of a bucket, in milliseconds. */
export function latencyBucketMidMs(bucket: number): number {
  return SMALLEST_MS * 2 ** ((bucket - 0.5) / BUCKETS_PER_DOUBLING);
}
