import { normalised } from './distribution.ts';
import { gaussLegendreRule } from './gauss-legendre.ts';
import type { LogConcaveDensity } from './log-concave-density.ts';

// Short names: formulas read like their sources, and no lookup of a global in a hot loop.
const { exp, max, min } = Math;

/** Ten nodes integrate one standard deviation of a normal density to the last digit; the margin is for skewed ones. */
const RULE = gaussLegendreRule(12);

/** An edge this close behind another, in parts of its own arm's panel, would only add work. */
const LEAST_PANEL = 0.25;

interface Arm {
  readonly density: LogConcaveDensity;
  readonly lower: number;
  readonly upper: number;
  /** Probability below the current panel. */
  below: number;
  readonly densityAt: number[];
  readonly belowAt: number[];
}

/**
 * The probability of each of K independent random variables to be the greatest: P_i = integral of f_i times the product
 * over j of F_j, j != i. Deterministic: composite Gauss-Legendre quadrature between the quantiles of all densities, the
 * distribution functions integrated along on the same nodes. Sums to 1 within 1e-12; absolute error about 1e-10, and
 * arms whose chance is below about 1e-17 get 0. O(K^2) density evaluations at worst, O(K) where the arms are alike.
 */
export function bestArmProbabilities(densities: readonly LogConcaveDensity[]): readonly number[] {
  const arms = densities.map((density): Arm => {
    const lower = density.mode + (density.edges[0] ?? 0);
    const upper = density.mode + (density.edges.at(-1) ?? 0);
    return { density, lower, upper, below: 0, densityAt: [], belowAt: [] };
  });
  const edges = panelEdges(densities);
  // Below the highest lower end some arm is surely greater; there only the distribution functions are integrated.
  const start = max(...arms.map((arm) => arm.lower));
  const wins = arms.map(() => 0);
  for (let index = 0; index + 1 < edges.length; index += 1) {
    const left = edges[index] ?? 0;
    const right = edges[index + 1] ?? 0;
    addPanel({ arms, wins, left, right, isContested: left >= start });
  }
  return normalised(wins);
}

/** Ascending ends of panels on which every density is as good as a polynomial; all ends of supports are among them. */
function panelEdges(densities: readonly LogConcaveDensity[]): readonly number[] {
  const candidates: { readonly at: number; readonly gap: number }[] = [];
  for (const { mode, edges } of densities) {
    edges.forEach((edge, index) => {
      const before = edges[index - 1] ?? edge;
      const after = edges[index + 1] ?? edge;
      candidates.push({ at: mode + edge, gap: LEAST_PANEL * min(edge - before, after - edge) });
    });
  }
  candidates.sort((x, y) => x.at - y.at);
  const kept: number[] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const { at, gap } of candidates) {
    // The ends of a support have a gap of 0.
    if (at <= last || at - last < gap) continue;
    kept.push(at);
    last = at;
  }
  return kept;
}

interface Panel {
  readonly arms: readonly Arm[];
  /** Added to. */
  readonly wins: number[];
  readonly left: number;
  readonly right: number;
  readonly isContested: boolean;
}

function addPanel({ arms, wins, left, right, isContested }: Panel): void {
  const half = (right - left) / 2;
  const centre = left + half;
  const active: number[] = [];
  for (let index = 0; index < arms.length; index += 1) {
    const arm = arms[index];
    // Lower and upper ends are edges: a panel lies wholly inside an arm's support or wholly outside.
    if (arm === undefined || arm.upper <= left || arm.lower >= right) continue;
    active.push(index);
    evaluate(arm, centre, half);
  }
  if (!isContested) return;
  const products = new Array<number>(active.length).fill(1);
  for (let node = 0; node < RULE.nodes.length; node += 1) {
    let before = 1;
    for (let k = 0; k < active.length; k += 1) {
      products[k] = before;
      before *= arms[active[k] ?? 0]?.belowAt[node] ?? 1;
    }
    let after = 1;
    for (let k = active.length - 1; k >= 0; k -= 1) {
      const index = active[k] ?? 0;
      const arm = arms[index];
      const others = (products[k] ?? 0) * after;
      wins[index] =
        (wins[index] ?? 0) + half * (RULE.weights[node] ?? 0) * (arm?.densityAt[node] ?? 0) * others;
      after *= arm?.belowAt[node] ?? 1;
    }
  }
}

/** Fills in density and distribution function at the nodes of a panel and moves `below` to its right end. */
function evaluate(arm: Arm, centre: number, half: number): void {
  const { density, densityAt, belowAt } = arm;
  let mass = 0;
  for (let node = 0; node < RULE.nodes.length; node += 1) {
    const offset = centre - density.mode + half * (RULE.nodes[node] ?? 0);
    const value = exp(-density.drop(offset) - density.lnMass);
    densityAt[node] = value;
    mass += (RULE.weights[node] ?? 0) * value;
  }
  for (let node = 0; node < RULE.nodes.length; node += 1) {
    const row = RULE.cumulative[node];
    let sum = 0;
    for (let k = 0; k < RULE.nodes.length; k += 1) sum += (row?.[k] ?? 0) * (densityAt[k] ?? 0);
    belowAt[node] = min(1, max(0, arm.below + half * sum));
  }
  arm.below = min(1, arm.below + half * mass);
}
