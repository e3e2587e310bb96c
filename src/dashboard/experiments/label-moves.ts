/** Structures of the wire types; spelled out, so that this file knows nothing of browsers. */
interface Report {
  readonly experiment: string;
  readonly baseline: string;
  readonly verdict: { readonly state: string; readonly arm: string | null };
  readonly arms: readonly { readonly arm: string; readonly prompt_version: string | null }[];
}

interface Target {
  readonly target: { readonly version: string } | { readonly experiment: string };
}

export interface LabelMove<L extends Target = Target> {
  readonly label: L;
  readonly version: string;
  /** The evidence says that this version is the best choice. */
  readonly isWinner: boolean;
}

/**
 * Moves that end the experiment for the callers of a label: each label that leads to it, to the version of the winner,
 * or back to the baseline's while there is none.
 */
export function labelMoves<L extends Target>(report: Report, labels: readonly L[]): readonly LabelMove<L>[] {
  const { verdict, arms, baseline } = report;
  const isWinner = verdict.state === 'better' && verdict.arm !== null;
  const arm = isWinner ? verdict.arm : baseline;
  const version = arms.find((one) => one.arm === arm)?.prompt_version ?? null;
  if (version === null) return [];
  return labels
    .filter(({ target }) => 'experiment' in target && target.experiment === report.experiment)
    .map((label) => ({ label, version, isWinner }));
}
