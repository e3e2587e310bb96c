// Short names: formulas read like their sources, and no lookup of a global in a hot loop.
const { abs, log1p } = Math;

/** x - ln(1 + x) for x > -1, without the cancellation near 0 that the plain difference has. */
export function linearLessLog1p(x: number): number {
  return abs(x) < 0.5 ? nearZero(x) : x - log1p(x);
}

/** By r = x / (2 + x): r x - 2 r^3 (1/3 + r^2/5 + r^4/7 + …). */
function nearZero(x: number): number {
  const r = x / (2 + x);
  const square = r * r;
  let power = 1;
  let series = 0;
  // r^2 <= 1/9: 18 terms reach the last digit.
  for (let k = 0; k < 18; k += 1) {
    series += power / (2 * k + 3);
    power *= square;
  }
  return r * x - 2 * r * square * series;
}
