import { HOUR_MS, hourOf } from '../kernel/index.ts';
import {
  type Estimate,
  foldLoggedCell,
  type OffPolicyEvaluation,
  offPolicyEvaluation,
  offPolicyReport,
} from '../statistics/index.ts';
import { type DecisionCells, decisionCells, type EvaluatedExperiment } from './decision-cells.ts';
import { type EvaluationQueue, nextTurn, throwIfLeft } from './evaluation-queue.ts';
import { rescaledTotal } from './metric-scale.ts';
import { foldUnitDecisions } from './off-policy-decisions.ts';
import type { OffPolicyReader, RewardCell } from './off-policy-reader.ts';
import type { OffPolicyReason, OffPolicyReport } from './off-policy-report.ts';
import { experimentSubject, offPolicyText } from './off-policy-text.ts';
import type { RewardSums } from './report-reader.ts';
import { echo, parseTargetPolicy, refused, type TargetPolicy } from './target-policy.ts';

/** A few milliseconds of arithmetic. */
const CELLS_PER_SLICE = 500;

const NOTHING: RewardSums = { n: 0, sum: 0, sumOfSquares: 0 };

export interface ExperimentOffPolicy {
  /**
   * What the experiment's units would have earned had `policy` assigned them. Fails with `invalid_request` for a policy
   * that cannot be meant, `overloaded`, `client_closed`, and with the codes of the reader.
   */
  evaluate(report: EvaluatedExperiment, policy: string, signal: AbortSignal): Promise<OffPolicyReport>;
}

export function createExperimentOffPolicy(options: {
  readonly reader: OffPolicyReader;
  readonly queue: EvaluationQueue;
}): ExperimentOffPolicy {
  const { reader, queue } = options;
  return {
    evaluate: async (report, policy, signal) => {
      const target = parseTargetPolicy(
        policy,
        report.arms.map(({ arm }) => arm),
      );
      const closedBeforeMs = closedHours(report);
      return queue.run(async () => {
        const cells = await reader.rewardCells({
          experiment: report.experiment,
          metric: report.metric,
          closedBeforeMs,
        });
        const shares = await sharesOf(target, report, cells, reader);
        throwIfLeft(signal);
        const log = decisionCells(cells, report, shares);
        const sequences = await foldUnitDecisions({
          reader,
          report,
          log,
          closedBeforeMs,
          signal,
        });
        const byArm = armSums(log);
        const found = offPolicyReport(await foldCells(log, predictionsOf(byArm, report), signal));
        return answerOf(policy, experimentSubject(target), { report, log, byArm, found, sequences });
      }, signal);
    },
  };
}

/** As the report has it: an hour is closed once the window of its last call is. */
function closedHours({ generatedAt, attributionWindowHours }: EvaluatedExperiment): number {
  return hourOf(Date.parse(generatedAt) - attributionWindowHours * HOUR_MS);
}

async function sharesOf(
  target: TargetPolicy,
  report: EvaluatedExperiment,
  cells: readonly RewardCell[],
  reader: OffPolicyReader,
): Promise<ReadonlyMap<string, number>> {
  switch (target.kind) {
    case 'arm':
      return new Map([[target.arm, 1]]);
    case 'uniform': {
      const defined = report.arms.filter(({ promptVersion }) => promptVersion !== null);
      return new Map(defined.map(({ arm }) => [arm, 1 / defined.length]));
    }
    case 'weights':
      return target.weights;
    case 'revision': {
      const propensities = await reader.revisionPropensities(report.experiment, target.revision);
      if (propensities !== null) return new Map(Object.entries(propensities));
      const known = [...new Set(cells.map(({ policyRevision }) => policyRevision))].slice(-5);
      throw refused(
        `names the policy revision ${echo(target.revision)}, which ${report.experiment} never had; the newest with traffic: ${known.join(', ') || '(none)'}`,
      );
    }
    default:
      return target satisfies never;
  }
}

function armSums({ arms, cells }: DecisionCells): readonly RewardSums[] {
  const sums = arms.map(() => NOTHING);
  for (const { chosen, rewards } of cells) sums[chosen] = plus(sums[chosen] ?? NOTHING, rewards);
  return sums;
}

/** Mean reward of each arm, over all decisions. */
function predictionsOf(byArm: readonly RewardSums[], { scale }: EvaluatedExperiment): readonly number[] {
  const middle = (scale.min + scale.max) / 2;
  return byArm.map(({ n, sum }) => (n === 0 ? middle : sum / n));
}

