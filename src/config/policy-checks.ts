import { suggestion } from './config-fault.ts';
import { hasRange } from './experiment-checks.ts';
import type { JsonPath } from './json-document.ts';
import { primaryMetricOf } from './primary-metric.ts';
import type { GatewayConfig } from './schema.ts';
import type { PathFault } from './schema-fault.ts';

type PolicyConfig = GatewayConfig['policies'][string];
type FeatureConfig = PolicyConfig['features']['candidate'][string];
type Source = keyof PolicyConfig['features'];

const SOURCES = ['candidate', 'profile', 'context'] as const satisfies readonly Source[];
/** The regression is solved within the process: more inputs belong into a trained model. */
const MAX_INPUTS = 64;

/** What the schema of `policies` cannot say. `metrics`: names as written; null when nothing is known of them. */
export function policyFaults(config: GatewayConfig, metrics: readonly string[] | null): readonly PathFault[] {
  return Object.entries(config.policies).flatMap(([name, policy]) => {
    const path = ['policies', name];
    const ownFaults = [...featureFaults(path, policy), ...interactionFaults(path, policy)];
    // The count of what is faulty says nothing.
    const sizes = ownFaults.length === 0 ? sizeFaults(path, policy) : [];
    return [...metricFaults(path, policy, config, metrics), ...ownFaults, ...sizes];
  });
}

/** The metric a policy learns from: its own, else the primary one of the default prompt. Null when none is declared. */
export function policyMetric(policy: Pick<PolicyConfig, 'metric'>, config: GatewayConfig): string | null {
  return policy.metric ?? primaryMetricOf(config, config.prompts.default);
}

function metricFaults(
  path: JsonPath,
  policy: PolicyConfig,
  config: GatewayConfig,
  known: readonly string[] | null,
): readonly PathFault[] {
  const { metric } = policy;
  if (metric !== undefined && known !== null && !known.includes(metric)) {
    const hint = suggestion(metric, known, 'declared metrics');
    return [{ path: [...path, 'metric'], message: `no metric is named "${metric}"${hint}` }];
  }
  const name = policyMetric(policy, config);
  const declared = name === null ? undefined : config.metrics[name];
  if (declared === undefined || hasRange(declared)) return [];
  const message = `metric "${name}" has the same reward for every value: there is nothing to learn from it; name another metric`;
  return [{ path: metric === undefined ? path : [...path, 'metric'], message }];
}

function featureFaults(path: JsonPath, policy: PolicyConfig): readonly PathFault[] {
  const faults: PathFault[] = [];
  const sourceOf = new Map<string, Source>();
  for (const source of SOURCES) {
    for (const [name, feature] of Object.entries(policy.features[source])) {
      const place = [...path, 'features', source, name];
      const other = sourceOf.get(name);
      if (other !== undefined) {
        const message = `is a feature of "${other}" too: interactions name features without their source, so give one of the two another name`;
        faults.push({ path: place, message });
      }
      sourceOf.set(name, source);
      faults.push(...valueFaults(place, feature));
    }
  }
  if (policy.kind === 'squarecb' && Object.keys(policy.features.candidate).length === 0) {
    const message =
      'names no feature of the candidates: every candidate would look the same; declare one, or use the kind "uniform"';
    faults.push({ path: [...path, 'features'], message });
  }
  return faults;
}

function valueFaults(path: JsonPath, feature: FeatureConfig): readonly PathFault[] {
  switch (feature.type) {
    case 'boolean':
      return [];
    case 'number': {
      const { min, max } = feature;
      if (!(min < max)) {
        return [{ path: [...path, 'min'], message: `"min" (${min}) must be below "max" (${max})` }];
      }
      if (!Number.isFinite(max - min)) {
        return [{ path: [...path, 'max'], message: `${min} to ${max} is too wide a range to be measured` }];
      }
      const isOutside = feature.default !== undefined && (feature.default < min || feature.default > max);
      const message = `${feature.default} is outside of the range ${min} to ${max}`;
      return isOutside ? [{ path: [...path, 'default'], message }] : [];
    }
    case 'category': {
      const faults: PathFault[] = [];
      const { values } = feature;
      if (values.length === 0)
        faults.push({ path: [...path, 'values'], message: 'needs at least one value' });
      values.forEach((value, index) => {
        if (values.indexOf(value) === index) return;
        faults.push({ path: [...path, 'values', index], message: `"${value}" is listed twice` });
      });
      if (feature.default !== undefined && !values.includes(feature.default)) {
        const hint = suggestion(feature.default, values, 'values');
        faults.push({
          path: [...path, 'default'],
          message: `"${feature.default}" is none of the values${hint}`,
        });
      }
      return faults;
    }
    default:
      return feature satisfies never;
  }
}

function interactionFaults(path: JsonPath, policy: PolicyConfig): readonly PathFault[] {
  const faults: PathFault[] = [];
  const features = featuresOf(policy);
  const known = [...features.keys()];
  const seen = new Set<string>();
  policy.interactions.forEach((pair, index) => {
    const place = [...path, 'interactions', index];
    const unknown = [...new Set(pair)].filter((name) => !features.has(name));
    for (const name of unknown) {
      const hint = suggestion(name, known, 'declared features');
      faults.push({ path: [...place, pair.indexOf(name)], message: `no feature is named "${name}"${hint}` });
    }
    if (unknown.length > 0) return;
    const [first, second] = pair;
    const key = [...pair].sort().join(' ');
    if (seen.has(key)) faults.push({ path: place, message: `${first} × ${second} is listed twice` });
    seen.add(key);
    if (!pair.some((name) => features.get(name)?.source === 'candidate')) {
      const message = `neither "${first}" nor "${second}" belongs to the candidate: their product is the same for all candidates and cannot change a ranking; pair one of them with a feature of "candidate"`;
      faults.push({ path: place, message });
    } else if (first === second && features.get(first)?.feature.type !== 'number') {
      const message = `"${first}" times itself is itself: only a number may be paired with itself`;
      faults.push({ path: place, message });
    }
  });
  return faults;
}

function sizeFaults(path: JsonPath, policy: PolicyConfig): readonly PathFault[] {
  const features = featuresOf(policy);
  const widthOf = (name: string): number => {
    const feature = features.get(name)?.feature;
    return feature?.type === 'category' ? feature.values.length : 1;
  };
  const own = [...features.keys()].reduce((sum, name) => sum + widthOf(name), 0);
  const products = policy.interactions.reduce((sum, [a, b]) => sum + widthOf(a) * widthOf(b), 0);
  const total = 1 + own + products;
  if (total <= MAX_INPUTS) return [];
  const message = `becomes ${total} inputs (1 constant, ${own} of features, ${products} of interactions), at most ${MAX_INPUTS}: take out categories with many values first`;
  return [{ path: [...path, products > own ? 'interactions' : 'features'], message }];
}

function featuresOf(
  policy: PolicyConfig,
): ReadonlyMap<string, { readonly source: Source; readonly feature: FeatureConfig }> {
  return new Map(
    SOURCES.flatMap((source) =>
      Object.entries(policy.features[source]).map(([name, feature]) => [name, { source, feature }] as const),
    ),
  );
}
