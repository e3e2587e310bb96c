import { AppError } from '../kernel/index.ts';
import type { RouteOutcome } from '../providers/index.ts';
import { failedEnd, okEnd, spentOn } from './call-end.ts';
import { failedGeneration } from './failed-generation.ts';
import type { CallEnd } from './generation-record.ts';
import { claimKey, type IdempotencyParts, type KeyLease } from './idempotent-call.ts';
import { dryRunOf, headOf, type PreparedCall, type PrepareParts, prepareCall } from './prepare-call.ts';
import { type RecorderParts, recordAnswer, recordFailure } from './record-generation.ts';
import { runCall } from './run-call.ts';
import { checkAnswer } from './structured-output.ts';
import type {
  CallTiming,
  GenerateReply,
  GenerateRequest,
  GenerateService,
  GenerateStreamEvent,
  GenerationAnswer,
} from './types.ts';

export type GenerateParts = PrepareParts & IdempotencyParts & RecorderParts;

const REPLAY_TIMING: CallTiming = { renderMs: 0, providerMs: 0, commitMs: 0, totalMs: 0 };

/** The main story: select → render → call → record → answer. */
export function createGenerateService(parts: GenerateParts): GenerateService {
  return {
    generate: (request, signal) => generate(request, signal, parts),
    stream: (request, signal) => stream(request, signal, parts),
  };
}

async function generate(
  request: GenerateRequest,
  signal: AbortSignal,
  parts: GenerateParts,
): Promise<GenerateReply> {
  if (request.dryRun) return { kind: 'dry_run', dryRun: dryRunOf(await prepareCall(request, parts)) };
  const claim = await claimKey<GenerationAnswer>(request, workMs(request, parts), parts);
  if (claim.kind === 'replay') {
    return { kind: 'answer', answer: claim.answer, timing: REPLAY_TIMING, replayed: true };
  }
  const call = await prepareOrRelease(request, claim.lease, parts);
  const end = await runCall(call, signal);
  if (end.error !== null) {
    await recordFailure(call, end, claim.lease, parts);
    throw failedGeneration(end.error, call.id);
  }
  const { answer, timing } = await recordAnswer(call, end, claim.lease, parts);
  return { kind: 'answer', answer, timing, replayed: false };
}

async function* stream(
  request: GenerateRequest,
  signal: AbortSignal,
  parts: GenerateParts,
): AsyncGenerator<GenerateStreamEvent, void, undefined> {
  const claim = await claimKey<GenerationAnswer>(request, workMs(request, parts), parts);
  if (claim.kind === 'replay') {
    yield* replayedStream(claim.answer);
    return;
  }
  const { lease } = claim;
  const call = await prepareOrRelease(request, lease, parts);
  const head = headOf(call);
  let started = false;
  let sentText = '';
  let settled = false;
  try {
    for await (const event of call.route.stream(call.routeCall, signal)) {
      if (event.kind !== 'outcome') {
        if (!started) yield { kind: 'start', head };
        started = true;
        if (event.kind === 'text') sentText += event.text;
        yield event;
        continue;
      }
      // Recorded before anything more is sent: a reader that leaves now cannot leave the call without its row.
      settled = true;
      const last = await settledStream(call, event.outcome, lease, signal, parts);
      if (!started && last.kind === 'error') throw failedGeneration(last.error, call.id);
      if (!started) yield { kind: 'start', head };
      yield last;
      return;
    }
  } catch (error) {
    if (!settled) {
      settled = true;
      await recordFailure(
        call,
        brokenEnd(sentText, new AppError('internal', 'the stream broke', { cause: error })),
        lease,
        parts,
      );
    }
    throw error;
  } finally {
    // The reader of this stream went away between two events: the route is closed by now, and the call still counts.
    if (!settled)
      await recordFailure(
        call,
        brokenEnd(sentText, new AppError('client_closed', 'the caller closed the connection')),
        lease,
        parts,
      );
  }
}

/** Records how a stream ended and makes its last event. */
async function settledStream(
  call: PreparedCall,
  outcome: RouteOutcome,
  lease: KeyLease<GenerationAnswer>,
  signal: AbortSignal,
  parts: GenerateParts,
): Promise<Extract<GenerateStreamEvent, { kind: 'end' | 'error' }>> {
  if (outcome.kind === 'failed') {
    await recordFailure(call, failedEnd(outcome), lease, parts);
    return { kind: 'error', error: outcome.error, generationId: call.id };
  }
  const check = checkAnswer(call.selection?.version ?? null, outcome);
  const end = okEnd(outcome, check.ok ? check.value : null, spentOn(outcome), !signal.aborted);
  try {
    const { answer, timing } = await recordAnswer(call, end, lease, parts);
    return { kind: 'end', answer, timing, outputFaults: check.ok ? [] : check.faults, replayed: false };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { kind: 'error', error, generationId: call.id };
  }
}

/** A stream that ended without its route saying how. */
function brokenEnd(sentText: string, error: AppError): CallEnd {
  return {
    ...failedEnd({ kind: 'failed', error, attempts: [], providerMs: 0, partial: null }),
    text: sentText === '' ? null : sentText,
  };
}

function* replayedStream(answer: GenerationAnswer): Generator<GenerateStreamEvent> {
  yield { kind: 'start', head: answer, replayed: true };
  if (answer.text !== '') yield { kind: 'text', text: answer.text };
  yield { kind: 'end', answer, timing: REPLAY_TIMING, outputFaults: [], replayed: true };
}

async function prepareOrRelease(
  request: GenerateRequest,
  lease: KeyLease<GenerationAnswer>,
  parts: GenerateParts,
): Promise<PreparedCall> {
  try {
    return await prepareCall(request, parts);
  } catch (error) {
    await lease.release();
    throw error;
  }
}

/**
 * The lease of a key must outlast its call, and a repair attempt may use the route a second time. An unknown route fails
 * a moment later, in `prepareCall`.
 */
function workMs(request: GenerateRequest, parts: GenerateParts): number {
  const route = parts.config.routes[request.route ?? parts.config.default_route];
  return 2 * (route?.timeout.total_ms ?? 0);
}
