import {
  betaBinomialDifference,
  type DifferenceSequence,
  differenceInterval,
  type Interval,
  type RewardTotal,
} from '../statistics/index.ts';

/** Beyond this many times the present outcomes a forecast from them is guesswork. */
const FURTHEST_FACTOR = 100;

/** Two significant digits of a factor between 1 and 100 need this many halvings. */
const FACTOR_HALVINGS = 14;

export interface SettlingInput {
  /** On [0, 1]; null: off the scale. */
  readonly arm: RewardTotal | null;
  readonly baseline: RewardTotal | null;
  /** Alpha of this comparison. */
  readonly alpha: number;
}

/**
 * How many more outcomes of an arm and the baseline together, in their present proportion and at their present means,
 * make the difference leave out 0; two significant digits. Null when that is too far away to say.
 */
export function outcomesToSettle({ arm, baseline, alpha }: SettlingInput): number | null {
  if (arm === null || baseline === null) return null;
  return forecast(arm.n + baseline.n, (factor) =>
    betaBinomialDifference({ arm: grown(arm, factor), baseline: grown(baseline, factor), alpha }),
  );
}

/** The same for folded decisions: `outcomes` of the two arms, whose sums grow as they have grown so far. */
export function foldedOutcomesToSettle(input: {
  readonly sequence: DifferenceSequence;
  readonly outcomes: number;
  readonly alpha: number;
}): number | null {
  const { sequence, outcomes, alpha } = input;
  const longer = (sums: DifferenceSequence['lower'], factor: number) => ({
    sumXi: sums.sumXi * factor,
    sumV: sums.sumV * factor,
  });
  return forecast(outcomes, (factor) =>
    differenceInterval(
      {
        ...sequence,
        t: sequence.t * factor,
        lower: longer(sequence.lower, factor),
        upper: longer(sequence.upper, factor),
      },
      alpha,
    ),
  );
}

function forecast(outcomes: number, differenceAt: (factor: number) => Interval): number | null {
  const settles = (factor: number): boolean => {
    const { lower, upper } = differenceAt(factor);
    return lower > 0 || upper < 0;
  };
  if (!settles(FURTHEST_FACTOR)) return null;
  let tooFew = 1;
  let enough = FURTHEST_FACTOR;
  for (let step = 0; step < FACTOR_HALVINGS; step += 1) {
    const middle = (tooFew + enough) / 2;
    if (settles(middle)) enough = middle;
    else tooFew = middle;
  }
  return Number(Math.ceil((enough - 1) * outcomes).toPrecision(2));
}

function grown({ n, sum }: RewardTotal, factor: number): RewardTotal {
  return { n: n * factor, sum: sum * factor };
}