/** A policy that learns every minute has many revisions after a year: in slices too. */
async function foldCells(
  { cells, target, propensitiesByRevision }: DecisionCells,
  qHat: readonly number[],
  signal: AbortSignal,
): Promise<OffPolicyEvaluation> {
  let evaluation = offPolicyEvaluation();
  for (const [n, { revision, chosen, rewards }] of cells.entries()) {
    const propensities = propensitiesByRevision.get(revision);
    if (propensities === undefined) continue;
    evaluation = foldLoggedCell(evaluation, { propensities, chosen, target, qHat, rewards });
    if (n % CELLS_PER_SLICE !== CELLS_PER_SLICE - 1) continue;
    await nextTurn();
    throwIfLeft(signal);
  }
  return evaluation;
}

interface Answer {
  readonly report: EvaluatedExperiment;
  readonly log: DecisionCells;
  readonly byArm: readonly RewardSums[];
  readonly found: ReturnType<typeof offPolicyReport>;
  readonly sequences: Pick<OffPolicyReport, 'interval'> & { readonly earned: OffPolicyReport['interval'] };
}

function answerOf(
  policy: string,
  subject: string,
  { report, log, byArm, found, sequences }: Answer,
): OffPolicyReport {
  const { n, ips, snips, dm, dr, sndr, switchDr, drOs, gate } = found;
  const all = byArm.reduce(plus, NOTHING);
  const isOnScale = byArm.every((sums) => rescaledTotal(sums.n, sums, report.scale) !== null);
  const reasons: OffPolicyReason[] = [
    ...(report.sampleRatio.alarm ? [ASSIGNMENT_BROKEN] : []),
    ...(isOnScale ? [] : [OUT_OF_RANGE]),
    ...gate.reasons.map(({ fault, message }) => ({ fault, message: explained(fault, message, report) })),
    ...(isOnScale && n > 0 && sequences.interval === null ? [NO_INTERVAL] : []),
  ];
  const answer = {
    gate: { concludes: reasons.length === 0, reasons },
    interval: isOnScale ? sequences.interval : null,
    onPolicy: { mean: n === 0 ? null : all.sum / n, interval: isOnScale ? sequences.earned : null },
  };
  return {
    policy,
    text: offPolicyText(subject, answer),
    ...answer,
    decisions: n,
    decisionsWithoutPropensities: log.withoutPropensities,
    estimators: {
      ips,
      snips,
      dm: dm === null ? null : { value: dm.value, standardError: modelError(byArm, log.target) },
      dr,
      sndr,
      switchDr,
      drOs,
    },
    effectiveSampleSize: found.effectiveSampleSize,
    maxWeight: found.maxWeight,
    meanWeight: found.meanWeight,
    shareWithoutSupport: found.shareWithoutSupport,
  };
}

const ASSIGNMENT_BROKEN: OffPolicyReason = {
  fault: 'assignment_broken',
  message:
    'Assignment is broken: units do not arrive in the arms as the logged propensities say, and every weight is made of these.',
};
const OUT_OF_RANGE: OffPolicyReason = {
  fault: 'reward_out_of_range',
  message: 'Some rewards lie outside the range that the metric declares now.',
};
const NO_INTERVAL: OffPolicyReason = {
  fault: 'no_interval',
  message:
    'There is no interval: the decisions behind the totals are not there (any more), or the metric has one value only.',
};

function explained(fault: string, message: string, { missing }: EvaluatedExperiment): string {
  if (fault !== 'mean_weight_off' || missing === 'zero') return message;
  return `${message} Or outcomes come in from one arm more often than from another, and silence is not counted (missing: exclude).`;
}

function plus(a: RewardSums, b: RewardSums): RewardSums {
  return { n: a.n + b.n, sum: a.sum + b.sum, sumOfSquares: a.sumOfSquares + b.sumOfSquares };
}

/**
 * Of the sum of target share times arm mean: the means are independent but for the assignment. The row-wise formula takes
 * the model as given and would say 0. Null while an arm of the target has fewer than two rewards.
 */
function modelError(byArm: readonly RewardSums[], target: readonly number[]): Estimate['standardError'] {
  let variance = 0;
  for (const [arm, { n, sum, sumOfSquares }] of byArm.entries()) {
    const share = target[arm] ?? 0;
    if (share === 0) continue;
    if (n < 2) return null;
    variance += (share * share * Math.max(0, sumOfSquares - (sum * sum) / n)) / (n - 1) / n;
  }
  return Math.sqrt(variance);
}
