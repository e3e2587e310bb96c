import type { Scope } from './wire-types.ts';

/** An API key as the gateway lists it: never its secret. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly requests_per_minute: number | null;
  readonly tokens_per_minute: number | null;
  readonly usd_per_day: number | null;
  readonly created_at: string;
  readonly created_by: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
  readonly revoked_reason: string | null;
  readonly last_used_at: string | null;
  readonly state: 'active' | 'expired' | 'revoked';
}

/** The answer to its making: the only one that holds the whole key. */
export interface CreatedApiKey extends ApiKey {
  readonly key: string;
}
