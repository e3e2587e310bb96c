import { AppError } from '../kernel/index.ts';
import { failedEnd, okEnd, spentOn, unfitEnd } from './call-end.ts';
import type { CallEnd } from './generation-record.ts';
import { type PreparedCall, repairCall } from './prepare-call.ts';
import { addCost, addUsage, checkAnswer, unfitOutput } from './structured-output.ts';

/** One route call, and a second one when structured output needs its repair attempt. */
export async function runCall(call: PreparedCall, signal: AbortSignal): Promise<CallEnd> {
  const first = await call.route.generate(call.routeCall, signal);
  if (first.kind === 'failed') return failedEnd(first);
  const version = call.selection?.version ?? null;
  const check = checkAnswer(version, first);
  if (check.ok) return okEnd(first, check.value, spentOn(first), !signal.aborted);
  if (version === null) throw new AppError('internal', 'output checked without a prompt version');

  const second = await call.route.generate(repairCall(call, first.result.text, check.faults), signal);
  const before = { attempts: first.attempts, providerMs: first.providerMs };
  if (second.kind === 'failed') {
    const error = second.error.code === 'client_closed' ? second.error : unfitOutput(version, check);
    const attempts = [...first.attempts, ...second.attempts];
    const providerMs = first.providerMs + second.providerMs;
    return { ...unfitEnd(first, error, { ...spentOn(first), repairs: 1 }), attempts, providerMs };
  }
  const spent = {
    usage: addUsage(first.result.usage, second.result.usage),
    costNanoUsd: addCost(first.costNanoUsd, second.costNanoUsd),
    repairs: 1,
    before,
  };
  const recheck = checkAnswer(version, second);
  return recheck.ok
    ? okEnd(second, recheck.value, spent, !signal.aborted)
    : unfitEnd(second, unfitOutput(version, recheck), spent);
}

/** A stream read to its end with nobody listening: as a live stream, without a repair attempt. */
export async function runStreamedCall(call: PreparedCall, signal: AbortSignal): Promise<CallEnd> {
  for await (const event of call.route.stream(call.routeCall, signal)) {
    if (event.kind !== 'outcome') continue;
    const { outcome } = event;
    if (outcome.kind === 'failed') return failedEnd(outcome);
    const check = checkAnswer(call.selection?.version ?? null, outcome);
    return okEnd(outcome, check.ok ? check.value : null, spentOn(outcome), !signal.aborted);
  }
  throw new AppError('internal', 'a stream ended without its outcome');
}
