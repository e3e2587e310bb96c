import { AppError } from '../../src/kernel/index.ts';
import type { ScorePolicies, ScorePolicy, ScorePolicySnapshot } from '../../src/ranking/index.ts';

/** Ranks by `novelty` of the candidate alone; `ScorePolicy` of the shape that the configuration gives. */
export function scriptedScorePolicy(changes: Partial<ScorePolicy> = {}): ScorePolicy {
  return {
    name: 'tips',
    revision: 'sha256:definition',
    modelRevision: 'sha256:model',
    kind: 'squarecb',
    metric: 'completed',
    declaration: {
      type: 'boolean',
      description: '',
      optimize: 'max',
      attribution_window_hours: 168,
      missing: 'exclude',
    },
    features: [
      { kind: 'number', name: 'novelty', source: 'candidate', min: 0, max: 1, default: 0.5 },
      { kind: 'boolean', name: 'short', source: 'candidate', default: false },
      { kind: 'category', name: 'topic', source: 'candidate', values: ['mind', 'body'], default: null },
      { kind: 'number', name: 'completion_rate', source: 'profile', min: 0, max: 1, default: 0.5 },
      { kind: 'number', name: 'hour', source: 'context', min: 0, max: 23, default: 12 },
    ],
    interactions: [['novelty', 'completion_rate']],
    unknownFeatures: 'refuse',
    gammaScale: 10,
    gammaExponent: 0.5,
    lambda: 1,
    floorShare: 0.1,
    discount: 1,
    updateIntervalMs: 60_000,
    maxCandidates: 1_000,
    ...changes,
  };
}

export function scriptedSnapshot(changes: Partial<ScorePolicySnapshot> = {}): ScorePolicySnapshot {
  return {
    policy: 'tips',
    revision: 'tips-4',
    sequence: 4,
    policyRevision: 'sha256:definition',
    modelRevision: 'sha256:model',
    computedAtMs: Date.UTC(2026, 10, 23, 10),
    rewards: 120,
    weight: 120,
    // constant, novelty, short, topic=mind, topic=body, completion_rate, hour, novelty × completion_rate
    coefficients: [0.1, 0.6, 0, 0, 0, 0, 0, 0],
    ...changes,
  };
}

/** Policies as they are in force, with one state each. */
export function scriptedScorePolicies(
  policies: readonly ScorePolicy[] = [scriptedScorePolicy()],
  snapshot: ScorePolicySnapshot = scriptedSnapshot(),
): Pick<ScorePolicies, 'list' | 'find' | 'current'> {
  return {
    list: () => policies.map((policy) => ({ policy, snapshot })),
    find: (name) => {
      const found = name === null ? policies[0] : policies.find((policy) => policy.name === name);
      if (found !== undefined) return found;
      const known = policies.map((policy) => policy.name);
      throw new AppError('policy_not_found', `There is no policy "${name}"; known are ${known.join(', ')}.`, {
        details: { known },
      });
    },
    current: () => snapshot,
  };
}
