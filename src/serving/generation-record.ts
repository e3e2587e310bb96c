import type { AppError, Clock } from '../kernel/index.ts';
import type { GenerationRecord, GenerationStatus } from '../ledger/index.ts';
import type { AttemptRecord, RouteAnswer, Usage } from '../providers/index.ts';
import { headOf, type PreparedCall, unitKeyOf } from './prepare-call.ts';
import { type Redaction, withoutTexts } from './redaction.ts';
import type { GenerationAnswer } from './types.ts';

const TEST_TAG = 'test';

export interface RecordParts {
  readonly clock: Clock;
  readonly redaction: Redaction;
  readonly storeText: boolean;
  /** Keyed hash of a unit id, so that raw ids are never stored. */
  readonly hashUnit: (kind: string, id: string) => string;
  readonly gatewayVersion: string;
}

/** How a call ended, whichever way it did. */
export interface CallEnd {
  readonly status: GenerationStatus;
  readonly delivered: boolean;
  readonly answer: RouteAnswer | null;
  readonly error: AppError | null;
  readonly attempts: readonly AttemptRecord[];
  readonly providerMs: number;
  readonly repairs: number;
  /** Usage and cost over the first answer and its repair. */
  readonly usage: Usage | null;
  readonly costNanoUsd: number | null;
  readonly text: string | null;
  readonly output: unknown;
  readonly firstTokenMs: number | null;
  /** Who was answering when a stream broke off. */
  readonly partialFrom: { readonly provider: string; readonly model: string } | null;
}

/** The row of one call. `totalMs` ends here, so the commit's own wait is not part of it. */
export function generationRecord(call: PreparedCall, end: CallEnd, parts: RecordParts): GenerationRecord {
  const { request } = call;
  const { context, source } = request;
  const { answer } = end;
  const totalMs = parts.clock.monotonicMs() - context.receivedMonotonicMs;
  const { promptVersion, ...head } = headOf(call);
  const assigned = call.selection?.assignment ?? null;
  const redacted = redactedTexts(call, parts.redaction);
  const userKey = unitKeyOf(request, 'user_id', parts);
  return {
    id: head.id,
    createdAtMs: context.receivedAtMs,
    finishedAtMs: context.receivedAtMs + Math.round(totalMs),
    surface: request.surface,
    apiKeyId: context.apiKeyId,
    requestId: context.requestId,
    traceId: context.traceId,
    externalId: request.externalId,
    prompt: head.prompt,
    promptVersion,
    promptHash: head.promptHash,
    versionSource: head.versionSource,
    label: head.label,
    experiment: head.experiment,
    experimentRevision: assigned?.experimentRevision ?? null,
    arm: head.arm,
    propensity: head.propensity ?? request.assignment?.propensity ?? null,
    propensities: assigned?.propensities ?? null,
    assignedPolicyRevision: assigned?.policyRevision ?? null,
    currentPolicyRevision: call.selection?.currentPolicyRevision ?? null,
    assignment: request.assignment,
    // The unit of the experiment, where there is one; else the user.
    unitKind: assigned?.unitKind ?? (userKey === null ? null : 'user_id'),
    unitKey: assigned?.unitKey ?? userKey,
    sessionKey: unitKeyOf(request, 'session_id', parts),
    forced: head.versionSource === 'body' && head.label === null && request.assignment === null,
    degraded: answer?.degraded ?? false,
    fellBack: answer?.fellBack ?? false,
    replay: false,
    test: request.tags.includes(TEST_TAG),
    shadowOf: null,
    delivered: end.delivered,
    variables: call.variables === null ? null : parts.redaction.apply('variables', call.variables),
    profileFeatures:
      source.kind === 'messages' || source.profileFeatures === null
        ? null
        : parts.redaction.apply('profile_features', source.profileFeatures),
    messages: storedMessages(call, parts),
    metadata: request.metadata === null ? null : parts.redaction.apply('metadata', request.metadata),
    tags: request.tags,
    streamed: end.firstTokenMs !== null,
    route: head.route,
    provider: answer?.provider ?? end.partialFrom?.provider ?? null,
    modelRequested: answer?.modelRequested ?? end.partialFrom?.model ?? null,
    model: answer?.result.model ?? end.partialFrom?.model ?? null,
    parameters: { ...(answer?.parameters ?? call.routeCall.parameters) },
    attempts: end.attempts.map((attempt) => withoutRedacted(attempt, redacted)),
    repairs: end.repairs,
    finishReason: answer?.result.finishReason.unified ?? null,
    finishReasonRaw: answer?.result.finishReason.raw ?? null,
    status: end.status,
    errorCode: end.error?.code ?? null,
    inputTokens: end.usage?.inputTokens ?? null,
    outputTokens: end.usage?.outputTokens ?? null,
    cachedInputTokens: end.usage?.cachedInputTokens ?? null,
    reasoningTokens: end.usage?.reasoningTokens ?? null,
    usageRaw: end.usage?.raw ?? null,
    costNanoUsd: end.costNanoUsd,
    costSource: answer?.costSource ?? null,
    priceTableVersion: answer?.priceTableVersion ?? null,
    totalMs,
    providerMs: end.providerMs,
    overheadMs: Math.max(0, totalMs - end.providerMs),
    firstTokenMs: end.firstTokenMs,
    text: parts.storeText ? end.text : null,
    output: parts.storeText ? end.output : null,
    toolCalls: parts.storeText ? (answer?.result.toolCalls ?? []) : [],
    configHash: call.configHash,
    registryHash: call.registryHash,
    gatewayVersion: parts.gatewayVersion,
  };
}

