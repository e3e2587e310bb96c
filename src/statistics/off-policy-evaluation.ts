import type { Interval } from './beta-binomial-sequence.ts';
import { type Comoments, foldLinearRows, foldRow, noComoments, standardError } from './comoments.ts';
import {
  foldDecision,
  type GammaExponentialSequence,
  gammaExponentialInterval,
  gammaExponentialSequence,
} from './gamma-exponential-sequence.ts';
import { assertLoggedDecision, type LoggedDecision } from './logged-decision.ts';
import { gateOf, type OffPolicyGate } from './off-policy-gate.ts';
import { assertAlpha } from './one-sided-sequence.ts';

/** Corrections with a greater weight are left to the reward model: ten times the influence of a row of the target itself. */
const DEFAULT_SWITCH_TAU = 10;

/** Weights are shrunk to lambda w / (w^2 + lambda): 100 halves a weight of 10 and hardly touches one of 1. */
const DEFAULT_LAMBDA = 100;

/** Cut of the reward model in the anytime interval, where one is logged. */
const DOUBLY_ROBUST_K = 0.5;

export interface OffPolicyOptions {
  /** Greatest weight that SWITCH-DR still corrects with, finite. Default: 10. */
  readonly switchTau?: number;
  /** Shrinkage of DRos, finite: 0 is DM, a very great number is DR. Default: 100. */
  readonly lambda?: number;
}

/** Running state of an evaluation: constant size, plain data, whatever the number of rows. */
export interface OffPolicyEvaluation {
  readonly switchTau: number;
  readonly lambda: number;
  /** Undefined until the first row has said whether a reward model is logged. */
  readonly hasModel?: boolean;
  /** Columns: w r, w, DM term, w (r - q), SWITCH-DR term, DRos term, unsupported target mass. */
  readonly moments: Comoments;
  readonly maxWeight: number;
  readonly sumSquaredWeight: number;
  /** Null once a reward was outside [0, 1], where the sequence does not hold, or rows came without their order. */
  readonly sequence: GammaExponentialSequence | null;
}

export interface Estimate {
  /** In the unit of the reward. */
  readonly value: number;
  /** Null with fewer than two rows. For one look at a fixed number of rows, unlike the anytime interval. */
  readonly standardError: number | null;
}

export interface OffPolicyReport {
  readonly n: number;
  /** Null without any row (all estimators) or without a reward model (the last five). */
  readonly ips: Estimate | null;
  readonly snips: Estimate | null;
  readonly dm: Estimate | null;
  readonly dr: Estimate | null;
  readonly sndr: Estimate | null;
  readonly switchDr: Estimate | null;
  readonly drOs: Estimate | null;
  /** Rows drawn by the target itself that would tell as much: (sum w)^2 / sum w^2. */
  readonly effectiveSampleSize: number;
  readonly maxWeight: number;
  /** 1 in expectation. Standard error null with fewer than two rows. */
  readonly meanWeight: Estimate | null;
  /** Share of the target's probability that lies on arms which could not be chosen: no estimator knows their value. */
  readonly shareWithoutSupport: number;
  readonly gate: OffPolicyGate;
  /** Confidence sequence for the value, at every n at once; null where a reward was outside [0, 1], or the order unknown. */
  readonly interval: Interval | null;
}

/** No rows yet. RangeError on a negative tau or lambda. */
export function offPolicyEvaluation(options: OffPolicyOptions = {}): OffPolicyEvaluation {
  const { switchTau = DEFAULT_SWITCH_TAU, lambda = DEFAULT_LAMBDA } = options;
  // Infinity would not survive a state stored as JSON.
  if (!(switchTau >= 0 && Number.isFinite(switchTau))) {
    throw new RangeError(`switchTau must be finite and not negative, got ${switchTau}.`);
  }
  if (!(lambda >= 0 && Number.isFinite(lambda))) {
    throw new RangeError(`lambda must be finite and not negative, got ${lambda}.`);
  }
  return {
    switchTau,
    lambda,
    moments: noComoments(7),
    maxWeight: 0,
    sumSquaredWeight: 0,
    sequence: gammaExponentialSequence(0),
  };
}

