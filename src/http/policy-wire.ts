import { type FeatureDefinition, inputNames, type PolicyInForce } from '../ranking/index.ts';

/** The mapping of ranking policies to the wire, by the names of the configuration. */

export function policyToWire({ policy, snapshot }: PolicyInForce) {
  return {
    policy: policy.name,
    kind: policy.kind,
    metric: policy.metric,
    definition: policy.revision,
    policy_revision: snapshot.revision,
    computed_at: new Date(snapshot.computedAtMs).toISOString(),
    rewards: snapshot.rewards,
    weight: snapshot.weight,
  };
}

/** With the whole definition, and what was learnt of every input. */
export function policyDetailToWire(inForce: PolicyInForce) {
  const { policy, snapshot } = inForce;
  const isGreedy = policy.kind === 'squarecb';
  return {
    ...policyToWire(inForce),
    optimize: policy.declaration.optimize,
    features: policy.features.map(featureToWire),
    interactions: policy.interactions,
    unknown_features: policy.unknownFeatures,
    ...(isGreedy
      ? {
          gamma_scale: policy.gammaScale,
          gamma_exponent: policy.gammaExponent,
          floor_share: policy.floorShare,
        }
      : {}),
    ridge_lambda: policy.lambda,
    discount: policy.discount,
    update_interval_seconds: policy.updateIntervalMs / 1_000,
    max_candidates: policy.maxCandidates,
    learnt: inputNames(policy).map((input, index) => ({
      input,
      coefficient: snapshot.coefficients[index] ?? 0,
    })),
  };
}

function featureToWire(feature: FeatureDefinition) {
  const { name, source, kind } = feature;
  switch (kind) {
    case 'number':
      return { name, source, type: kind, min: feature.min, max: feature.max, default: feature.default };
    case 'boolean':
      return { name, source, type: kind, default: feature.default };
    case 'category':
      return { name, source, type: kind, values: feature.values, default: feature.default };
    default:
      return feature satisfies never;
  }
}
