import { type GatewayConfig, policyMetric } from '../config/index.ts';
import { canonicalJson, sha256Hex } from '../kernel/index.ts';
import type { FeatureDefinition, FeatureSource, ScorePolicy } from './ranking-types.ts';

type PolicyConfig = GatewayConfig['policies'][string];
type FeatureConfig = PolicyConfig['features']['candidate'][string];

const SOURCES = ['candidate', 'profile', 'context'] as const satisfies readonly FeatureSource[];

/** The configured policies of ranking, in the order of the file. The configuration has been checked. */
export function loadScorePolicies(config: GatewayConfig): readonly ScorePolicy[] {
  return Object.entries(config.policies).flatMap(([name, written]) => {
    const metric = policyMetric(written, config);
    const declaration = metric === null ? undefined : config.metrics[metric];
    return metric === null || declaration === undefined
      ? []
      : [scorePolicyOf(name, written, metric, declaration)];
  });
}

function scorePolicyOf(
  name: string,
  written: PolicyConfig,
  metric: string,
  declaration: ScorePolicy['declaration'],
): ScorePolicy {
  // Rewards under another declaration of the metric are other rewards; its description is for people.
  const { description: _text, ...meaning } = declaration;
  const model = {
    metric,
    features: SOURCES.flatMap((source) =>
      Object.entries(written.features[source]).map(([feature, config]) => featureOf(feature, source, config)),
    ),
    interactions: written.interactions,
    lambda: written.ridge_lambda,
    discount: written.discount,
  };
  const exploration =
    written.kind === 'squarecb'
      ? {
          gammaScale: written.gamma_scale,
          gammaExponent: written.gamma_exponent,
          floorShare: written.floor_share,
        }
      : { gammaScale: 0, gammaExponent: 0, floorShare: 1 };
  const rules = {
    kind: written.kind,
    ...model,
    ...exploration,
    unknownFeatures: written.unknown_features,
    updateIntervalMs: written.update_interval_seconds * 1_000,
    maxCandidates: written.max_candidates,
  };
  return {
    name,
    revision: hashOf({ ...rules, meaning }),
    // Discounting goes by intervals in which rewards came: with it, their length shapes the learning too.
    modelRevision: hashOf({
      ...model,
      meaning,
      ...(written.discount < 1 ? { intervalMs: rules.updateIntervalMs } : {}),
    }),
    declaration,
    ...rules,
  };
}

function featureOf(name: string, source: FeatureSource, config: FeatureConfig): FeatureDefinition {
  switch (config.type) {
    case 'number': {
      const { min, max } = config;
      return { kind: 'number', name, source, min, max, default: config.default ?? (min + max) / 2 };
    }
    case 'boolean':
      return { kind: 'boolean', name, source, default: config.default };
    case 'category':
      return { kind: 'category', name, source, values: config.values, default: config.default ?? null };
    default:
      return config satisfies never;
  }
}

function hashOf(definition: unknown): string {
  return `sha256:${sha256Hex(canonicalJson(definition))}`;
}
