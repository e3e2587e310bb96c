import {
  AppError,
  type Clock,
  errorCode,
  type Fault,
  type Logger,
  listNames,
  nearestName,
} from '../kernel/index.ts';
import type { ApiKey, ApiKeyStore, KeyLimits, Principal, Scope, StoredApiKey } from './access-types.ts';
import { SCOPES } from './access-types.ts';
import { isSecretOf, mintKey, readKey, secretHash } from './key-text.ts';

export interface KeyRingOptions {
  readonly store: ApiKeyStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pollIntervalMs?: number;
}

export interface KeyRequest {
  /** For people: 1 to 80 characters. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expiresAtMs: number | null;
  readonly limits: KeyLimits;
  /** Key id, or `local`. */
  readonly actor: string;
}

/** The keys as this process sees them. */
export interface KeyRing {
  /** No key was ever made: whoever reaches the port may do everything. Revoking the last key does not open it again. */
  isOpen(): boolean;
  /** Fails with `unauthorized` and the `reason`: the key is `malformed`, `unknown`, `expired` or `revoked`. */
  authenticate(text: string): Principal;
  /** The principal of a key that signed in before; null once it is expired or revoked. */
  principal(keyId: string): Principal | null;
  /**
   * For work that goes on after it was let in. Fails with `unauthorized`, as {@link KeyRing.authenticate} does, once the
   * key is revoked or expired; an id that no key has (a gateway without keys, a one-time link) passes.
   */
  requireInForce(keyId: string): void;
  /** Null: no such key, so nothing limits it. */
  limitsOf(keyId: string): KeyLimits | null;
  /** Oldest first, revoked ones too. */
  list(): readonly ApiKey[];
  /** The key's text is answered once and kept nowhere. Fails with `invalid_request` and `storage_unavailable`. */
  create(request: KeyRequest): Promise<{ readonly key: ApiKey; readonly text: string }>;
  /** By id or whole text. In force here at once, elsewhere within a poll. Fails with `key_not_found`, `invalid_request`, `storage_unavailable`. */
  revoke(id: string, reason: string, actor: string): Promise<ApiKey>;
  /** Reads all keys. Fails with `storage_unavailable`. */
  load(): Promise<void>;
  /** Follows changes of other processes, and notes uses, until closed. */
  start(): void;
  close(): Promise<void>;
}

/** A revocation is in force everywhere within this time, and a bit for the read. */
const POLL_INTERVAL_MS = 250;
const USE_INTERVAL_MS = 60_000;
const MAX_NAME_CHARACTERS = 80;
const MAX_REASON_CHARACTERS = 500;
/** Names and reasons are shown in terminals, which obey them, and beside other text, which some of them turn around. */
const CONTROL_CHARACTER = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u;
/** Least and most of each limit. Beyond them nothing is limited, or nothing is let in, and sums would lose their last digits. */
const LIMIT_BOUNDS = {
  requestsPerMinute: { path: 'requests_per_minute', least: 1, most: 1_000_000, message: '1 to 1000000' },
  tokensPerMinute: { path: 'tokens_per_minute', least: 1, most: 1e9, message: '1 to 1000000000' },
  nanoUsdPerDay: { path: 'usd_per_day', least: 1_000, most: 1e15, message: '0.000001 to 1000000' },
} as const;
const LIMITS = ['requestsPerMinute', 'tokensPerMinute', 'nanoUsdPerDay'] as const;
/** What the secret of an id that no key has is compared with: no text has this hash. */
const NO_SECRET_SHA256 = '0'.repeat(64);
/** Keys are held in memory: whoever may make them must not fill it. */
const MAX_KEYS = 10_000;

