import { STORED_SUMS } from './reward-cells.ts';

/** Columns of outcome cells `r` that {@link REWARD_SUMS} needs. */
export const REWARD_COLUMNS: readonly string[] = STORED_SUMS.map((column) => `r.${column}`);

/** Sums over cells `c` of outcomes, of all and of those whose attribution window is closed. */
export const REWARD_SUMS = `sum(c.n) AS n,
    sum(c.reward_sum) + sum(c.reward_sum_low) AS reward_sum,
    sum(c.reward_sum_sq) + sum(c.reward_sum_sq_low) AS reward_sum_sq,
    sum(CASE WHEN c.is_closed THEN c.n ELSE 0 END) AS closed_n,
    sum(CASE WHEN c.is_closed THEN c.reward_sum ELSE 0.0 END)
      + sum(CASE WHEN c.is_closed THEN c.reward_sum_low ELSE 0.0 END) AS closed_sum,
    sum(CASE WHEN c.is_closed THEN c.reward_sum_sq ELSE 0.0 END)
      + sum(CASE WHEN c.is_closed THEN c.reward_sum_sq_low ELSE 0.0 END) AS closed_sum_sq`;

/** The columns of {@link REWARD_SUMS}. */
export type RewardSumsRow = Readonly<
  Record<'n' | 'reward_sum' | 'reward_sum_sq' | 'closed_n' | 'closed_sum' | 'closed_sum_sq', number>
>;

interface RewardSums {
  readonly n: number;
  readonly sum: number;
  readonly sumOfSquares: number;
}

/** Zeros where nothing was rewarded. */
export function rewardsOf(row: RewardSumsRow | undefined): {
  readonly outcomes: RewardSums;
  readonly closedOutcomes: RewardSums;
} {
  return {
    outcomes: { n: row?.n ?? 0, sum: row?.reward_sum ?? 0, sumOfSquares: row?.reward_sum_sq ?? 0 },
    closedOutcomes: {
      n: row?.closed_n ?? 0,
      sum: row?.closed_sum ?? 0,
      sumOfSquares: row?.closed_sum_sq ?? 0,
    },
  };
}
