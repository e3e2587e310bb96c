import type { KeyRing } from '../access/index.ts';
import { AppError } from '../kernel/index.ts';
import type { RouteOutcome } from '../providers/index.ts';
import { failedEnd, okEnd, spentOn } from './call-end.ts';
import { errorWithoutTexts, failedGeneration } from './failed-generation.ts';
import { type CallEnd, redactedTexts } from './generation-record.ts';
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

export interface GenerateParts extends PrepareParts, IdempotencyParts, RecorderParts {
  /** Whether a caller may go on; default: always. */
  readonly callers?: Pick<KeyRing, 'requireInForce'>;
}

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
    throw failedGeneration(errorWithoutTexts(end.error, redactedTexts(call, parts.redaction)), call.id);
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
  const cut = cutWith(signal);
  let refusal: AppError | null = null;
  let started = false;
  let sentText = '';
  let settled = false;
  try {
    for await (const event of call.route.stream(call.routeCall, cut.signal)) {
      if (event.kind !== 'outcome') {
        refusal ??= refusalOf(request, parts);
        if (refusal !== null) {
          // The route ends its upstream call and tells how far it came.
          cut.abort();
          continue;
        }
        if (!started) yield { kind: 'start', head };
        started = true;
        if (event.kind === 'text') sentText += event.text;
        yield event;
        continue;
      }
      // Recorded before anything more is sent: a reader that leaves now cannot leave the call without its row.
      settled = true;
      const ending = {
        outcome: event.outcome,
        lease,
        refusal,
        delivered: !signal.aborted && refusal === null,
      };
      const last = await settledStream(call, ending, parts);
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
    cut.end();
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

interface StreamEnding {
  readonly outcome: RouteOutcome;
  readonly lease: KeyLease<GenerationAnswer>;
  /** Why the caller may not have the rest; null: may. */
  readonly refusal: AppError | null;
  readonly delivered: boolean;
}

/** Records how a stream ended and makes its last event. */
async function settledStream(
  call: PreparedCall,
  { outcome, lease, refusal, delivered }: StreamEnding,
  parts: GenerateParts,
): Promise<Extract<GenerateStreamEvent, { kind: 'end' | 'error' }>> {
  if (outcome.kind === 'failed') {
    const end = failedEnd(outcome);
    const error = refusal ?? errorWithoutTexts(outcome.error, redactedTexts(call, parts.redaction));
    // It is the caller's side that ended it: no fault of the version or the provider.
    await recordFailure(
      call,
      refusal === null ? end : { ...end, status: 'client_closed', error },
      lease,
      parts,
    );
    return { kind: 'error', error, generationId: call.id };
  }
  const check = checkAnswer(call.selection?.version ?? null, outcome);
  const end = okEnd(outcome, check.ok ? check.value : null, spentOn(outcome), delivered);
  try {
    const { answer, timing } = await recordAnswer(call, { ...end, error: refusal }, lease, parts);
    if (refusal !== null) return { kind: 'error', error: refusal, generationId: call.id };
    return { kind: 'end', answer, timing, outputFaults: check.ok ? [] : check.faults, replayed: false };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { kind: 'error', error, generationId: call.id };
  }
}

/** Null: the caller's key is still good, or the caller has none. */
function refusalOf({ context }: GenerateRequest, { callers }: GenerateParts): AppError | null {
  try {
    callers?.requireInForce(context.apiKeyId);
    return null;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

/** A signal that aborts with the caller's, and by itself. One listener, taken away at the end. */
function cutWith(callerSignal: AbortSignal) {
  const controller = new AbortController();
  const abort = (): void => controller.abort('cut');
  if (callerSignal.aborted) abort();
  callerSignal.addEventListener('abort', abort, { once: true });
  return {
    signal: controller.signal,
    abort,
    end: () => callerSignal.removeEventListener('abort', abort),
  };
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
  const { routes, default_route: byDefault } = parts.config;
  const name = request.route ?? byDefault;
  // A caller's text: `constructor` is no route.
  const route = Object.hasOwn(routes, name) ? routes[name] : undefined;
  return 2 * (route?.timeout.total_ms ?? 0);
}