export function createKeyRing(options: KeyRingOptions): KeyRing {
  const { store, clock, logger, pollIntervalMs = POLL_INTERVAL_MS } = options;
  let keys = new Map<string, StoredApiKey>();
  let seenRevision = -1;
  const uses = new Map<string, number>();
  const stop = new AbortController();
  let running: Promise<void> | null = null;

  const load = async (): Promise<void> => {
    // The revision first: a change between the two is read again, never missed.
    const revision = await store.revision();
    const read = await store.list();
    // Two readings may overtake each other: the older one must not bring a revoked key back.
    if (revision < seenRevision) return;
    keys = new Map(read.map((key) => [key.id, key]));
    seenRevision = revision;
  };

  const refresh = async (): Promise<void> => {
    if ((await store.revision()) !== seenRevision) await load();
  };

  const flushUses = async (): Promise<void> => {
    if (uses.size === 0) return;
    const noted = Object.fromEntries(uses);
    uses.clear();
    await store.noteUse(noted);
    for (const [id, lastUsedAtMs] of Object.entries(noted)) {
      const key = keys.get(id);
      if (key !== undefined && (key.lastUsedAtMs ?? 0) < lastUsedAtMs) keys.set(id, { ...key, lastUsedAtMs });
    }
  };

  const follow = async (): Promise<void> => {
    let isFailing = false;
    let nextFlushMs = clock.monotonicMs() + USE_INTERVAL_MS;
    while (true) {
      await clock.sleep(pollIntervalMs, stop.signal);
      if (stop.signal.aborted) return;
      try {
        await refresh();
        if (clock.monotonicMs() >= nextFlushMs) {
          nextFlushMs = clock.monotonicMs() + USE_INTERVAL_MS;
          await flushUses();
        }
        if (isFailing) logger.info({ event: 'keys_followed' }, 'changes of API keys are seen again');
        isFailing = false;
      } catch (error) {
        if (!isFailing && !stop.signal.aborted) {
          logger.warn(
            { event: 'keys_not_followed', code: errorCode(error) },
            'changes of API keys by other processes are not seen: the last known ones stay in force',
          );
        }
        isFailing = true;
      }
    }
  };

  const inForce = (key: StoredApiKey): boolean =>
    key.revokedAtMs === null && (key.expiresAtMs === null || clock.nowMs() < key.expiresAtMs);

  const requireInForce = (key: StoredApiKey): void => {
    if (inForce(key)) return;
    const [reason, end] =
      key.revokedAtMs === null
        ? (['expired', `expired at ${isoTime(key.expiresAtMs ?? 0)}`] as const)
        : (['revoked', `was revoked at ${isoTime(key.revokedAtMs)}`] as const);
    throw unauthorized(reason, `The API key ${end}. Ask for a new one.`);
  };

  const principalOf = (key: StoredApiKey): Principal => {
    uses.set(key.id, clock.nowMs());
    return { keyId: key.id, scopes: key.scopes, limits: key.limits };
  };

  return {
    isOpen: () => keys.size === 0,
    authenticate: (text) => {
      const presented = readKey(text);
      if (presented === null) {
        throw unauthorized('malformed', 'The API key is malformed: it has the form pgw_<id>_<secret>.');
      }
      const key = keys.get(presented.id);
      // An unknown id and a wrong secret are told alike, and take alike: neither says which ids exist.
      const isRight = isSecretOf(presented.secret, key?.secretSha256 ?? NO_SECRET_SHA256);
      if (key === undefined || !isRight) {
        throw unauthorized('unknown', 'The API key is unknown. Check that it was copied whole.');
      }
      requireInForce(key);
      return principalOf(key);
    },
    requireInForce: (keyId) => {
      const key = keys.get(keyId);
      if (key !== undefined) requireInForce(key);
    },
    principal: (keyId) => {
      const key = keys.get(keyId);
      return key === undefined || !inForce(key) ? null : principalOf(key);
    },
    limitsOf: (keyId) => keys.get(keyId)?.limits ?? null,
    list: () => [...keys.values()].map(withoutSecret),
    create: async (request) => {
      requireSound(request, clock.nowMs());
      if (keys.size >= MAX_KEYS) {
        throw new AppError('invalid_request', `There are ${MAX_KEYS} keys already.`);
      }
      const { id, secret, text } = mintKey();
      const key: StoredApiKey = {
        id,
        name: request.name.trim(),
        scopes: SCOPES.filter((scope) => request.scopes.includes(scope)),
        limits: request.limits,
        createdAtMs: clock.nowMs(),
        createdBy: request.actor,
        expiresAtMs: request.expiresAtMs,
        revokedAtMs: null,
        revokedReason: null,
        lastUsedAtMs: null,
        secretSha256: secretHash(secret),
      };
      await store.append(key);
      await load();
      logger.info(
        { event: 'key_created', key_id: id, name: key.name, scopes: key.scopes, actor: request.actor },
        'API key created',
      );
      return { key: withoutSecret(key), text };
    },
    revoke: async (given, reason, actor) => {
      const id = idOf(given);
      if (
        reason.trim() === '' ||
        reason.length > MAX_REASON_CHARACTERS ||
        CONTROL_CHARACTER.test(reason.trim())
      ) {
        const message = `says why the key is revoked, in 1 to ${MAX_REASON_CHARACTERS} characters on one line`;
        throw new AppError('invalid_request', 'The key cannot be revoked.', {
          faults: [{ path: 'reason', message }],
        });
      }
      const isKnown = await store.revoke({ id, reason: reason.trim(), actor, revokedAtMs: clock.nowMs() });
      if (!isKnown) throw keyNotFound(id, [...keys.keys()]);
      await load();
      const key = keys.get(id);
      if (key === undefined) throw new AppError('internal', 'a revoked key is gone');
      logger.info({ event: 'key_revoked', key_id: id, name: key.name, reason, actor }, 'API key revoked');
      return withoutSecret(key);
    },
    load,
    start: () => {
      running ??= follow();
    },
    close: async () => {
      stop.abort();
      await running;
      // The last uses are worth less than a clean end.
      await flushUses().catch(() => {});
    },
  };
}

