import { configSchema } from '../../src/config/index.ts';
import { loadScorePolicies, type ScorePolicy } from '../../src/ranking/index.ts';

const FEATURES = {
  candidate: { effort: { type: 'number', min: 0, max: 1 } },
  profile: { energy: { type: 'number', min: 0, max: 1 } },
};

/** A policy as the configuration gives it: `effort` of the candidate, `energy` of the user, and their product. */
export function scorePolicy(
  tips: Readonly<Record<string, unknown>> = {},
  metric: Readonly<Record<string, unknown>> = {},
): ScorePolicy {
  const config = configSchema.parse({
    providers: { offline: { kind: 'offline' } },
    routes: { default: { targets: [{ provider: 'offline' }] } },
    metrics: { completed: { type: 'boolean', ...metric } },
    policies: {
      tips: { kind: 'squarecb', features: FEATURES, interactions: [['effort', 'energy']], ...tips },
    },
  });
  const [policy] = loadScorePolicies(config);
  if (policy === undefined) throw new Error('no policy was loaded');
  return policy;
}
