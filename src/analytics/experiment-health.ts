import type { GatewayConfig } from '../config/index.ts';
import {
  type Experiment,
  type ExperimentHealth,
  type Guardrail,
  type GuardrailArm,
  type GuardrailFinding,
  guardrailKey,
} from '../experiments/index.ts';
import { AppError, type Clock, HOUR_MS, hourOf } from '../kernel/index.ts';
import { betaBinomialDifference, type Interval } from '../statistics/index.ts';
import type { ArmTotals, ExperimentReader } from './experiment-reader.ts';
import { sampleRatio } from './experiment-sample-ratio.ts';
import { metricScale } from './metric-scale.ts';
import { liftOver, type Metric, settleRewards } from './settled-rewards.ts';

export interface ExperimentHealthOptions {
  readonly reader: Pick<ExperimentReader, 'armTotals' | 'unitsByRevision'>;
  readonly config: () => Pick<GatewayConfig, 'metrics'>;
  /** Keys of guardrails that stop an experiment no more. */
  readonly waived: (experiment: Experiment) => ReadonlySet<string>;
  readonly clock: Clock;
}

/** Share of sound experiments that any of their guardrails ever stops. */
const ALPHA = 0.05;
const METHOD = 'union bound of two beta-binomial confidence sequences';
const NOTHING = { n: 0, sum: 0, sumOfSquares: 0 };

/** Difference arm - baseline, in numbers of the metric. */
interface ArmDifference extends Interval {
  readonly difference: number | null;
}

/**
 * Guardrails of an experiment from the units and calls assigned under its present definition. ALPHA is split over
 * guardrails and arms, and each share over two sequences: that a sound experiment is ever stopped, however often somebody
 * looks, has at most this probability. Assumes what the report assumes: a mean that does not move.
 *
 * `error_rate` counts calls. Calls of one user are alike, so that one user who calls often and always fails counts more
 * than a unit would: it errs on the side of stopping.
 */
export function createExperimentHealth(options: ExperimentHealthOptions): ExperimentHealth {
  const { reader, config, clock } = options;

  const totalsOf = (experiment: Experiment, metric: Metric | null): Promise<readonly ArmTotals[]> =>
    reader.armTotals({
      experiment: experiment.name,
      metric: metric?.name ?? experiment.metric,
      experimentRevision: experiment.revision,
      closedBeforeMs:
        metric === null ? 0 : hourOf(clock.nowMs() - metric.config.attribution_window_hours * HOUR_MS),
    });

  const metricOf = (name: string): Metric => {
    const { metrics } = config();
    const found = Object.hasOwn(metrics, name) ? metrics[name] : undefined;
    if (found === undefined) {
      throw new AppError('config_invalid', `a guardrail names the metric ${name}, which is not declared`);
    }
    return { name, config: found, scale: metricScale(found) };
  };

  const findingOf = async (
    experiment: Experiment,
    guardrail: Guardrail,
    alpha: number,
  ): Promise<GuardrailFinding> => {
    const metric = guardrail.kind === 'metric' ? metricOf(guardrail.metric) : null;
    const totals = new Map((await totalsOf(experiment, metric)).map((arm) => [arm.arm, arm]));
    const limit = guardrail.kind === 'metric' ? guardrail.maxLoss : guardrail.maxIncrease;
    const baseline = totals.get(experiment.baseline);
    // More failures are a loss, and so is more of what shall be little.
    const isLessBetter = metric === null || metric.config.optimize === 'min';
    const arms = experiment.arms
      .filter(({ name }) => name !== experiment.baseline)
      .map(({ name }): GuardrailArm => {
        const arm = totals.get(name);
        const difference =
          metric === null
            ? errorDifference(arm, baseline, alpha)
            : rewardDifference(arm, baseline, metric, alpha);
        const { loss, lower, upper } = lossOf(difference, isLessBetter);
        return { arm: name, loss, lower, upper, breached: loss !== null && lower > limit };
      });
    const key = guardrailKey(guardrail);
    return {
      key,
      guardrail: metric?.name ?? 'error_rate',
      limit,
      confidence: 1 - ALPHA,
      method: METHOD,
      breached: arms.some(({ breached }) => breached),
      waived: options.waived(experiment).has(key),
      arms,
    };
  };

  return {
    guardrails: (experiment) => {
      const { guardrails, arms } = experiment;
      const alpha = ALPHA / Math.max(1, guardrails.length * (arms.length - 1));
      return Promise.all(guardrails.map((guardrail) => findingOf(experiment, guardrail, alpha)));
    },
    sampleRatio: async (experiment) => {
      const revisions = await reader.unitsByRevision(experiment.name);
      const { alarm, pValue, units } = sampleRatio(experiment.policy.kind, revisions).report;
      return { alarm, pValue, units };
    },
  };
}

function lossOf(
  { difference, lower, upper }: ArmDifference,
  isLessBetter: boolean,
): Pick<GuardrailArm, 'loss' | 'lower' | 'upper'> {
  if (isLessBetter) return { loss: difference, lower, upper };
  return { loss: difference === null ? null : -difference, lower: -upper, upper: -lower };
}

function errorDifference(
  arm: ArmTotals | undefined,
  baseline: ArmTotals | undefined,
  alpha: number,
): ArmDifference {
  const of = (totals: ArmTotals | undefined) => ({ n: totals?.calls ?? 0, sum: totals?.errors ?? 0 });
  const [ofArm, ofBaseline] = [of(arm), of(baseline)];
  const isKnown = ofArm.n > 0 && ofBaseline.n > 0;
  return {
    difference: isKnown ? ofArm.sum / ofArm.n - ofBaseline.sum / ofBaseline.n : null,
    ...betaBinomialDifference({ arm: ofArm, baseline: ofBaseline, alpha }),
  };
}

function rewardDifference(
  arm: ArmTotals | undefined,
  baseline: ArmTotals | undefined,
  metric: Metric,
  alpha: number,
): ArmDifference {
  const settled = (totals: ArmTotals | undefined) =>
    settleRewards(
      {
        delivered: totals?.units ?? 0,
        closedDelivered: totals?.closedUnits ?? 0,
        outcomes: totals?.outcomes ?? NOTHING,
        closedOutcomes: totals?.closedOutcomes ?? NOTHING,
      },
      metric,
    );
  return liftOver(settled(baseline), settled(arm), { scale: metric.scale, alpha, confidence: 1 - ALPHA });
}
