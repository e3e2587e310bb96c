import {
  foldDecision,
  foldLoggedDecision,
  type GammaExponentialSequence,
  gammaExponentialInterval,
  gammaExponentialSequence,
  type Interval,
  type OffPolicyReport,
  offPolicyEvaluation,
  offPolicyReport,
} from '../statistics/index.ts';
import { type MetricScale, onScale } from './metric-scale.ts';
import { readDecision } from './offline-decision.ts';
import { createOfflineFaults } from './offline-faults.ts';
import { createLineSplitter } from './offline-lines.ts';
import { DOUBLY_ROBUST_K, rescaledDecision } from './value-sequences.ts';

export interface DecisionLog {
  /** As faults show it. */
  readonly name: string;
  readonly text: AsyncIterable<string>;
}

export interface OfflineEvaluationOptions {
  /** Smallest and largest reward there can be. */
  readonly scale: MetricScale;
  /** Share of logs whose interval may ever miss the value. */
  readonly alpha: number;
  /** Greatest weight that SWITCH-DR still corrects with. */
  readonly switchTau: number;
}

export interface OfflineEvaluation extends Omit<OffPolicyReport, 'interval'> {
  /** Of the value of the target, at every n at once. */
  readonly interval: Interval;
}

/**
 * What the target policy would have earned, from a log of one decision per line in decision order, read once in constant
 * memory. Fails with `invalid_request` and every fault (the first 20) when a line cannot be used: an estimate over the
 * rest would be an estimate of something else.
 */
export async function evaluateDecisionLog(
  log: DecisionLog,
  options: OfflineEvaluationOptions,
): Promise<OfflineEvaluation> {
  const { scale, alpha, switchTau } = options;
  const faults = createOfflineFaults(log.name);
  const isUnitScale = scale.min === 0 && scale.max === 1;
  let evaluation = offPolicyEvaluation({ switchTau });
  // Only where the evaluation's own does not hold: off [0, 1].
  let sequence: GammaExponentialSequence | null = null;
  let hasModel: boolean | null = null;

  const splitter = createLineSplitter((lineNumber, line) => {
    if (line === null) faults.add(lineNumber, 'is too long for one decision: is a line end missing?');
    if (line === null || line.trim() === '' || faults.isFull()) return;
    const decision = readDecision(line, scale, (message) => faults.add(lineNumber, message));
    if (decision === null) return;
    const hasOwnModel = decision.qHat !== undefined;
    hasModel ??= hasOwnModel;
    if (hasModel !== hasOwnModel) {
      faults.add(
        lineNumber,
        `q_hat is ${hasModel ? 'missing, and the lines before have it' : 'given, and the lines before lack it'}`,
      );
      return;
    }
    evaluation = foldLoggedDecision(evaluation, decision);
    if (isUnitScale) return;
    sequence ??= gammaExponentialSequence(hasModel ? DOUBLY_ROBUST_K : 0);
    sequence = foldDecision(sequence, rescaledDecision(decision, scale));
  });
  for await (const text of log.text) {
    splitter.push(text);
    if (faults.isFull()) break;
  }
  if (!faults.isFull()) splitter.end();
  const report = offPolicyReport(evaluation, alpha);
  if (report.n === 0 && faults.isEmpty()) faults.add(1, 'no decision: the log is empty');
  faults.throwIfAny();
  const interval = sequence === null ? report.interval : gammaExponentialInterval(sequence, alpha);
  return { ...report, interval: onScale(interval ?? { lower: 0, upper: 1 }, scale) };
}
