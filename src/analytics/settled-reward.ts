/** As `settleRewards` counts: null is not settled. */
export function settledReward(
  { createdAtMs, reward }: { readonly createdAtMs: number; readonly reward: number | null },
  missing: 'exclude' | 'zero',
  closedBeforeMs: number,
): number | null {
  if (missing === 'exclude') return reward;
  return createdAtMs < closedBeforeMs ? (reward ?? 0) : null;
}
