import { suggestion } from './config-fault.ts';
import type { JsonPath } from './json-document.ts';
import { primaryMetricOf } from './primary-metric.ts';
import type { GatewayConfig, MetricConfig } from './schema.ts';
import type { PathFault } from './schema-fault.ts';

type ExperimentConfig = GatewayConfig['experiments'][string];

const MIN_ARMS = 2;
/** More arms than this are a ranking problem; their propensities would take too long to compute. */
const MAX_ARMS = 50;
/** The assignment hash has this many buckets: nothing smaller than one of them can be assigned. */
const BUCKETS = 10_000;

/** What the schema of `experiments` cannot say. `metrics`: names as written; null when nothing is known of them. */
export function experimentFaults(
  config: GatewayConfig,
  metrics: readonly string[] | null,
): readonly PathFault[] {
  return Object.entries(config.experiments).flatMap(([name, experiment]) => [
    ...armFaults(['experiments', name], experiment),
    ...metricFaults(['experiments', name], experiment, config, metrics),
    ...windowFaults(['experiments', name], experiment),
  ]);
}

/** What works but is probably not meant. */
export function experimentWarnings(config: GatewayConfig): readonly PathFault[] {
  return Object.entries(config.experiments).flatMap(([name, experiment]) => [
    ...splitWarnings(['experiments', name, 'policy'], experiment),
    ...weightWarnings(['experiments', name, 'arms'], experiment),
    ...baselineWarnings(['experiments', name, 'baseline'], experiment),
  ]);
}

function splitWarnings(path: JsonPath, { arms, policy }: ExperimentConfig): readonly PathFault[] {
  // The challenger of one of two arms is the other one, whatever is known of them.
  if (policy.kind !== 'top_two_thompson' || policy.beta !== 0.5 || Object.keys(arms).length > 2) return [];
  const message =
    'between two arms with "beta" 0.5 this is an even split for ever: use "thompson" to favour the better one, or "fixed"';
  return [{ path, message }];
}

/** Whoever writes 0.9 and 0.1 believes that the second arm gets few. */
function weightWarnings(path: JsonPath, { arms, policy }: ExperimentConfig): readonly PathFault[] {
  const [first, ...others] = Object.values(arms);
  if (policy.kind === 'fixed' || others.every(({ weight }) => weight === first?.weight)) return [];
  const message = `the weights are not used by "${policy.kind}", which begins with an even split: take them out, or use "fixed"`;
  return [{ path, message }];
}

/** JSON objects are read with names of digits first, in ascending order: the first arm need not be the first of the file. */
function baselineWarnings(path: JsonPath, { arms, baseline }: ExperimentConfig): readonly PathFault[] {
  const [first] = Object.keys(arms);
  if (baseline !== undefined || first === undefined || !/^(0|[1-9]\d*)$/.test(first)) return [];
  const message = `is "${first}": arms named by a number come first, wherever they stand; write "baseline" to be sure`;
  return [{ path, message }];
}

function armFaults(path: JsonPath, experiment: ExperimentConfig): readonly PathFault[] {
  const faults: PathFault[] = [];
  const arms = Object.keys(experiment.arms);
  if (arms.length < MIN_ARMS || arms.length > MAX_ARMS) {
    const message = `has ${arms.length === 1 ? 'one arm' : `${arms.length} arms`}: a comparison has ${MIN_ARMS} to ${MAX_ARMS}`;
    return [{ path: [...path, 'arms'], message }];
  }
  const { baseline, policy } = experiment;
  if (baseline !== undefined && !arms.includes(baseline)) {
    const hint = suggestion(baseline, arms, 'arms');
    faults.push({ path: [...path, 'baseline'], message: `no arm is named "${baseline}"${hint}` });
  }
  if (policy.kind === 'fixed') {
    const total = Object.values(experiment.arms).reduce((sum, arm) => sum + arm.weight, 0);
    for (const [arm, { weight }] of Object.entries(experiment.arms)) {
      if (weight / total >= 1 / BUCKETS) continue;
      const message = `is ${weight} of ${total}, less than 1 in ${BUCKETS}: no unit would get this arm; raise it or take the arm out`;
      faults.push({ path: [...path, 'arms', arm, 'weight'], message });
    }
  } else if (policy.floor !== undefined && policy.floor > 1 / arms.length) {
    const message = `${policy.floor} for each of ${arms.length} arms is more than 1 in all: at most 1/${arms.length}`;
    faults.push({ path: [...path, 'policy', 'floor'], message });
  }
  return faults;
}

function metricFaults(
  path: JsonPath,
  experiment: ExperimentConfig,
  config: GatewayConfig,
  known: readonly string[] | null,
): readonly PathFault[] {
  const { metric } = experiment;
  if (metric !== undefined && known !== null && !known.includes(metric)) {
    const hint = suggestion(metric, known, 'declared metrics');
    return [{ path: [...path, 'metric'], message: `no metric is named "${metric}"${hint}` }];
  }
  const name = experimentMetric(experiment, config);
  const declared = name === null ? undefined : config.metrics[name];
  if (experiment.policy.kind === 'fixed' || declared === undefined || hasRange(declared)) return [];
  const message = `metric "${name}" has the same reward for every value: the policy "${experiment.policy.kind}" has nothing to learn from it; name another metric`;
  return [{ path: [...path, metric === undefined ? 'policy' : 'metric'], message }];
}

/** The metric that decides: its own, the prompt's, the first one. Null when none is declared. */
export function experimentMetric(
  experiment: Pick<ExperimentConfig, 'metric' | 'prompt'>,
  config: GatewayConfig,
): string | null {
  return experiment.metric ?? primaryMetricOf(config, experiment.prompt);
}

/** Whether a policy can learn from the metric: two of its values differ in reward, or one from silence where that earns 0. */
export function hasRange(metric: MetricConfig): boolean {
  if (metric.type !== 'categorical') return true;
  const declared = Object.values(metric.values);
  const rewards = metric.missing === 'zero' ? [...declared, 0] : declared;
  return rewards.some((reward) => reward !== rewards[0]);
}

function windowFaults(path: JsonPath, { start, stop }: ExperimentConfig): readonly PathFault[] {
  if (start === undefined || stop === undefined || Date.parse(start) < Date.parse(stop)) return [];
  return [{ path: [...path, 'stop'], message: `${stop} is not after "start" (${start})` }];
}
