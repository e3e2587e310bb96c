import { solveCholesky } from './cholesky.ts';

/** More features than this belong into a trained model, not into one that is solved on the request path. */
const MAX_DIMENSION = 64;

/** What a ridge regression has seen. Plain data: it may be stored as JSON and resumed to the last bit. */
export interface RidgeState {
  readonly dimension: number;
  /** Penalty on the squared coefficients, greater than 0: the weight of "all coefficients are 0" in observations. */
  readonly lambda: number;
  /** Sum of the weights of all observations. */
  readonly weight: number;
  /** Sum of w x x^T: the lower triangle, row by row, d (d + 1) / 2 numbers. */
  readonly gram: readonly number[];
  /** Sum of w y x. */
  readonly moment: readonly number[];
}

export interface RidgeModel {
  /** Counts one observation: features x, reward y, weight (default 1; an importance weight or an age discount). O(d^2). */
  add(x: readonly number[], y: number, weight?: number): void;
  /**
   * Takes an observation back, with the weight it has now: theta as if it had never been added, within rounding. Nobody
   * checks that it had been.
   */
  remove(x: readonly number[], y: number, weight?: number): void;
  /** Everything seen so far counts `retention` times as much, within [0, 1]: older observations fade. */
  discount(retention: number): void;
  /** x times the coefficients: 0 before anything was seen. O(d), and O(d^3) once after additions. */
  predict(x: readonly number[]): number;
  /** Minimise sum of w (y - x theta)^2 + lambda |theta|^2. */
  coefficients(): readonly number[];
  state(): RidgeState;
}

/**
 * Ridge regression from running sums, theta = (lambda I + sum w x x^T)^-1 sum w y x (Hoerl & Kennard, Technometrics 12,
 * 1970), solved by Cholesky on demand. Deterministic: the same observations in the same order give the same bits. All
 * coefficients are shrunk alike, so features should have like scales; an intercept is a feature that is always 1.
 *
 * Starts empty from dimension (1 to 64) and lambda, or from a stored state. RangeError on features of another length,
 * numbers that are not finite, negative weights, or a state that does not fit together.
 */
export function ridgeModel(start: RidgeState | Pick<RidgeState, 'dimension' | 'lambda'>): RidgeModel {
  const { dimension, lambda } = start;
  if (!(Number.isInteger(dimension) && dimension >= 1 && dimension <= MAX_DIMENSION)) {
    throw new RangeError(`dimension must be a whole number within [1, ${MAX_DIMENSION}], got ${dimension}.`);
  }
  if (!(lambda > 0 && Number.isFinite(lambda))) {
    throw new RangeError(`lambda must be positive and finite, got ${lambda}.`);
  }
  const entries = (dimension * (dimension + 1)) / 2;
  const stored = 'gram' in start ? start : { weight: 0, gram: zeros(entries), moment: zeros(dimension) };
  assertVector(stored.gram, entries, 'gram');
  assertVector(stored.moment, dimension, 'moment');
  let { weight: total } = stored;
  const gram = [...stored.gram];
  const moment = [...stored.moment];
  let solution: readonly number[] | null = null;

  const coefficients = (): readonly number[] => {
    if (solution === null) {
      const rows: number[][] = [];
      for (let i = 0, at = 0; i < dimension; i += 1) {
        const row = gram.slice(at, at + i + 1);
        row[i] = (row[i] ?? 0) + lambda;
        rows.push(row);
        at += i + 1;
      }
      solution = solveCholesky(rows, moment);
    }
    return solution;
  };

  const change = (x: readonly number[], y: number, weight: number, sign: 1 | -1): void => {
    assertVector(x, dimension, 'x');
    if (!Number.isFinite(y)) throw new RangeError(`y must be finite, got ${y}.`);
    if (!(weight >= 0 && Number.isFinite(weight))) {
      throw new RangeError(`weight must be finite and not negative, got ${weight}.`);
    }
    for (let i = 0, at = 0; i < dimension; i += 1) {
      const weighted = sign * weight * (x[i] ?? 0);
      moment[i] = (moment[i] ?? 0) + weighted * y;
      for (let j = 0; j <= i; j += 1, at += 1) gram[at] = (gram[at] ?? 0) + weighted * (x[j] ?? 0);
    }
    total += sign * weight;
    solution = null;
  };

  return {
    add: (x, y, weight = 1) => change(x, y, weight, 1),
    remove: (x, y, weight = 1) => change(x, y, weight, -1),
    discount: (retention) => {
      if (!(retention >= 0 && retention <= 1)) {
        throw new RangeError(`retention must be within [0, 1], got ${retention}.`);
      }
      for (let at = 0; at < entries; at += 1) gram[at] = (gram[at] ?? 0) * retention;
      for (let i = 0; i < dimension; i += 1) moment[i] = (moment[i] ?? 0) * retention;
      total *= retention;
      solution = null;
    },
    predict: (x) => {
      assertVector(x, dimension, 'x');
      let sum = 0;
      const theta = coefficients();
      for (let i = 0; i < dimension; i += 1) sum += (theta[i] ?? 0) * (x[i] ?? 0);
      return sum;
    },
    coefficients,
    state: () => ({ dimension, lambda, weight: total, gram: [...gram], moment: [...moment] }),
  };
}

function zeros(length: number): readonly number[] {
  return new Array<number>(length).fill(0);
}

function assertVector(vector: readonly number[], length: number, what: string): void {
  if (vector.length !== length) {
    throw new RangeError(`${what} must have ${length} numbers, got ${vector.length}.`);
  }
  for (let i = 0; i < length; i += 1) {
    if (!Number.isFinite(vector[i])) throw new RangeError(`${what}[${i}] must be finite, got ${vector[i]}.`);
  }
}
