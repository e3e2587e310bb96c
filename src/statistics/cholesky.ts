/**
 * Solves A x = b for a symmetric positive definite A of order d, given as rows, lower triangle read only: A = L L^T
 * (Golub & Van Loan, Matrix Computations, 4th ed., 4.2), then two triangular systems. O(d^3). RangeError when A is not
 * positive definite to working precision.
 */
export function solveCholesky(a: readonly (readonly number[])[], b: readonly number[]): readonly number[] {
  const size = b.length;
  const lower: number[][] = [];
  for (let i = 0; i < size; i += 1) {
    const row: number[] = [];
    lower.push(row);
    for (let j = 0; j <= i; j += 1) {
      let rest = a[i]?.[j] ?? 0;
      for (let k = 0; k < j; k += 1) rest -= (row[k] ?? 0) * (lower[j]?.[k] ?? 0);
      if (j < i) row.push(rest / (lower[j]?.[j] ?? 1));
      else if (rest > 0 && Number.isFinite(rest)) row.push(Math.sqrt(rest));
      else throw new RangeError(`The matrix is not positive definite at row ${i}.`);
    }
  }
  const x: number[] = [];
  for (let i = 0; i < size; i += 1) {
    let rest = b[i] ?? 0;
    for (let k = 0; k < i; k += 1) rest -= (lower[i]?.[k] ?? 0) * (x[k] ?? 0);
    x.push(rest / (lower[i]?.[i] ?? 1));
  }
  for (let i = size - 1; i >= 0; i -= 1) {
    let rest = x[i] ?? 0;
    for (let k = i + 1; k < size; k += 1) rest -= (lower[k]?.[i] ?? 0) * (x[k] ?? 0);
    x[i] = rest / (lower[i]?.[i] ?? 1);
  }
  return x;
}
