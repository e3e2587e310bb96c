import { AppError, type Clock } from '../kernel/index.ts';
import type { ScoreRecord } from '../ledger/index.ts';
import type { Ranking, ScorePolicy, ScorePolicySnapshot } from '../ranking/index.ts';
import type { Redaction } from './redaction.ts';
import type { ScoreAnswer, ScoreRequest } from './score-types.ts';

const TEST_TAG = 'test';

export interface ScoreRecordParts {
  readonly clock: Clock;
  readonly redaction: Redaction;
  /** Keyed hash of a unit id, so that raw ids are never stored. */
  readonly hashUnit: (kind: string, id: string) => string;
  readonly configHash: () => string;
  readonly gatewayVersion: string;
}

/** A ranked request, before it is written. */
export interface ScoreDecision {
  readonly id: string;
  readonly policy: ScorePolicy;
  readonly snapshot: ScorePolicySnapshot;
  readonly ranked: Ranking;
}

/** The row of one decision. `totalMs` ends here, so the commit's own wait is not part of it. */
export function scoreRecord(
  request: ScoreRequest,
  { id, policy, snapshot, ranked }: ScoreDecision,
  parts: ScoreRecordParts,
): ScoreRecord {
  const { context, userId, sessionId, profileFeatures, contextFeatures, metadata } = request;
  const totalMs = parts.clock.monotonicMs() - context.receivedMonotonicMs;
  const { redaction, hashUnit } = parts;
  return {
    id,
    createdAtMs: context.receivedAtMs,
    finishedAtMs: context.receivedAtMs + Math.round(totalMs),
    apiKeyId: context.apiKeyId,
    requestId: context.requestId,
    traceId: context.traceId,
    externalId: request.externalId,
    policy: policy.name,
    policyDefinition: policy.revision,
    policyRevision: snapshot.revision,
    modelRevision: policy.modelRevision,
    unitKind: userId === null ? null : 'user_id',
    unitKey: userId === null ? null : hashUnit('user_id', userId),
    sessionKey: sessionId === null ? null : hashUnit('session_id', sessionId),
    test: request.tags.includes(TEST_TAG),
    shadowOf: null,
    candidates: request.candidates.map((candidate, index) => ({
      id: candidate.id,
      features: redaction.apply('features', candidate.features),
      estimate: numberAt(ranked.estimates, index),
      propensity: numberAt(ranked.propensities, index),
    })),
    chosen: chosenId(request, ranked),
    chosenPropensity: numberAt(ranked.propensities, ranked.chosen),
    chosenInput: ranked.chosenInput,
    profileFeatures: profileFeatures === null ? null : redaction.apply('profile_features', profileFeatures),
    contextFeatures: contextFeatures === null ? null : redaction.apply('context', contextFeatures),
    metadata: metadata === null ? null : redaction.apply('metadata', metadata),
    tags: request.tags,
    totalMs,
    configHash: parts.configHash(),
    gatewayVersion: parts.gatewayVersion,
  };
}

/** What the caller gets. */
export function scoreAnswer(
  request: ScoreRequest,
  { id, policy, snapshot, ranked }: ScoreDecision,
): ScoreAnswer {
  return {
    id,
    createdAtMs: request.context.receivedAtMs,
    policy: policy.name,
    policyRevision: snapshot.revision,
    chosen: chosenId(request, ranked),
    ranking: ranked.ranking,
    ignoredFeatures: ranked.ignored,
    recorded: true,
  };
}

function chosenId(request: ScoreRequest, ranked: Ranking): string {
  const candidate = request.candidates[ranked.chosen];
  if (candidate === undefined) throw new AppError('internal', 'a candidate was chosen that nobody sent');
  return candidate.id;
}

function numberAt(numbers: readonly number[], index: number): number {
  const number = numbers[index];
  if (number === undefined) throw new AppError('internal', `no number for candidate ${index}`);
  return number;
}