/**
 * The evaluation after one more row of the log, in decision order. A reward model is logged for every row or for none.
 * RangeError naming the row (from 0) and the field on impossible input. O(K).
 */
export function foldLoggedDecision(
  evaluation: OffPolicyEvaluation,
  decision: LoggedDecision,
): OffPolicyEvaluation {
  const { moments } = evaluation;
  const where = `row ${moments.n}: `;
  assertLoggedDecision(decision, where);
  const terms = termsOf(evaluation, decision, where);
  const { weight, modelled, corrected, shrunk, unsupported } = terms;
  const { reward } = decision;
  const residual = reward - terms.q;
  const row = [
    weight * reward,
    weight,
    modelled,
    weight * residual,
    modelled + corrected * residual,
    modelled + shrunk * residual,
    unsupported,
  ];
  return {
    ...afterRows(evaluation, terms, 1),
    moments: foldRow(moments, row),
    sequence: nextSequence(evaluation, decision),
  };
}

/** Decisions of a log that differ in their rewards only. */
export interface LoggedCell extends Omit<LoggedDecision, 'reward'> {
  readonly rewards: { readonly n: number; readonly sum: number; readonly sumOfSquares: number };
}

/**
 * The evaluation after all decisions of a cell: every estimator as if they had been folded one by one, up to rounding. The
 * interval needs the order of the decisions and is lost. A cell without rewards changes nothing. RangeError as
 * {@link foldLoggedDecision}. O(K).
 */
export function foldLoggedCell(evaluation: OffPolicyEvaluation, cell: LoggedCell): OffPolicyEvaluation {
  const { n, sum } = cell.rewards;
  if (n === 0) return evaluation;
  const { moments } = evaluation;
  const where = `rows from ${moments.n}: `;
  assertLoggedDecision({ ...cell, reward: sum / n }, where);
  const terms = termsOf(evaluation, cell, where);
  const { weight, q, modelled, corrected, shrunk, unsupported } = terms;
  return {
    ...afterRows(evaluation, terms, n),
    moments: foldLinearRows(moments, {
      ...cell.rewards,
      intercepts: [
        0,
        weight,
        modelled,
        -weight * q,
        modelled - corrected * q,
        modelled - shrunk * q,
        unsupported,
      ],
      slopes: [weight, 0, 0, weight, corrected, shrunk, 0],
    }),
    sequence: null,
  };
}

/** What a decision contributes, its reward aside. */
interface Terms {
  readonly hasModel: boolean;
  readonly weight: number;
  /** The reward model's estimate for the chosen arm; 0 without a model. */
  readonly q: number;
  readonly modelled: number;
  /** Weights of the corrections of SWITCH-DR and DRos. */
  readonly corrected: number;
  readonly shrunk: number;
  readonly unsupported: number;
}

function termsOf(
  evaluation: OffPolicyEvaluation,
  { propensities, chosen, target, qHat }: Omit<LoggedDecision, 'reward'>,
  where: string,
): Terms {
  const { switchTau, lambda } = evaluation;
  const hasModel = qHat !== undefined;
  if (evaluation.hasModel !== undefined && evaluation.hasModel !== hasModel) {
    throw new RangeError(`${where}qHat must be given for every row or for none.`);
  }
  const weight = (target[chosen] ?? 0) / (propensities[chosen] ?? 0);
  let modelled = 0;
  let unsupported = 0;
  for (let arm = 0; arm < target.length; arm += 1) {
    modelled += (target[arm] ?? 0) * (qHat?.[arm] ?? 0);
    if (propensities[arm] === 0) unsupported += target[arm] ?? 0;
  }
  return {
    hasModel,
    weight,
    q: qHat?.[chosen] ?? 0,
    modelled,
    corrected: weight <= switchTau ? weight : 0,
    shrunk: shrunkWeight(weight, lambda),
    unsupported,
  };
}

function afterRows(
  evaluation: OffPolicyEvaluation,
  { hasModel, weight }: Terms,
  count: number,
): Pick<OffPolicyEvaluation, 'switchTau' | 'lambda' | 'hasModel' | 'maxWeight' | 'sumSquaredWeight'> {
  const { switchTau, lambda, maxWeight, sumSquaredWeight } = evaluation;
  return {
    switchTau,
    lambda,
    hasModel,
    maxWeight: Math.max(maxWeight, weight),
    sumSquaredWeight: sumSquaredWeight + count * weight * weight,
  };
}

