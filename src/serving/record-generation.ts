import { AppError, errorCode, type Logger } from '../kernel/index.ts';
import type { GenerationRecord, Ledger } from '../ledger/index.ts';
import {
  answerOf,
  type CallEnd,
  generationRecord,
  type RecordParts,
  upstreamCalls,
} from './generation-record.ts';
import type { KeyLease } from './idempotent-call.ts';
import type { PreparedCall } from './prepare-call.ts';
import type { ShadowTap } from './shadow-types.ts';
import type { CallTiming, GenerationAnswer, GenerationObserver } from './types.ts';

export interface RecorderParts extends RecordParts {
  readonly ledger: Ledger;
  readonly logger: Logger;
  readonly observer: GenerationObserver;
  /** `fail`: an answer that cannot be recorded is not given. `serve`: it is, with `recorded: false`. */
  readonly onLedgerFailure: 'fail' | 'serve';
  /** Told of every recorded call; default: nobody. */
  readonly shadows?: ShadowTap;
}

export interface Recorded {
  readonly answer: GenerationAnswer;
  readonly timing: CallTiming;
}

/**
 * Commits an answered call and makes its answer. Fails with `storage_unavailable` when the ledger cannot take it and
 * the policy is `fail`.
 */
export async function recordAnswer(
  call: PreparedCall,
  end: CallEnd,
  lease: KeyLease<GenerationAnswer>,
  parts: RecorderParts,
): Promise<Recorded> {
  if (end.answer === null) throw new AppError('internal', 'an answered call without an answer');
  const record = generationRecord(call, end, parts);
  const answer = answerOf(call, record, end.answer, end);
  const startedMs = parts.clock.monotonicMs();
  let recorded = true;
  try {
    // A caller that left gets nothing, so its key must not answer for it either: the next try runs afresh.
    await parts.ledger.appendGeneration(record, end.delivered ? lease.completion(answer) : null);
    if (!end.delivered) await lease.release();
  } catch (error) {
    await lease.release();
    parts.logger.error(
      { event: 'ledger_write_failed', generation_id: record.id, code: errorCode(error), err: error },
      'generation not recorded',
    );
    recorded = false;
    if (parts.onLedgerFailure === 'fail') {
      settleAndObserve(parts.observer, call, record, 0, false);
      throw error;
    }
  }
  const commitMs = parts.clock.monotonicMs() - startedMs;
  settleAndObserve(parts.observer, call, record, commitMs, recorded);
  if (recorded) parts.shadows?.offer({ call, end, record });
  return {
    answer: recorded ? answer : { ...answer, recorded: false },
    timing: {
      renderMs: call.renderMs,
      providerMs: record.providerMs,
      commitMs,
      totalMs: record.totalMs + commitMs,
    },
  };
}

/** Commits a call that ended without an answer, and frees its key. Never throws: the caller gets the call's own error. */
export async function recordFailure(
  call: PreparedCall,
  end: CallEnd,
  lease: KeyLease<GenerationAnswer>,
  parts: RecorderParts,
): Promise<void> {
  const record = generationRecord(call, end, parts);
  const startedMs = parts.clock.monotonicMs();
  let recorded = true;
  try {
    await parts.ledger.appendGeneration(record, null);
  } catch (error) {
    recorded = false;
    parts.logger.error(
      { event: 'ledger_write_failed', generation_id: record.id, code: errorCode(error), err: error },
      'generation not recorded',
    );
  }
  await lease.release();
  settleAndObserve(parts.observer, call, record, parts.clock.monotonicMs() - startedMs, recorded);
  if (recorded) parts.shadows?.offer({ call, end, record });
}

/** Settles what the call took of its key's limits, and counts it. */
function settleAndObserve(
  observer: GenerationObserver,
  call: PreparedCall,
  record: GenerationRecord,
  commitMs: number,
  recorded: boolean,
): void {
  const { inputTokens, outputTokens, costNanoUsd } = record;
  const tokens =
    inputTokens === null && outputTokens === null ? null : (inputTokens ?? 0) + (outputTokens ?? 0);
  const wasCutShort = record.status === 'client_closed' && upstreamCalls(record.attempts).length > 0;
  call.reservation.settle({ tokens, costNanoUsd, wasCutShort });
  observer.generation({
    surface: record.surface,
    prompt: record.prompt,
    promptVersion: record.promptVersion,
    provider: record.provider,
    status: record.status,
    errorCode: record.errorCode,
    totalMs: record.totalMs,
    providerMs: record.providerMs,
    commitMs,
    firstTokenMs: record.firstTokenMs,
    inputTokens: record.inputTokens,
    outputTokens: record.outputTokens,
    costNanoUsd: record.costNanoUsd,
    attempts: upstreamCalls(record.attempts),
    degraded: record.degraded,
    recorded,
    leftOut: call.selection?.leftOut ?? null,
  });
}
