/** What a key may do. `admin` includes the three others. */
export type Scope = 'generate' | 'feedback' | 'read' | 'admin';

export const SCOPES: readonly Scope[] = ['generate', 'feedback', 'read', 'admin'];

/** Null: no limit. */
export interface KeyLimits {
  readonly requestsPerMinute: number | null;
  /** Input and output together. */
  readonly tokensPerMinute: number | null;
  /** Per UTC day. */
  readonly nanoUsdPerDay: number | null;
}

/** A key as anybody may see it: never its secret. */
export interface ApiKey {
  /** The middle part of `pgw_<id>_<secret>`; stands in logs and rows. */
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly limits: KeyLimits;
  readonly createdAtMs: number;
  /** Id of the key that made it, or `local`. */
  readonly createdBy: string;
  readonly expiresAtMs: number | null;
  readonly revokedAtMs: number | null;
  readonly revokedReason: string | null;
  /** To the minute; null: never. */
  readonly lastUsedAtMs: number | null;
}

export interface StoredApiKey extends ApiKey {
  /** 64 hex digits. The secret has 256 random bits, so a slow hash would add nothing. */
  readonly secretSha256: string;
}

export interface KeyRevocation {
  readonly id: string;
  readonly revokedAtMs: number;
  readonly reason: string;
  readonly actor: string;
}

/** Where keys are kept. Every change raises the revision, whichever process made it. */
export interface ApiKeyStore {
  /** Cheap: asked four times a second. */
  revision(): Promise<number>;
  /** Every key ever made, revoked ones too, by creation. */
  list(): Promise<readonly StoredApiKey[]>;
  /** Fails with `conflict` when the id exists, and `storage_unavailable`. */
  append(key: StoredApiKey): Promise<void>;
  /** Revoking a revoked key changes nothing. False: there is no such key. Fails with `storage_unavailable`. */
  revoke(revocation: KeyRevocation): Promise<boolean>;
  /** Notes when keys were last used; keeps the latest time. Does not raise the revision. */
  noteUse(lastUsedAtMsById: Readonly<Record<string, number>>): Promise<void>;
}

/** Who makes a request. */
export interface Principal {
  readonly keyId: string;
  readonly scopes: readonly Scope[];
  readonly limits: KeyLimits;
}