/** What of a request may stand nowhere but with the model. */
export function redactedTexts({ request, variables }: PreparedCall, redaction: Redaction): readonly string[] {
  const { source, metadata } = request;
  const features = source.kind === 'messages' ? null : source.profileFeatures;
  return [
    ...(variables === null ? [] : redaction.texts('variables', variables)),
    ...(features === null ? [] : redaction.texts('profile_features', features)),
    ...(metadata === null ? [] : redaction.texts('metadata', metadata)),
  ];
}

function withoutRedacted(attempt: AttemptRecord, texts: readonly string[]): AttemptRecord {
  if (attempt.error === null || texts.length === 0) return attempt;
  return { ...attempt, error: withoutTexts(attempt.error, texts) };
}

/** Calls that reached an upstream; targets that were passed over are in the row too. */
export function upstreamCalls(attempts: readonly AttemptRecord[]): readonly AttemptRecord[] {
  return attempts.filter(
    ({ outcome }) => outcome !== 'skipped_open_circuit' && outcome !== 'skipped_queue_full',
  );
}

/** What the caller gets, from the row and the answer. */
export function answerOf(
  call: PreparedCall,
  record: GenerationRecord,
  answer: RouteAnswer,
  end: CallEnd,
): GenerationAnswer {
  // Field by field: copying the head into a larger object costs more than the rest of this function twenty times over.
  return {
    id: record.id,
    prompt: record.prompt,
    promptVersion: record.promptVersion,
    promptHash: record.promptHash,
    versionSource: record.versionSource,
    label: record.label,
    experiment: record.experiment,
    arm: record.arm,
    route: call.route.name,
    propensity: record.propensity,
    createdAtMs: record.createdAtMs,
    text: end.text ?? '',
    output: end.output,
    toolCalls: answer.result.toolCalls,
    provider: answer.provider,
    model: answer.result.model,
    degraded: answer.degraded,
    finishReason: answer.result.finishReason.unified,
    usage: {
      inputTokens: record.inputTokens,
      outputTokens: record.outputTokens,
      cachedInputTokens: record.cachedInputTokens,
      reasoningTokens: record.reasoningTokens,
    },
    costNanoUsd: record.costNanoUsd,
    latencyMs: Math.round(record.totalMs),
    attempts: upstreamCalls(end.attempts).length,
    recorded: true,
    rawMessage: answer.result.rawMessage,
    logprobs: answer.result.logprobs ?? null,
  };
}

/** Rendered prompts can be rendered again from their variables; what was passed through cannot. */
function storedMessages(call: PreparedCall, parts: RecordParts): readonly unknown[] | null {
  const { source } = call.request;
  if (!parts.storeText || source.messages.length === 0) return null;
  return source.messages;
}
