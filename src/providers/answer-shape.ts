import { ProviderFailure } from './provider-failure.ts';

/** Shape checks of upstream answers, shared by the adapters: both SDKs hand on whatever JSON they were sent. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function malformed(what: string): ProviderFailure {
  return new ProviderFailure('bad_response', what);
}

/** A token count: null when absent. Fails with `bad_response` when it is no whole number from 0 up. */
export function asCount(value: unknown, name: string): number | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw malformed(`${name} is not a count`);
}
