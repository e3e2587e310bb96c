import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

import { AppError, type Clock, usdFromNanoUsd } from '../kernel/index.ts';
import type { KeyLimits } from './access-types.ts';

/** What one call took; null: unknown. */
export interface CallSpending {
  readonly tokens: number | null;
  readonly costNanoUsd: number | null;
}

/** A call that was let in. Settled once, however it ends; a second time changes nothing. */
export interface CallReservation {
  settle(spending: CallSpending): void;
}

/** One limit as it stands, for the RateLimit headers. */
export interface LimitStanding {
  readonly name: 'requests' | 'tokens';
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
}

const WINDOW_SECONDS = 60;
const DAY_MS = 86_400_000;
/** Reserved for a key's first call, whose cost nobody knows yet: a cent, and never more than a twentieth of the budget. */
const FIRST_RESERVE_NANO_USD = 10_000_000;
const FIRST_RESERVE_SHARE = 20;

const NO_RESERVATION: CallReservation = { settle: () => {} };

interface DayBudget {
  readonly dayMs: number;
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
  const budgets = new Map<string, Promise<DayBudget>>();

  /** Limiters are shared by all keys with the same limit: each keeps its keys apart by itself. */
  const windowOf = (name: LimitStanding['name'], points: number): RateLimiterMemory => {
    const id = `${name}:${points}`;
    const window =
      windows.get(id) ?? new RateLimiterMemory({ points, duration: WINDOW_SECONDS, keyPrefix: id });
    windows.set(id, window);
    return window;
  };

  const budgetOf = async (keyId: string): Promise<DayBudget> => {
    const dayMs = clock.nowMs() - (clock.nowMs() % DAY_MS);
    const known = await budgets.get(keyId)?.catch(() => null);
    if (known?.dayMs === dayMs) return known;
    const reading = spend
      .spentOn(keyId, dayMs)
      .then((spentNanoUsd): DayBudget => ({ dayMs, spentNanoUsd, reservedNanoUsd: 0, dearestNanoUsd: 0 }));
    budgets.set(keyId, reading);
    return reading;
  };

  const takeRequest = async (keyId: string, limit: number): Promise<void> => {
    try {
      await windowOf('requests', limit).consume(keyId);
    } catch (refusal) {
      throw refused(refusal, `This key may make ${limit} calls a minute, and has made them.`);
    }
  };

  const requireTokens = async (keyId: string, limit: number): Promise<void> => {
    const used = await windowOf('tokens', limit).get(keyId);
    if (used === null || used.consumedPoints < limit) return;
    throw refused(used, `This key may use ${limit} tokens a minute, and has used ${used.consumedPoints}.`);
  };

  const takeBudget = async (keyId: string, limitNanoUsd: number): Promise<(costNanoUsd: number) => void> => {
    const budget = await budgetOf(keyId);
    const first = Math.min(FIRST_RESERVE_NANO_USD, Math.ceil(limitNanoUsd / FIRST_RESERVE_SHARE));
    const reserve = budget.dearestNanoUsd === 0 ? first : budget.dearestNanoUsd;
    if (budget.spentNanoUsd + budget.reservedNanoUsd + reserve > limitNanoUsd) {
      throw new AppError(
        'budget_exceeded',
        `This key may spend ${usdFromNanoUsd(limitNanoUsd)} USD a day and has spent ${usdFromNanoUsd(budget.spentNanoUsd)}, with ${usdFromNanoUsd(budget.reservedNanoUsd + reserve)} set aside for running calls and this one. A new day begins at 00:00 UTC.`,
        { retryAfterMs: budget.dayMs + DAY_MS - clock.nowMs() },
      );
    }
    budget.reservedNanoUsd += reserve;
    return (costNanoUsd) => {
      budget.reservedNanoUsd -= reserve;
      budget.spentNanoUsd += costNanoUsd;
      budget.dearestNanoUsd = Math.max(budget.dearestNanoUsd, costNanoUsd);
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
        settleBudget?.(0);
        throw error;
      }
      let isSettled = false;
      return {
        settle: ({ tokens, costNanoUsd }) => {
          if (isSettled) return;
          isSettled = true;
          settleBudget?.(costNanoUsd ?? 0);
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
  };
}

function refused(refusal: unknown, message: string): Error {
  if (!(refusal instanceof RateLimiterRes)) {
    return refusal instanceof Error ? refusal : new AppError('internal', 'a limit could not be read');
  }
  return new AppError('rate_limited', message, { retryAfterMs: Math.max(1, refusal.msBeforeNext) });
}
