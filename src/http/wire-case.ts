/** `costUsd` → `cost_usd`, `latencyMs` → `latency_ms`. */
function wireKey(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The first level of a record with wire names; values as they are. */
export function wireKeys(record: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [wireKey(key), value]));
}

/** A record with wire names on every level: only for records whose keys are all ours, never for a caller's data. */
export function wireRecord(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(wireRecord);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [wireKey(key), wireRecord(inner)]));
}
