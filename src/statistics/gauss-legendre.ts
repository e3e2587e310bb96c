/** A quadrature rule on [-1, 1] that also integrates up to each of its own nodes. */
export interface QuadratureRule {
  readonly nodes: readonly number[];
  readonly weights: readonly number[];
  /** `cumulative[m][k]`: weight of the value at node k in the integral from -1 to node m. */
  readonly cumulative: readonly (readonly number[])[];
}

/**
 * Gauss-Legendre rule with `size` nodes: exact for polynomials of degree 2 size - 1; the cumulative weights integrate
 * the interpolating polynomial, exact for degree size - 1. Nodes are the roots of the Legendre polynomial by Newton's
 * method (Press et al., Numerical Recipes, 4.6); the cumulative weights follow from the discrete orthogonality of the
 * Legendre polynomials at the nodes and from (2n + 1) P_n = P'_(n+1) - P'_(n-1). O(size^3), for module load.
 */
export function gaussLegendreRule(size: number): QuadratureRule {
  const nodes = Array.from({ length: size }, (_, index) => legendreRoot(size, index));
  const weights = nodes.map((node) => {
    const slope = legendreSlope(size, node);
    return 2 / ((1 - node * node) * slope * slope);
  });
  const values = nodes.map((node) => legendreValues(size, node));
  const cumulative = nodes.map((node, m) =>
    nodes.map((_, k) => {
      let sum = node + 1;
      for (let n = 1; n < size; n += 1) {
        sum += (values[k]?.[n] ?? 0) * ((values[m]?.[n + 1] ?? 0) - (values[m]?.[n - 1] ?? 0));
      }
      return ((weights[k] ?? 0) / 2) * sum;
    }),
  );
  return { nodes, weights, cumulative };
}

/** In ascending order of index, from -1 to 1. */
function legendreRoot(size: number, index: number): number {
  let root = -Math.cos((Math.PI * (index + 0.75)) / (size + 0.5));
  for (let step = 0; step < 20; step += 1) {
    const move = (legendreValues(size, root)[size] ?? 0) / legendreSlope(size, root);
    root -= move;
    if (Math.abs(move) < 1e-16) break;
  }
  return root;
}

/** P_0(x) … P_size(x). */
function legendreValues(size: number, x: number): readonly number[] {
  const values = [1, x];
  for (let n = 1; n < size; n += 1) {
    values.push(((2 * n + 1) * x * (values[n] ?? 0) - n * (values[n - 1] ?? 0)) / (n + 1));
  }
  return values;
}

function legendreSlope(size: number, x: number): number {
  const values = legendreValues(size, x);
  return (size * (x * (values[size] ?? 0) - (values[size - 1] ?? 0))) / (x * x - 1);
}
