import { AppError, type Clock, type Logger } from '../kernel/index.ts';
import type { Principal } from './access-types.ts';
import type { KeyRing } from './key-ring.ts';
import { readKey } from './key-text.ts';
import type { SignInLinks } from './sign-in-links.ts';

/**
 * The door for keys and one-time links. Whoever presents too many that nobody ever made waits: neither is looked at
 * until the minute is over, however right the next one is.
 */
export interface KeyGuard {
  /** `source`: network address of the caller. Fails as {@link KeyRing.authenticate} does, and with `rate_limited`. */
  authenticate(text: string, source: string): Principal;
  /** Fails as {@link SignInLinks.redeem} does, and with `rate_limited`. */
  redeem(token: string, source: string): Promise<void>;
  /** Since the start. `wrong` ones were looked at, `refused` ones were not. */
  guesses(): { readonly wrong: number; readonly refused: number };
}

export interface KeyGuardOptions {
  readonly keys: Pick<KeyRing, 'authenticate'>;
  readonly links: Pick<SignInLinks, 'redeem'>;
  /** Wrong keys and links of one source within a minute that are still looked at. */
  readonly maxWrongPerMinute: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

const WINDOW_MS = 60_000;
/** Both maps are keyed by what callers are: whoever has many addresses must not fill the memory. */
const MAX_SOURCES = 10_000;
const MAX_KEYS_PER_SOURCE = 100;

interface Window {
  readonly endsAtMs: number;
  wrong: number;
}

/**
 * A key that has come in from a source before is looked at even while that source waits: one client with a wrong key
 * behind a proxy or a NAT does not shut the others out. A guess gains nothing by it: it has to be the key.
 */
export function createKeyGuard(options: KeyGuardOptions): KeyGuard {
  const { keys, links, maxWrongPerMinute, clock, logger } = options;
  const windowBySource = new Map<string, Window>();
  const keyIdsBySource = new Map<string, Set<string>>();
  const guesses = { wrong: 0, refused: 0 };

  /** Null: the source is free to try. */
  const waitMsOf = (source: string): number | null => {
    // Nearly always: nobody has presented anything wrong.
    if (windowBySource.size === 0) return null;
    const window = windowBySource.get(source);
    if (window === undefined) return null;
    const leftMs = window.endsAtMs - clock.monotonicMs();
    if (leftMs > 0) return window.wrong < maxWrongPerMinute ? null : leftMs;
    windowBySource.delete(source);
    return null;
  };

  const noteWrong = (source: string): void => {
    guesses.wrong += 1;
    const nowMs = clock.monotonicMs();
    const known = windowBySource.get(source);
    const window =
      known === undefined || known.endsAtMs <= nowMs ? { endsAtMs: nowMs + WINDOW_MS, wrong: 0 } : known;
    window.wrong += 1;
    keep(windowBySource, source, window);
    if (window.wrong !== maxWrongPerMinute) return;
    logger.warn(
      { event: 'keys_guessed', source, wrong: window.wrong },
      'too many wrong keys from one address: it waits until the minute is over',
    );
  };

  const noteRight = (source: string, keyId: string): void => {
    const keyIds = keyIdsBySource.get(source);
    if (keyIds === undefined) keep(keyIdsBySource, source, new Set([keyId]));
    else if (!keyIds.has(keyId) && keyIds.size < MAX_KEYS_PER_SOURCE) keyIds.add(keyId);
  };

  const refuse = (waitMs: number): never => {
    guesses.refused += 1;
    throw new AppError(
      'rate_limited',
      'Too many wrong keys or sign-in links came from this address: no further one is looked at for now. Check the key, then wait.',
      { retryAfterMs: waitMs },
    );
  };

  return {
    authenticate: (text, source) => {
      const waitMs = waitMsOf(source);
      const id = readKey(text)?.id;
      if (waitMs !== null && (id === undefined || keyIdsBySource.get(source)?.has(id) !== true)) {
        return refuse(waitMs);
      }
      try {
        const principal = keys.authenticate(text);
        noteRight(source, principal.keyId);
        return principal;
      } catch (error) {
        if (!isUnknown(error)) throw error;
        noteWrong(source);
        if (waitMs !== null) return refuse(waitMs);
        throw error;
      }
    },
    redeem: async (token, source) => {
      const waitMs = waitMsOf(source);
      if (waitMs !== null) return refuse(waitMs);
      try {
        await links.redeem(token);
      } catch (error) {
        if (isUnknown(error)) noteWrong(source);
        throw error;
      }
    },
    guesses: () => ({ ...guesses }),
  };
}

/** What is malformed cannot be a guess, and what was revoked or has expired was right once: a client that runs on. */
function isUnknown(error: unknown): boolean {
  return error instanceof AppError && error.details['reason'] === 'unknown';
}

/** The oldest gives way. */
function keep<Value>(map: Map<string, Value>, source: string, value: Value): void {
  map.set(source, value);
  if (map.size <= MAX_SOURCES) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
