import type { ScoreRecord } from '../../ledger/index.ts';

/**
 * Candidates on their way to the writer, by column. Their numbers cross the thread boundary as one block of memory, and
 * the writer makes the text: writing 200 numbers in decimal takes longer than anything else that ranking does.
 */
export interface PackedCandidates {
  readonly count: number;
  /** JSON of a list of texts. */
  readonly ids: string;
  /** By column: estimates, propensities, then the features that are numbers for every candidate. */
  readonly numbers: Float64Array;
  /** In the order of the request: JSON of a list. Null: the next column of `numbers`. */
  readonly features: readonly (readonly [name: string, values: string | null])[];
}

/** Text where candidates have different features. Throws a TypeError on a value that JSON cannot hold. */
export type CandidatesInTransit = PackedCandidates | string;

export function packCandidates(candidates: ScoreRecord['candidates']): CandidatesInTransit {
  const names = commonNames(candidates);
  if (names === null) return JSON.stringify(candidates);
  const count = candidates.length;
  const rows = candidates.map(({ features }) => Object.values(features));
  const numbers = new Float64Array(count * (2 + names.length));
  candidates.forEach(({ estimate, propensity }, index) => {
    numbers[index] = estimate;
    numbers[count + index] = propensity;
  });
  let used = 2 * count;
  const features = names.map((name, place) => {
    for (let index = 0; index < count; index += 1) {
      const value = rows[index]?.[place];
      if (typeof value !== 'number') return [name, JSON.stringify(rows.map((row) => row[place]))] as const;
      numbers[used + index] = value;
    }
    used += count;
    return [name, null] as const;
  });
  return {
    count,
    ids: JSON.stringify(candidates.map(({ id }) => id)),
    numbers: numbers.slice(0, used),
    features,
  };
}

/** Null: features differ from one candidate to the next, be it in their order, and only one object each says how. */
function commonNames(candidates: ScoreRecord['candidates']): readonly string[] | null {
  const names = Object.keys(candidates[0]?.features ?? {});
  for (const { features } of candidates) {
    const own = Object.keys(features);
    if (own.length !== names.length) return null;
    for (let place = 0; place < own.length; place += 1) if (own[place] !== names[place]) return null;
  }
  return names;
}

/** For the limit of the queue: about as many characters as the text will have. */
export function packedCharacters(candidates: CandidatesInTransit): number {
  if (typeof candidates === 'string') return candidates.length;
  const { ids, numbers, features } = candidates;
  return (
    features.reduce((sum, [name, values]) => sum + name.length + (values?.length ?? 0), ids.length) +
    20 * numbers.length
  );
}

/** The text that `candidatesOfJson` of the ledger reads: its `CandidateColumns`, or the objects. */
export function candidatesJson(candidates: CandidatesInTransit): string {
  if (typeof candidates === 'string') return candidates;
  const { count, ids, numbers, features } = candidates;
  let at = 0;
  const nextColumn = (): string => {
    const column = new Array<number>(count);
    for (let index = 0; index < count; index += 1) column[index] = numbers[at + index] ?? 0;
    at += count;
    return JSON.stringify(column);
  };
  const head = `{"ids":${ids},"estimates":${nextColumn()},"propensities":${nextColumn()}`;
  const columns = features.map(([name, values]) => `${JSON.stringify(name)}:${values ?? nextColumn()}`);
  return `${head},"features":{${columns.join(',')}}}`;
}
