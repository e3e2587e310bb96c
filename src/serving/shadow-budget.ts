import type { Clock } from '../kernel/index.ts';
import { HOUR_MS } from '../kernel/index.ts';
import type { ShadowRule, ShadowSpend } from './shadow-types.ts';

const DAY_MS = 24 * HOUR_MS;

/**
 * What the shadow calls of each rule have cost in the UTC day. A call is counted when it ends, so that a day may exceed
 * its budget by the calls that were running.
 */
export interface ShadowBudget {
  /** What the ledger holds of today, from before this process. */
  restore(spends: readonly ShadowSpend[], rules: readonly ShadowRule[]): void;
  add(rule: ShadowRule, costNanoUsd: number): void;
  spentTodayNanoUsd(rule: string): number;
  startOfDayMs(): number;
}

export function createShadowBudget(clock: Clock): ShadowBudget {
  let dayMs = startOfDay(clock.nowMs());
  const spent = new Map<string, number>();
  const turn = (): void => {
    const today = startOfDay(clock.nowMs());
    if (today === dayMs) return;
    dayMs = today;
    spent.clear();
  };
  const increase = (rule: string, nanoUsd: number): void => {
    spent.set(rule, (spent.get(rule) ?? 0) + nanoUsd);
  };
  return {
    restore: (spends, rules) => {
      for (const { rule, costNanoUsd, unknownCost } of spends) {
        const assumed = rules.find(({ name }) => name === rule)?.assumedCostNanoUsd ?? 0;
        increase(rule, costNanoUsd + unknownCost * assumed);
      }
    },
    add: (rule, costNanoUsd) => {
      turn();
      increase(rule.name, costNanoUsd);
    },
    spentTodayNanoUsd: (rule) => {
      turn();
      return spent.get(rule) ?? 0;
    },
    startOfDayMs: () => startOfDay(clock.nowMs()),
  };
}

function startOfDay(epochMs: number): number {
  return Math.floor(epochMs / DAY_MS) * DAY_MS;
}
