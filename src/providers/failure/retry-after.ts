interface HeaderReader {
  get(name: string): string | null;
}

/** A day: a longer wait is a misconfigured upstream, and no caller waits for it. */
const MAX_RETRY_AFTER_MS = 86_400_000;

/**
 * How long the upstream asks to wait, in milliseconds: `retry-after-ms` (OpenAI), `Retry-After` in seconds or as a date
 * (RFC 9110, section 10.2.3), or LiteLLM's copy of its own upstream's header, `llm_provider-retry-after`.
 */
export function retryAfterMs(headers: HeaderReader | undefined, nowMs: number): number | undefined {
  if (headers === undefined) return undefined;
  const precise = parseNumber(headers.get('retry-after-ms'));
  if (precise !== undefined) return clamp(precise);
  for (const name of ['retry-after', 'llm_provider-retry-after']) {
    const text = headers.get(name);
    if (text === null || text.trim() === '') continue;
    const seconds = parseNumber(text);
    if (seconds !== undefined) return clamp(seconds * 1000);
    // Date.parse also takes bare numbers, as years.
    const dateMs = /[a-z]{3}/i.test(text) ? Date.parse(text) : Number.NaN;
    if (!Number.isNaN(dateMs)) return clamp(dateMs - nowMs);
  }
  return undefined;
}

function parseNumber(text: string | null): number | undefined {
  if (text === null || !/^\s*\d+(?:\.\d+)?\s*$/.test(text)) return undefined;
  return Number(text);
}

function clamp(ms: number): number {
  return Math.ceil(Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS));
}
