import { nanoUsdFromUsd } from '../kernel/index.ts';
import { ProviderFailure } from './provider-failure.ts';

/** Shape checks of upstream answers, shared by the adapters: both SDKs hand on whatever JSON they were sent. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function malformed(what: string): ProviderFailure {
  return new ProviderFailure('bad_response', what);
}

/**
 * No call counts more: ten times the largest context there is. Sums per hour are 64-bit integers, and an upstream that
 * claims absurd counts must not make them overflow, where no further call could be recorded.
 */
const MAX_TOKENS = 100_000_000;

/** A token count: null when absent. Fails with `bad_response` when it is no whole number from 0 to {@link MAX_TOKENS}. */
export function asCount(value: unknown, name: string): number | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_TOKENS) return value;
  throw malformed(`${name} is not a count`);
}

/** No call costs more, in dollars: what is beyond is a fault of the upstream, and could overflow the sums per hour. */
const MAX_COST_USD = 10_000;

/**
 * What an upstream says a call cost, in nano-dollars. Null is unknown; so is 0, which LiteLLM writes for a model it has no
 * price for, and more than {@link MAX_COST_USD}.
 */
export function statedCostNanoUsd(usd: number | null): number | null {
  return usd !== null && usd > 0 && usd <= MAX_COST_USD ? nanoUsdFromUsd(usd) : null;
}

/** Deeper than any API nests: what is kept raw is walked again by whoever writes it down, and recursion has an end. */
const MAX_DEPTH = 64;

/** Fails with `bad_response` when a part of an answer that is kept as it came nests deeper than {@link MAX_DEPTH}. */
export function requireShallow(value: unknown, name: string): void {
  if (isDeeperThan(value, MAX_DEPTH)) throw malformed(`${name} nests deeper than ${MAX_DEPTH} levels`);
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  for (const inner of Object.values(value)) if (isDeeperThan(inner, levels - 1)) return true;
  return false;
}
