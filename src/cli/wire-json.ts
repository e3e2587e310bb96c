/** A record with names in snake_case on every level, as the HTTP interface has them: only where all keys are ours. */
export function wireJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(wireJson);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [snakeCase(key), wireJson(inner)]));
}

function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
