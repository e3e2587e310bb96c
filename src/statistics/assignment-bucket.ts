/** The hash is cut to this many buckets: no probability can be told apart more finely than 1/10,000. */
export const BUCKETS = 10_000;

/**
 * The bucket of a unit, in [0, 1) in steps of 1e-4: equal for equal input, on every machine. Hash version 2 of
 * GrowthBook's SDKs, n = fnv32a(decimal(fnv32a(seed + unit))) mod 10,000 / 10,000, over UTF-16 code units. Another
 * seed re-randomises all units. Null for the empty unit, which is never assigned. O(length).
 */
export function assignmentBucket(seed: string, unit: string): number | null {
  if (unit === '') return null;
  return (fnv32a(String(fnv32a(seed + unit))) % BUCKETS) / BUCKETS;
}

/** Fowler, Noll and Vo's hash in its 1a form with 32 bits (RFC 9923), over UTF-16 code units instead of bytes. */
function fnv32a(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
