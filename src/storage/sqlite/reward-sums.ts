/** Sums over `outcome_rollups r`, of all hours and of those whose attribution window is closed (`@closedBeforeMs`). */
export const REWARD_SUMS = `sum(r.n) AS n,
    sum(r.reward_sum) + sum(r.reward_sum_low) AS reward_sum,
    sum(r.reward_sum_sq) + sum(r.reward_sum_sq_low) AS reward_sum_sq,
    sum(CASE WHEN r.hour_ms < @closedBeforeMs THEN r.n ELSE 0 END) AS closed_n,
    sum(CASE WHEN r.hour_ms < @closedBeforeMs THEN r.reward_sum ELSE 0.0 END)
      + sum(CASE WHEN r.hour_ms < @closedBeforeMs THEN r.reward_sum_low ELSE 0.0 END) AS closed_sum,
    sum(CASE WHEN r.hour_ms < @closedBeforeMs THEN r.reward_sum_sq ELSE 0.0 END)
      + sum(CASE WHEN r.hour_ms < @closedBeforeMs THEN r.reward_sum_sq_low ELSE 0.0 END) AS closed_sum_sq`;

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
