import { AppError, errorCode, type Ids, type Logger, type Random } from '../kernel/index.ts';
import type { Ledger } from '../ledger/index.ts';
import { rankCandidates, type ScorePolicy, type ScorePolicySnapshot } from '../ranking/index.ts';
import { claimKey, type IdempotencyParts, type KeyLease } from './idempotent-call.ts';
import { type ScoreDecision, type ScoreRecordParts, scoreAnswer, scoreRecord } from './score-record.ts';
import type { ScoreAnswer, ScoreObserver, ScoreReply, ScoreRequest, ScoreService } from './score-types.ts';
import type { ScoreShadowTap } from './shadow-types.ts';

/** Policies as configured now, and what each has learnt. */
export interface ScorePolicySource {
  /** Null: the only or first one. Fails with `policy_not_found`. */
  find(name: string | null): ScorePolicy;
  current(name: string): ScorePolicySnapshot;
}

export interface ScoreParts extends IdempotencyParts, ScoreRecordParts {
  readonly policies: ScorePolicySource;
  readonly ledger: Ledger;
  readonly ids: Ids;
  readonly random: Random;
  readonly logger: Logger;
  readonly observer: ScoreObserver;
  /** `fail`: a decision that cannot be recorded is not given. `serve`: it is, with `recorded: false`. */
  readonly onLedgerFailure: 'fail' | 'serve';
  /** Told of every recorded decision; default: nobody. */
  readonly shadows?: ScoreShadowTap;
}

/** Ranking waits for nothing: the slack of a lease covers it. */
const WORK_MS = 0;
const REPLAY_TIMING = { rankMs: 0, commitMs: 0, totalMs: 0 };

/** The story of a ranking: claim the key → find the policy → rank → record → answer. */
export function createScoreService(parts: ScoreParts): ScoreService {
  return { score: (request) => score(request, parts) };
}

async function score(request: ScoreRequest, parts: ScoreParts): Promise<ScoreReply> {
  const claim = await claimKey<ScoreAnswer>(request, WORK_MS, parts);
  if (claim.kind === 'replay') return { answer: claim.answer, timing: REPLAY_TIMING, replayed: true };
  const startedMs = parts.clock.monotonicMs();
  const decision = await decideOrRelease(request, claim.lease, parts);
  const rankMs = parts.clock.monotonicMs() - startedMs;
  return recorded(request, decision, { lease: claim.lease, rankMs }, parts);
}

/** What fails here is the request's fault, or ours: nothing is recorded, and the key is free for a corrected call. */
async function decideOrRelease(
  request: ScoreRequest,
  lease: KeyLease<ScoreAnswer>,
  parts: ScoreParts,
): Promise<ScoreDecision> {
  const startedMs = parts.clock.monotonicMs();
  let policy: ScorePolicy | null = null;
  try {
    policy = parts.policies.find(request.policy);
    const snapshot = parts.policies.current(policy.name);
    const { candidates, profileFeatures, contextFeatures } = request;
    const ranked = rankCandidates({
      policy,
      snapshot,
      candidates,
      profileFeatures,
      contextFeatures,
      random: parts.random,
    });
    return { id: parts.ids.next('scr'), policy, snapshot, ranked };
  } catch (error) {
    await lease.release();
    const rankMs = parts.clock.monotonicMs() - startedMs;
    const status = isRefusal(error) ? 'refused' : 'error';
    observe(request, policy?.name ?? null, { status, rankMs, commitMs: 0 }, parts);
    throw error;
  }
}

/** Commits the decision, then answers it. */
async function recorded(
  request: ScoreRequest,
  decision: ScoreDecision,
  { lease, rankMs }: { readonly lease: KeyLease<ScoreAnswer>; readonly rankMs: number },
  parts: ScoreParts,
): Promise<ScoreReply> {
  const record = scoreRecord(request, decision, parts);
  const answer = scoreAnswer(request, decision);
  const startedMs = parts.clock.monotonicMs();
  let isRecorded = true;
  try {
    await parts.ledger.appendScore(record, lease.completion(answer));
  } catch (error) {
    await lease.release();
    parts.logger.error(
      { event: 'ledger_write_failed', score_id: record.id, code: errorCode(error), err: error },
      'score not recorded',
    );
    if (parts.onLedgerFailure === 'fail') {
      observe(request, record.policy, { status: 'error', rankMs, commitMs: 0 }, parts);
      throw error;
    }
    isRecorded = false;
  }
  const commitMs = parts.clock.monotonicMs() - startedMs;
  const status = isRecorded ? 'ok' : 'unrecorded';
  observe(request, record.policy, { status, rankMs, commitMs }, parts);
  if (isRecorded) parts.shadows?.offerScore({ request, record, rankMs });
  return {
    answer: isRecorded ? answer : { ...answer, recorded: false },
    timing: { rankMs, commitMs, totalMs: record.totalMs + commitMs },
    replayed: false,
  };
}

function isRefusal(error: unknown): boolean {
  return error instanceof AppError && (error.code === 'score_invalid' || error.code === 'policy_not_found');
}

type Observation = Parameters<ScoreObserver['score']>[0];

function observe(
  request: ScoreRequest,
  policy: string | null,
  seen: Pick<Observation, 'status' | 'rankMs' | 'commitMs'>,
  parts: ScoreParts,
): void {
  const totalMs = parts.clock.monotonicMs() - request.context.receivedMonotonicMs;
  parts.observer.score({ policy, ...seen, totalMs });
}
