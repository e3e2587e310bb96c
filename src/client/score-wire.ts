import { GatewayError } from './gateway-error.ts';
import type { GatewayFault, Score, ScoreInput } from './types.ts';
import {
  listOf,
  recordOf,
  requiredNumber,
  requiredText,
  textListOf,
  textOf,
  type WireRecord,
} from './wire.ts';

/**
 * Fails with `score_invalid` on numbers that JSON cannot hold: they would travel as null, and count as missing without
 * anybody noticing.
 */
export function scoreToWire(input: ScoreInput): WireRecord {
  const faults = [
    ...input.candidates.flatMap(({ features }, index) =>
      notFinite(features, `candidates[${index}].features`),
    ),
    ...notFinite(input.profileFeatures, 'profile_features'),
    ...notFinite(input.context, 'context'),
  ];
  const [first] = faults;
  if (first !== undefined) {
    throw new GatewayError('score_invalid', `${first.path}: ${first.message}`, { errors: faults });
  }
  return {
    candidates: input.candidates.map(({ id, features }) => ({ id, features })),
    policy: input.policy,
    profile_features: input.profileFeatures,
    context: input.context,
    user_id: input.userId,
    session_id: input.sessionId,
    external_id: input.externalId,
    metadata: input.metadata,
    tags: input.tags,
  };
}

export function scoreFromWire(value: unknown, replayed: boolean): Score {
  const wire = recordOf(value);
  return {
    id: requiredText(wire, 'id'),
    policy: requiredText(wire, 'policy'),
    policyRevision: requiredText(wire, 'policy_revision'),
    chosen: requiredText(wire, 'chosen'),
    ranking: listOf(wire, 'ranking').map((candidate) => ({
      id: requiredText(candidate, 'id'),
      score: requiredNumber(candidate, 'score'),
      propensity: requiredNumber(candidate, 'propensity'),
    })),
    ignoredFeatures: textListOf(wire, 'ignored_features'),
    recorded: wire['recorded'] !== false,
    createdAt: textOf(wire, 'created_at'),
    replayed,
  };
}

function notFinite(features: ScoreInput['profileFeatures'], path: string): readonly GatewayFault[] {
  return Object.entries(features ?? {})
    .filter(([, value]) => typeof value === 'number' && !Number.isFinite(value))
    .map(([name, value]) => ({ path: `${path}.${name}`, message: `must be a finite number, not ${value}` }));
}
