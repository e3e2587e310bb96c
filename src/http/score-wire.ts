import type { StoredScore } from '../ledger/index.ts';
import type { ScoreAnswer, ScoreTiming } from '../serving/index.ts';
import { outcomeToWire } from './outcome-wire.ts';
import { timingHeader } from './timing-header.ts';
import { wireKeys } from './wire-case.ts';

/** The mapping of ranking decisions from records to the wire: one function per shape. */

export function scoreAnswerToWire(answer: ScoreAnswer) {
  return {
    id: answer.id,
    policy: answer.policy,
    policy_revision: answer.policyRevision,
    chosen: answer.chosen,
    ranking: answer.ranking.map(({ id, score, propensity }) => ({ id, score, propensity })),
    ...(answer.ignoredFeatures.length === 0 ? {} : { ignored_features: answer.ignoredFeatures }),
    recorded: answer.recorded,
    created_at: new Date(answer.createdAtMs).toISOString(),
  };
}

/** Wire names on the first level only: features and metadata hold the caller's keys. */
export function storedScoreToWire(score: StoredScore): Record<string, unknown> {
  const { createdAtMs, finishedAtMs, contextFeatures, outcomes, ...rest } = score;
  return {
    ...wireKeys(rest),
    created_at: new Date(createdAtMs).toISOString(),
    finished_at: new Date(finishedAtMs).toISOString(),
    context: contextFeatures,
    outcomes: outcomes.map(outcomeToWire),
  };
}

export function scoreTiming({ rankMs, commitMs, totalMs }: ScoreTiming): string {
  return timingHeader([
    ['rank', rankMs],
    ['db', commitMs],
    ['total', totalMs],
  ]);
}
