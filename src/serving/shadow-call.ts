import { AppError, type Clock, type Ids, type Random } from '../kernel/index.ts';
import type { GenerationRecord } from '../ledger/index.ts';
import type { PromptVersion } from '../prompts/index.ts';
import type { Routes } from '../providers/index.ts';
import { failedEnd } from './call-end.ts';
import { type CallEnd, generationRecord, type RecordParts, upstreamCalls } from './generation-record.ts';
import { type PreparedCall, renderedCall } from './prepare-call.ts';
import { runCall, runStreamedCall } from './run-call.ts';
import type { FinishedShadow } from './shadow-pair.ts';
import type { LiveCall, PromptShadowRule } from './shadow-types.ts';
import type { GenerateRequest } from './types.ts';

export interface ShadowCallParts extends RecordParts {
  /** Of the shadow calls alone: a failing candidate must not open a circuit of the live ones. */
  readonly routes: () => Routes;
  /** Of the configuration in force. */
  readonly configHash: () => string;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly random: Random;
}

interface ShadowCallInput {
  readonly rule: PromptShadowRule;
  readonly live: LiveCall;
  readonly candidate: PromptVersion;
  /** Of the registry that the candidate is from. */
  readonly registryHash: string;
}

/**
 * The live call once more on the rule's candidate, the same way from rendering to the check of its output. Whatever goes
 * wrong becomes part of its record. Null: `stop` aborted it.
 */
export async function runShadowCall(
  input: ShadowCallInput,
  stop: AbortSignal,
  parts: ShadowCallParts,
): Promise<FinishedShadow | null> {
  const { rule, live } = input;
  const deadline = new AbortController();
  const signal = AbortSignal.any([stop, deadline.signal]);
  const limited = rule.timeoutMs === null ? null : expireAfter(rule.timeoutMs, deadline, signal, parts.clock);
  const undecided = undecidedCall(input, parts);
  let call = undecided;
  let end: CallEnd;
  try {
    call = render(undecided, parts);
    end = await (live.record.streamed ? runStreamedCall(call, signal) : runCall(call, signal));
  } catch (error) {
    end = brokenEnd(error);
  } finally {
    limited?.abort();
  }
  if (stop.aborted) return null;
  const timedOut = deadline.signal.aborted && end.status === 'client_closed';
  if (timedOut) end = { ...end, status: 'error', error: tooSlow(rule), delivered: false };
  return {
    call,
    end,
    record: shadowRecord(call, end, live, parts),
    charged: timedOut || upstreamCalls(end.attempts).length > 0,
  };
}

/** Aborts `deadline` after a while; the controller returned calls it off. */
function expireAfter(
  timeoutMs: number,
  deadline: AbortController,
  ended: AbortSignal,
  clock: Clock,
): AbortController {
  const off = new AbortController();
  void clock.sleep(timeoutMs, AbortSignal.any([off.signal, ended])).then(() => {
    if (!off.signal.aborted && !ended.aborted) deadline.abort();
  });
  return off;
}

/** The candidate's call before it is rendered: what its row says when rendering fails. */
function undecidedCall(
  { rule, live, candidate, registryHash }: ShadowCallInput,
  parts: ShadowCallParts,
): PreparedCall {
  const request: GenerateRequest = {
    ...live.call.request,
    context: {
      ...live.call.request.context,
      receivedAtMs: parts.clock.nowMs(),
      receivedMonotonicMs: parts.clock.monotonicMs(),
    },
    route: rule.route ?? live.call.route.name,
    model: rule.model ?? live.call.request.model,
    externalId: null,
    assignment: null,
    idempotency: null,
  };
  return {
    ...live.call,
    configHash: parts.configHash(),
    registryHash,
    id: parts.ids.next('gen'),
    request,
    selection: {
      version: candidate,
      source: 'body',
      label: null,
      assignment: null,
      currentPolicyRevision: null,
      leftOut: null,
    },
    variables: request.source.kind === 'prompt' ? request.source.variables : null,
    route: parts.routes().get(request.route ?? live.call.route.name),
    routeCall: { ...live.call.routeCall, parameters: candidate.parameters },
  };
}

function render(call: PreparedCall, parts: ShadowCallParts): PreparedCall {
  const { source } = call.request;
  if (source.kind !== 'prompt' || call.selection === null) {
    throw new AppError('internal', 'only a call of a prompt can be shadowed');
  }
  const startedMs = parts.clock.monotonicMs();
  const { id, request, selection, configHash, registryHash, route } = call;
  return renderedCall({ id, request, selection, configHash, registryHash, route, startedMs }, source, parts);
}

/** The row of a shadow call: nobody saw it, nobody chose its version, and it earns nothing. */
function shadowRecord(
  call: PreparedCall,
  end: CallEnd,
  live: LiveCall,
  parts: ShadowCallParts,
): GenerationRecord {
  return {
    ...generationRecord(call, end, parts),
    shadowOf: live.record.id,
    delivered: false,
    forced: false,
    versionSource: null,
  };
}

function brokenEnd(error: unknown): CallEnd {
  const known =
    error instanceof AppError ? error : new AppError('internal', 'the shadow call broke', { cause: error });
  return failedEnd({ kind: 'failed', error: known, attempts: [], providerMs: 0, partial: null });
}

function tooSlow({ name, timeoutMs }: PromptShadowRule): AppError {
  return new AppError('provider_timeout', `no answer within the ${timeoutMs} ms of the shadow rule ${name}`);
}
