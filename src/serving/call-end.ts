import type { AppError } from '../kernel/index.ts';
import type { RouteAnswer, RouteRefusal, Usage } from '../providers/index.ts';
import type { CallEnd } from './generation-record.ts';

/** How much two route calls of one generation add up to. */
export interface Spent {
  readonly usage: Usage;
  readonly costNanoUsd: number | null;
  readonly repairs: number;
  /** Earlier route calls of the same generation. */
  readonly before: { readonly attempts: RouteAnswer['attempts']; readonly providerMs: number } | null;
}

export function spentOn(answer: RouteAnswer): Spent {
  return { usage: answer.result.usage, costNanoUsd: answer.costNanoUsd, repairs: 0, before: null };
}

/** Answered whole. `delivered` false: the caller had left before the answer was there. */
export function okEnd(answer: RouteAnswer, output: unknown, spent: Spent, delivered: boolean): CallEnd {
  return {
    status: delivered ? 'ok' : 'client_closed',
    delivered,
    answer,
    error: null,
    text: answer.result.text,
    output,
    firstTokenMs: answer.firstTokenMs,
    partialFrom: null,
    ...totals(answer, spent),
  };
}

/** Answered, but what came cannot be given to the caller: the row keeps the text for whoever looks into it. */
export function unfitEnd(answer: RouteAnswer, error: AppError, spent: Spent): CallEnd {
  return {
    status: error.code === 'client_closed' ? 'client_closed' : 'error',
    delivered: false,
    answer,
    error,
    text: answer.result.text,
    output: null,
    firstTokenMs: answer.firstTokenMs,
    partialFrom: null,
    ...totals(answer, spent),
  };
}

/** No provider answered, or a stream broke off. */
export function failedEnd(refusal: RouteRefusal): CallEnd {
  const { error, partial } = refusal;
  const closed = error.code === 'client_closed';
  return {
    status: closed ? 'client_closed' : partial === null ? 'error' : 'incomplete',
    delivered: false,
    answer: null,
    error,
    attempts: refusal.attempts,
    providerMs: refusal.providerMs,
    repairs: 0,
    usage: partial?.usage ?? null,
    costNanoUsd: null,
    text: partial?.text ?? null,
    output: null,
    firstTokenMs: partial?.firstTokenMs ?? null,
    partialFrom: partial === null ? null : { provider: partial.provider, model: partial.model },
  };
}

function totals(
  answer: RouteAnswer,
  spent: Spent,
): Pick<CallEnd, 'attempts' | 'providerMs' | 'repairs' | 'usage' | 'costNanoUsd'> {
  return {
    attempts: [...(spent.before?.attempts ?? []), ...answer.attempts],
    providerMs: (spent.before?.providerMs ?? 0) + answer.providerMs,
    repairs: spent.repairs,
    usage: spent.usage,
    costNanoUsd: spent.costNanoUsd,
  };
}
