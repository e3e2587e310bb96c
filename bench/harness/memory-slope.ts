export interface MemorySample {
  /** Sent so far. */
  readonly requests: number;
  readonly rssMb: number;
}

const REQUESTS = 100_000;

/** Slope of the least-squares line through the samples, in megabytes per 100,000 requests; NaN of fewer than two. */
export function slopeMbPer100k(samples: readonly MemorySample[]): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanRequests = mean(samples.map(({ requests }) => requests));
  const meanRssMb = mean(samples.map(({ rssMb }) => rssMb));
  let covariance = 0;
  let variance = 0;
  for (const { requests, rssMb } of samples) {
    covariance += (requests - meanRequests) * (rssMb - meanRssMb);
    variance += (requests - meanRequests) ** 2;
  }
  return (REQUESTS * covariance) / variance;
}
