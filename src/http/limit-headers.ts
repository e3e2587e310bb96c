import type { ServerResponse } from 'node:http';
import type { LimitStanding } from '../access/index.ts';

/**
 * Where a key stands with its limits, this call included: `RateLimit-Policy` and `RateLimit`
 * (draft-ietf-httpapi-ratelimit-headers-11), on `/v1` also the names that users of OpenAI read.
 */
export function setLimitHeaders(
  response: ServerResponse,
  standings: readonly LimitStanding[],
  isOpenAiSurface: boolean,
): void {
  if (standings.length === 0) return;
  const policies = standings.map(
    ({ name, limit, windowSeconds }) => `"${name}";q=${limit};w=${windowSeconds}`,
  );
  const states = standings.map(
    (standing) => `"${standing.name}";r=${remainingAfter(standing)};t=${standing.resetSeconds}`,
  );
  response.setHeader('RateLimit-Policy', policies.join(', '));
  response.setHeader('RateLimit', states.join(', '));
  if (!isOpenAiSurface) return;
  for (const standing of standings) {
    response.setHeader(`x-ratelimit-limit-${standing.name}`, String(standing.limit));
    response.setHeader(`x-ratelimit-remaining-${standing.name}`, String(remainingAfter(standing)));
    response.setHeader(`x-ratelimit-reset-${standing.name}`, `${standing.resetSeconds}s`);
  }
}

/** Of requests this call takes one; how many tokens it takes nobody knows yet. */
function remainingAfter({ name, remaining }: LimitStanding): number {
  return name === 'requests' ? Math.max(0, remaining - 1) : remaining;
}
