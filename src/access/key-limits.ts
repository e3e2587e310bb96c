import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

import { AppError, type Clock, usdFromNanoUsd } from '../kernel/index.ts';
import type { KeyLimits } from './access-types.ts';

/** What one call took; null: unknown. */
export interface CallSpending {
  readonly tokens: number | null;
  readonly costNanoUsd: number | null;
  /** The caller left a call that a model was answering: it cost something, and nobody will ever say how much. */
  readonly wasCutShort: boolean;
}

export type LimitName = 'requests' | 'tokens' | 'budget';

/** A call that was let in. Settled once, however it ends; a second time changes nothing. */
export interface CallReservation {
  settle(spending: CallSpending): void;
}

/** One limit as it stands, for the RateLimit headers. */
export interface LimitStanding {
  readonly name: Exclude<LimitName, 'budget'>;
  readonly limit: number;
  readonly windowSeconds: number;
  readonly remaining: number;
  readonly resetSeconds: number;
}

/** What keys spent before this process started. */
export interface KeySpendStore {
  /** Cost of a key's calls in the UTC day that begins at `dayMs`, nano-dollars. */
  spentOn(keyId: string, dayMs: number): Promise<number>;
}

export interface KeyLimiter {
  /**
   * Lets a call in and takes its share of every limit. Fails with `rate_limited` and `budget_exceeded`, saying which
   * limit it is and when to come back, and with `storage_unavailable` when a budget cannot be read.
   */
  reserve(keyId: string): Promise<CallReservation>;
  /** Empty for a key without limits. */
  standings(keyId: string): Promise<readonly LimitStanding[]>;
  /** Calls refused since the start, over all keys. */
  refusals(): Readonly<Record<LimitName, number>>;
}

const WINDOW_SECONDS = 60;
const DAY_MS = 86_400_000;
/** Reserved for a key's first call, whose cost nobody knows yet: a cent, and never more than a twentieth of the budget. */
const FIRST_RESERVE_NANO_USD = 10_000_000;
const FIRST_RESERVE_SHARE = 20;

const NOTHING = { costNanoUsd: null, wasCutShort: false };
const NO_RESERVATION: CallReservation = { settle: () => {} };

interface DayBudget {
  spentNanoUsd: number;
  reservedNanoUsd: number;
  /** The dearest call so far: what the next one may cost. */
  dearestNanoUsd: number;
}

