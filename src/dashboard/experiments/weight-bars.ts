import { type TimeAxis, timePercent } from './time-axis.ts';

interface Revision {
  readonly first_unit_at: string;
  readonly arms: readonly { readonly arm: string; readonly propensity: number | null }[];
}

/** A rectangle of the plot, all in percent of it. */
export interface WeightBar {
  readonly arm: string;
  readonly left: number;
  readonly width: number;
  readonly top: number;
  readonly height: number;
  readonly share: number;
}

/**
 * The chances of the arms, one upon the other, from each revision of the policy to the next one and the last until the
 * end. Arms come in the order given: the same colours as everywhere.
 */
export function weightBars(
  revisions: readonly Revision[],
  arms: readonly string[],
  axis: TimeAxis,
): readonly WeightBar[] {
  return revisions.flatMap(({ first_unit_at, arms: shares }, index) => {
    const left = Math.max(0, timePercent(Date.parse(first_unit_at), axis));
    const next = revisions[index + 1];
    const right = next === undefined ? 100 : timePercent(Date.parse(next.first_unit_at), axis);
    let top = 0;
    return arms.flatMap((arm): readonly WeightBar[] => {
      const share = shares.find((one) => one.arm === arm)?.propensity ?? 0;
      if (share === 0 || right <= left) return [];
      const bar = { arm, left, width: right - left, top, height: share * 100, share };
      top += share * 100;
      return [bar];
    });
  });
}
