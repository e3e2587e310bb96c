import type { ScoreRecord } from './records.ts';

type Candidates = ScoreRecord['candidates'];

/**
 * The candidates of a decision by column, as the ledger keeps them: half the text of one object per candidate. Every column
 * has one value per candidate, in the order of the request.
 */
interface CandidateColumns {
  readonly ids: readonly string[];
  readonly estimates: readonly number[];
  readonly propensities: readonly number[];
  /** Name → values. Every candidate has every feature, in the same order. */
  readonly features: Readonly<Record<string, readonly unknown[]>>;
}

/** Reads what the ledger keeps: columns, or one object per candidate (of decisions before columns, and of unequal ones). */
export function candidatesOfJson(json: string): Candidates {
  // Written by the ledger alone, from these two types.
  const stored = JSON.parse(json) as CandidateColumns | Candidates;
  return isColumns(stored) ? rowsOf(stored) : stored;
}

function isColumns(stored: CandidateColumns | Candidates): stored is CandidateColumns {
  return !Array.isArray(stored);
}

function rowsOf({ ids, estimates, propensities, features }: CandidateColumns): Candidates {
  const columns = Object.entries(features);
  return ids.map((id, index) => ({
    id,
    // Entries, because a feature may have any name, `__proto__` too.
    features: Object.fromEntries(columns.map(([name, values]) => [name, values[index]])),
    estimate: estimates[index] ?? 0,
    propensity: propensities[index] ?? 0,
  }));
}
