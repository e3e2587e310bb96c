import { AppError, errorCode, type Ids, type Random } from '../kernel/index.ts';
import type { ScoreRecord, ShadowPair, ShadowSide } from '../ledger/index.ts';
import { rankCandidates } from '../ranking/index.ts';
import type { ScorePolicySource } from './score.ts';
import { type ScoreRecordParts, scoreRecord } from './score-record.ts';
import type { LiveScore, PolicyShadowRule } from './shadow-types.ts';

export interface ShadowScoreParts extends ScoreRecordParts {
  readonly policies: ScorePolicySource;
  readonly ids: Ids;
  readonly random: Random;
}

export interface FinishedShadowScore {
  /** Null: the candidate could not rank. */
  readonly record: ScoreRecord | null;
  readonly pair: ShadowPair;
}

/** The live ranking once more by the rule's candidate. A request that it refuses becomes a failure of the pair. */
export function runShadowScore(
  rule: PolicyShadowRule,
  live: LiveScore,
  parts: ShadowScoreParts,
): FinishedShadowScore {
  const policy = parts.policies.find(rule.policy);
  const snapshot = parts.policies.current(policy.name);
  const id = parts.ids.next('scr');
  const startedAtMs = parts.clock.nowMs();
  const startedMs = parts.clock.monotonicMs();
  const { candidates, profileFeatures, contextFeatures, context } = live.request;
  const pairOf = (shadow: Partial<ShadowSide>, agrees: boolean | null): ShadowPair => ({
    rule: rule.name,
    ruleRevision: rule.revision,
    changes: rule.changes,
    prompt: null,
    createdAtMs: startedAtMs,
    live: scoreSide(live.record.id, live.record.policyDefinition, { totalMs: live.rankMs }),
    shadow: scoreSide(id, policy.revision, {
      totalMs: parts.clock.monotonicMs() - startedMs,
      ...shadow,
    }),
    charged: false,
    agrees,
  });
  try {
    const { random } = parts;
    const ranked = rankCandidates({ policy, snapshot, candidates, profileFeatures, contextFeatures, random });
    const record = {
      ...scoreRecord(
        {
          ...live.request,
          externalId: null,
          context: { ...context, receivedAtMs: startedAtMs, receivedMonotonicMs: startedMs },
        },
        { id, policy, snapshot, ranked },
        parts,
      ),
      shadowOf: live.record.id,
    };
    return { record, pair: pairOf({}, record.chosen === live.record.chosen) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { record: null, pair: pairOf({ status: 'error', errorCode: errorCode(error) }, null) };
  }
}

/** Ranking costs nothing and has neither route nor schema; what is timed is the ranking alone. */
function scoreSide(id: string, definition: string, changes: Partial<ShadowSide>): ShadowSide {
  return {
    id,
    version: definition,
    hash: definition,
    route: null,
    model: null,
    status: 'ok',
    errorCode: null,
    degraded: false,
    schemaOk: null,
    totalMs: 0,
    costNanoUsd: null,
    inputTokens: null,
    outputTokens: null,
    ...changes,
  };
}