function requireSound(request: KeyRequest, nowMs: number): void {
  const faults: Fault[] = [];
  const name = request.name.trim();
  if (name === '' || name.length > MAX_NAME_CHARACTERS || CONTROL_CHARACTER.test(name)) {
    faults.push({
      path: 'name',
      message: `has 1 to ${MAX_NAME_CHARACTERS} characters, none of them a control character`,
    });
  }
  if (request.scopes.length === 0) {
    faults.push({ path: 'scopes', message: `names at least one of ${SCOPES.join(', ')}` });
  }
  if (request.expiresAtMs !== null && request.expiresAtMs <= nowMs) {
    faults.push({ path: 'expires_at', message: 'must lie in the future' });
  }
  for (const name of LIMITS) {
    const { path, least, most, message } = LIMIT_BOUNDS[name];
    const limit = request.limits[name];
    if (limit === null || (limit >= least && limit <= most)) continue;
    faults.push({ path, message: `is ${message}, or absent for no limit` });
  }
  if (faults.length > 0) throw new AppError('invalid_request', 'The key cannot be made.', { faults });
}

/** A leaked key is at hand as a whole: it may be given as it is, and its secret is repeated nowhere. */
function idOf(given: string): string {
  return given.replace(/^pgw_([^_]*)_.*$/s, '$1');
}

function keyNotFound(id: string, known: readonly string[]): AppError {
  const nearest = nearestName(id, known);
  const hint = nearest === null ? '' : ` (did you mean ${nearest}?)`;
  return new AppError(
    'key_not_found',
    `There is no key ${id.slice(0, 40)}${hint}; known: ${listNames(known)}`,
  );
}

function withoutSecret({ secretSha256: _secret, ...key }: StoredApiKey): ApiKey {
  return key;
}

function unauthorized(reason: string, message: string): AppError {
  return new AppError('unauthorized', message, { details: { reason } });
}

function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
