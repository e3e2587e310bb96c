import { experimentMetric, type GatewayConfig } from '../config/index.ts';
import {
  AppError,
  canonicalJson,
  type Fault,
  HOUR_MS,
  listNames,
  nearestName,
  sha256Hex,
} from '../kernel/index.ts';
import type { PromptFamily, PromptRegistry } from '../prompts/index.ts';
import { fixedPropensities } from '../statistics/index.ts';
import type { Arm, Experiment, ExperimentPolicy, Guardrail } from './experiment-types.ts';

type ExperimentConfig = GatewayConfig['experiments'][string];

/** Steps of the assignment hash per whole: floors are cut to them, so that what is logged can be assigned. */
const BUCKETS = 10_000;
/** What the rarest arm gets when no floor is written, as a share of an even split. */
const DEFAULT_FLOOR_SHARE = 0.1;

/**
 * The configured experiments, checked against the prompts in force. Fails with `config_invalid`, all faults at once: an
 * arm names a version that does not exist, or nothing can be measured.
 */
export function loadExperiments(config: GatewayConfig, registry: PromptRegistry): readonly Experiment[] {
  const faults: Fault[] = [];
  const experiments = Object.entries(config.experiments).flatMap(([name, written]) => {
    const metric = experimentMetric(written, config);
    const family = registry.prompts.find((candidate) => candidate.name === written.prompt);
    faults.push(...referenceFaults(`experiments.${name}`, written, family, registry));
    return metric === null ? [] : [experimentOf(name, written, metric, config)];
  });
  if (faults.length === 0) return experiments;
  const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`;
  throw new AppError('config_invalid', `the experiments cannot be used: ${count}`, { faults });
}

/** What will refuse calls of an experiment although its definition is sound. */
export function experimentWarnings(
  experiments: readonly Experiment[],
  registry: PromptRegistry,
): readonly Fault[] {
  return experiments.flatMap((experiment) =>
    experiment.arms.flatMap((arm) => {
      const family = registry.prompts.find((candidate) => candidate.name === experiment.prompt);
      const version = family?.versions.find((candidate) => candidate.version === arm.version);
      if (version !== undefined && !version.retired) return [];
      const state = version === undefined ? 'does not exist any more' : 'is retired';
      const message = `version "${arm.version}" of prompt "${experiment.prompt}" ${state}: calls of the units in this arm are refused; point the label to a version, or take the arm out`;
      return [{ path: `experiments.${experiment.name}.arms.${arm.name}`, message }];
    }),
  );
}

function referenceFaults(
  path: string,
  written: ExperimentConfig,
  family: PromptFamily | undefined,
  registry: PromptRegistry,
): readonly Fault[] {
  if (family === undefined) {
    const known = registry.prompts.map((candidate) => candidate.name);
    const message = `there is no prompt "${written.prompt}"${hint(written.prompt, known)}`;
    return [{ path: `${path}.prompt`, message }];
  }
  const known = family.versions.map((version) => version.version);
  return Object.entries(written.arms).flatMap(([arm, { version }]) => {
    if (known.includes(version)) return [];
    const message = `prompt "${written.prompt}" has no version "${version}"${hint(version, known)}`;
    return [{ path: `${path}.arms.${arm}.version`, message }];
  });
}

function hint(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return nearest === null ? `; known: ${listNames(known)}` : ` (did you mean "${nearest}"?)`;
}

function experimentOf(
  name: string,
  written: ExperimentConfig,
  metric: string,
  config: GatewayConfig,
): Experiment {
  const arms = Object.entries(written.arms).map(
    ([arm, { version, weight }]): Arm => ({ name: arm, version, weight }),
  );
  const definition = {
    name,
    prompt: written.prompt,
    arms,
    baseline: written.baseline ?? arms[0]?.name ?? '',
    policy: policyOf(written, arms),
    unit: written.unit,
    metric,
    salt: written.salt ?? name,
  };
  // Rewards under another declaration of the metric are other rewards; its description is for people.
  const { description: _text, ...declaration } = config.metrics[metric] ?? {};
  return {
    ...definition,
    revision: `sha256:${sha256Hex(canonicalJson({ ...definition, declaration }))}`,
    startMs: written.start === undefined ? null : Date.parse(written.start),
    stopMs: written.stop === undefined ? null : Date.parse(written.stop),
    graceMs: written.grace_hours * HOUR_MS,
    guardrails: written.guardrails.map(guardrailOf),
    guardrailIntervalMs: written.guardrail_interval_seconds * 1_000,
  };
}

function guardrailOf({ metric, max_loss, max_increase }: ExperimentConfig['guardrails'][number]): Guardrail {
  return metric === 'error_rate'
    ? { kind: 'error_rate', maxIncrease: max_increase ?? 0 }
    : { kind: 'metric', metric, maxLoss: max_loss ?? 0 };
}

function policyOf({ policy }: ExperimentConfig, arms: readonly Arm[]): ExperimentPolicy {
  if (policy.kind === 'fixed') {
    // Constant weights are a floor of their own: the smallest of them.
    const floor = inBuckets(Math.min(...fixedPropensities(arms.map((arm) => arm.weight))));
    return { kind: 'fixed', epsilon: 0, beta: 0, floor, discount: 1, updateIntervalMs: 0 };
  }
  return {
    kind: policy.kind,
    epsilon: policy.kind === 'epsilon_greedy' ? policy.epsilon : 0,
    beta: policy.kind === 'top_two_thompson' ? policy.beta : 0,
    floor: inBuckets(policy.floor ?? DEFAULT_FLOOR_SHARE / arms.length),
    discount: policy.discount,
    updateIntervalMs: policy.update_interval_seconds * 1_000,
  };
}

/** Rounded down to whole buckets, and never to none: 1/3 is 3333 of them. */
function inBuckets(share: number): number {
  return Math.max(1, Math.floor(share * BUCKETS + 1e-9)) / BUCKETS;
}
