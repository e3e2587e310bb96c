import type { OfflineEvaluation } from '../../analytics/index.ts';
import type { CliContext } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { openInput } from '../open-input.ts';
import type { RewardScale } from '../reward-scale-option.ts';
import { writeJson, writeText } from '../write-output.ts';

export interface OffPolicyCommandOptions {
  readonly alpha: number;
  readonly switchTau: number;
  readonly rewardRange: RewardScale;
  readonly json?: boolean;
}

/**
 * Prints what another policy would have earned, from a log of decisions. A closed gate is a finding, not a failure: exit 0
 * says that the log could be read.
 */
export async function offPolicy(
  file: string,
  options: OffPolicyCommandOptions,
  context: CliContext,
): Promise<ExitCode> {
  const [{ evaluateDecisionLog }, { offPolicyText }] = await Promise.all([
    import('../../analytics/index.ts'),
    import('./off-policy-text.ts'),
  ]);
  const { alpha, switchTau, rewardRange: scale } = options;
  const evaluation = await evaluateDecisionLog(openInput(file, context), { alpha, switchTau, scale });
  if (options.json === true) await writeJson(context.stdout, offPolicyJson(evaluation, options));
  else await writeText(context.stdout, offPolicyText(evaluation, options));
  return EXIT.ok;
}

function offPolicyJson(evaluation: OfflineEvaluation, options: OffPolicyCommandOptions): object {
  const { ips, snips, dm, dr, sndr, switchDr, drOs, interval, gate } = evaluation;
  const estimators = { ips, snips, dm, dr, sndr, switch_dr: switchDr, dr_os: drOs };
  return {
    ok: true,
    n: evaluation.n,
    estimators: Object.fromEntries(
      Object.entries(estimators).map(([name, estimate]) => [name, estimateJson(estimate)]),
    ),
    interval: {
      ...interval,
      confidence: 1 - options.alpha,
      method: 'gamma-exponential confidence sequence',
    },
    switch_tau: options.switchTau,
    reward_range: [options.rewardRange.min, options.rewardRange.max],
    effective_sample_size: evaluation.effectiveSampleSize,
    max_weight: evaluation.maxWeight,
    mean_weight: estimateJson(evaluation.meanWeight),
    share_without_support: evaluation.shareWithoutSupport,
    gate,
  };
}

function estimateJson(estimate: OfflineEvaluation['ips']): object | null {
  return estimate === null ? null : { value: estimate.value, standard_error: estimate.standardError };
}