/** One process holds the ledger, so that its memory is the whole truth about the running minute. */
export function createKeyLimiter(options: {
  readonly limitsOf: (keyId: string) => KeyLimits | null;
  readonly spend: KeySpendStore;
  readonly clock: Clock;
}): KeyLimiter {
  const { limitsOf, spend, clock } = options;
  const windows = new Map<string, RateLimiterMemory>();
  const budgets = new Map<string, { readonly dayMs: number; readonly budget: Promise<DayBudget> }>();
  const refusals = { requests: 0, tokens: 0, budget: 0 };

  /** Limiters are shared by all keys with the same limit: each keeps its keys apart by itself. */
  const windowOf = (name: LimitStanding['name'], points: number): RateLimiterMemory => {
    const id = `${name}:${points}`;
    const window =
      windows.get(id) ?? new RateLimiterMemory({ points, duration: WINDOW_SECONDS, keyPrefix: id });
    windows.set(id, window);
    return window;
  };

  /** Looks and sets in one turn: first calls that come together share one budget. */
  const budgetOf = (keyId: string, dayMs: number): Promise<DayBudget> => {
    const known = budgets.get(keyId);
    if (known?.dayMs === dayMs) return known.budget;
    const reading = {
      dayMs,
      budget: spend
        .spentOn(keyId, dayMs)
        .then((spentNanoUsd): DayBudget => ({ spentNanoUsd, reservedNanoUsd: 0, dearestNanoUsd: 0 })),
    };
    budgets.set(keyId, reading);
    // What could not be read is read again by the next call.
    reading.budget.catch(() => {
      if (budgets.get(keyId) === reading) budgets.delete(keyId);
    });
    return reading.budget;
  };

  const takeRequest = async (keyId: string, limit: number): Promise<void> => {
    try {
      await windowOf('requests', limit).consume(keyId);
    } catch (refusal) {
      refusals.requests += 1;
      throw refused(refusal, `The limit of this key, ${limit} requests per minute, is reached.`);
    }
  };

  const requireTokens = async (keyId: string, limit: number): Promise<void> => {
    const used = await windowOf('tokens', limit).get(keyId);
    if (used === null || used.consumedPoints < limit) return;
    refusals.tokens += 1;
    throw refused(
      used,
      `The limit of this key, ${limit} tokens per minute, is reached: it has used ${used.consumedPoints}.`,
    );
  };

  const takeBudget = async (
    keyId: string,
    limitNanoUsd: number,
  ): Promise<(spending: Omit<CallSpending, 'tokens'>) => void> => {
    const nowMs = clock.nowMs();
    const dayMs = nowMs - (nowMs % DAY_MS);
    const budget = await budgetOf(keyId, dayMs);
    const first = Math.min(FIRST_RESERVE_NANO_USD, Math.ceil(limitNanoUsd / FIRST_RESERVE_SHARE));
    const reserve = budget.dearestNanoUsd === 0 ? first : budget.dearestNanoUsd;
    if (budget.spentNanoUsd + budget.reservedNanoUsd + reserve > limitNanoUsd) {
      refusals.budget += 1;
      throw new AppError(
        'budget_exceeded',
        `This key may spend ${usdFromNanoUsd(limitNanoUsd)} USD a day and has spent ${usdFromNanoUsd(budget.spentNanoUsd)}, with ${usdFromNanoUsd(budget.reservedNanoUsd + reserve)} set aside for running calls and this one. A new day begins at 00:00 UTC.`,
        { retryAfterMs: dayMs + DAY_MS - nowMs },
      );
    }
    budget.reservedNanoUsd += reserve;
    return ({ costNanoUsd, wasCutShort }) => {
      budget.reservedNanoUsd -= reserve;
      // Else hanging up before the last token would make every call free.
      budget.spentNanoUsd += costNanoUsd ?? (wasCutShort ? reserve : 0);
      budget.dearestNanoUsd = Math.max(budget.dearestNanoUsd, costNanoUsd ?? 0);
    };
  };

  return {
    reserve: async (keyId) => {
      const limits = limitsOf(keyId);
      if (limits === null) return NO_RESERVATION;
      const { requestsPerMinute, tokensPerMinute, nanoUsdPerDay } = limits;
      // What only looks comes before what takes: a refused call uses nothing up.
      if (tokensPerMinute !== null) await requireTokens(keyId, tokensPerMinute);
      const settleBudget = nanoUsdPerDay === null ? null : await takeBudget(keyId, nanoUsdPerDay);
      try {
        if (requestsPerMinute !== null) await takeRequest(keyId, requestsPerMinute);
      } catch (error) {
        settleBudget?.(NOTHING);
        throw error;
      }
      let isSettled = false;
      return {
        settle: ({ tokens, ...cost }) => {
          if (isSettled) return;
          isSettled = true;
          settleBudget?.(cost);
          if (tokensPerMinute === null || tokens === null || tokens === 0) return;
          // In memory: it cannot fail.
          void windowOf('tokens', tokensPerMinute).penalty(keyId, tokens);
        },
      };
    },
    standings: async (keyId) => {
      const limits = limitsOf(keyId);
      const named = [
        ['requests', limits?.requestsPerMinute ?? null],
        ['tokens', limits?.tokensPerMinute ?? null],
      ] as const;
      const standings: LimitStanding[] = [];
      for (const [name, limit] of named) {
        if (limit === null) continue;
        const used = await windowOf(name, limit).get(keyId);
        standings.push({
          name,
          limit,
          windowSeconds: WINDOW_SECONDS,
          remaining: Math.max(0, limit - (used?.consumedPoints ?? 0)),
          resetSeconds: Math.ceil((used?.msBeforeNext ?? 0) / 1_000),
        });
      }
      return standings;
    },
    refusals: () => ({ ...refusals }),
  };
}

function refused(refusal: unknown, message: string): Error {
  if (!(refusal instanceof RateLimiterRes)) {
    return refusal instanceof Error ? refusal : new AppError('internal', 'a limit could not be read');
  }
  return new AppError('rate_limited', message, { retryAfterMs: Math.max(1, refusal.msBeforeNext) });
}