/** lambda w / (w^2 + lambda), written so that no great lambda overflows. */
function shrunkWeight(weight: number, lambda: number): number {
  return lambda === 0 ? 0 : weight / (1 + (weight * weight) / lambda);
}

function nextSequence(
  { sequence, moments }: OffPolicyEvaluation,
  decision: LoggedDecision,
): GammaExponentialSequence | null {
  if (sequence === null || decision.reward < 0 || decision.reward > 1) return null;
  const isFirst = moments.n === 0;
  const k = decision.qHat === undefined ? 0 : DOUBLY_ROBUST_K;
  return foldDecision(isFirst ? gammaExponentialSequence(k) : sequence, decision);
}

/**
 * All estimators over the rows so far, with w = target / propensity of the chosen arm, q the reward model and m = sum over
 * arms of target q: IPS mean(w r) (Horvitz & Thompson 1952); SNIPS sum(w r) / sum(w) (Swaminathan & Joachims, NeurIPS 2015);
 * DM mean(m); DR mean(m + w (r - q)) (Dudík, Langford, Li, ICML 2011); SNDR with its correction divided by mean(w);
 * SWITCH-DR corrects where w <= tau only (Wang, Agarwal, Dudík, ICML 2017); DRos with weights lambda w / (w^2 + lambda)
 * (Su, Dimakopoulou, Krishnamurthy, Dudík, ICML 2020). Standard errors by the delta method from one covariance matrix.
 * `switchTau`, `lambda`: see {@link OffPolicyOptions}. The estimators assume independent rows; the interval assumes only what `gammaExponentialInterval` does. O(1) per call
 * but for the interval's O(sqrt(n)).
 */
export function offPolicyReport(evaluation: OffPolicyEvaluation, alpha = 0.05): OffPolicyReport {
  assertAlpha(alpha);
  const { moments, maxWeight, sumSquaredWeight, sequence } = evaluation;
  const { n, means } = moments;
  const [ips = 0, meanWeight = 0, dm = 0, correction = 0, switchDr = 0, drOs = 0, unsupported = 0] = means;
  const estimate = (value: number, gradient: readonly number[]): Estimate | null =>
    n === 0 || !Number.isFinite(value) ? null : { value, standardError: standardError(moments, gradient) };
  const modelled = (value: number, gradient: readonly number[]): Estimate | null =>
    evaluation.hasModel === true ? estimate(value, gradient) : null;
  const snips = ips / meanWeight;
  const perWeight = correction / meanWeight;
  const effectiveSampleSize = sumSquaredWeight > 0 ? (n * meanWeight) ** 2 / sumSquaredWeight : 0;
  const weight = estimate(meanWeight, [0, 1]);
  return {
    n,
    ips: estimate(ips, [1]),
    snips: estimate(snips, [1 / meanWeight, -snips / meanWeight]),
    dm: modelled(dm, [0, 0, 1]),
    dr: modelled(dm + correction, [0, 0, 1, 1]),
    sndr: modelled(dm + perWeight, [0, -perWeight / meanWeight, 1, 1 / meanWeight]),
    switchDr: modelled(switchDr, [0, 0, 0, 0, 1]),
    drOs: modelled(drOs, [0, 0, 0, 0, 0, 1]),
    effectiveSampleSize,
    maxWeight,
    meanWeight: weight,
    shareWithoutSupport: unsupported,
    gate: gateOf({ n, effectiveSampleSize, meanWeight: weight, shareWithoutSupport: unsupported }),
    interval: sequence === null ? null : gammaExponentialInterval(sequence, alpha),
  };
}

/**
 * {@link offPolicyReport} over a whole log, read once and never held: any iterable of rows in decision order, in constant
 * memory. RangeError naming row and field.
 */
export function evaluateOffPolicy(
  decisions: Iterable<LoggedDecision>,
  options: OffPolicyOptions & { readonly alpha?: number } = {},
): OffPolicyReport {
  let evaluation = offPolicyEvaluation(options);
  for (const decision of decisions) evaluation = foldLoggedDecision(evaluation, decision);
  return offPolicyReport(evaluation, options.alpha);
}
