import { sha256Hex } from '../kernel/index.ts';
import type { ShadowPair, ShadowSide } from '../ledger/index.ts';
import type { LiveCall, PromptShadowRule } from './shadow-types.ts';
import { checkAnswer } from './structured-output.ts';

/** Hexadecimal digits of a hash that make a number which a double holds exactly. */
const SAMPLE_DIGITS = 12;

/** Whether a rule samples the live call of that id: the same call is sampled alike whenever it is asked. */
export function isSampled(rule: string, liveId: string, share: number): boolean {
  const drawn = Number.parseInt(sha256Hex(`${rule}\n${liveId}`).slice(0, SAMPLE_DIGITS), 16);
  return drawn < share * 16 ** SAMPLE_DIGITS;
}

/** A shadow call that ran to its end. */
export interface FinishedShadow extends LiveCall {
  /** It may have been charged for although its row has no cost. */
  readonly charged: boolean;
}

/** The pair of a live call and its shadow. */
export function shadowPair(rule: PromptShadowRule, live: LiveCall, shadow: FinishedShadow): ShadowPair {
  return {
    rule: rule.name,
    ruleRevision: rule.revision,
    changes: rule.changes,
    prompt: rule.prompt,
    createdAtMs: shadow.record.createdAtMs,
    live: sideOf(live),
    shadow: sideOf(shadow),
    charged: shadow.charged,
    agrees: null,
  };
}

function sideOf({ call, end, record }: LiveCall): ShadowSide {
  const version = call.selection?.version ?? null;
  // A tool call and a call without an answer have no output to check.
  const isChecked =
    version?.outputFormat === 'json' && end.answer !== null && end.answer.result.toolCalls.length === 0;
  return {
    id: record.id,
    version: record.promptVersion ?? '',
    hash: record.promptHash ?? '',
    route: record.route,
    model: record.model,
    status: record.status,
    errorCode: record.errorCode,
    degraded: record.degraded,
    schemaOk: isChecked && end.answer !== null ? checkAnswer(version, end.answer).ok : null,
    totalMs: record.totalMs,
    costNanoUsd: record.costNanoUsd,
    inputTokens: record.inputTokens,
    outputTokens: record.outputTokens,
  };
}
