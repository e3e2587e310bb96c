import { AppError } from '../kernel/index.ts';
import type { OutputCheck, PromptVersion } from '../prompts/index.ts';
import type { RouteAnswer, Usage } from '../providers/index.ts';

/** The answer's output by the prompt's `output`; a pass-through call and a tool call have none. */
export function checkAnswer(version: PromptVersion | null, answer: RouteAnswer): OutputCheck {
  if (version === null || version.outputFormat !== 'json' || answer.result.toolCalls.length > 0) {
    return { ok: true, value: null };
  }
  return version.checkOutput(answer.result.text);
}

/** The refusal after the repair attempt failed too. */
export function unfitOutput(version: PromptVersion, check: Extract<OutputCheck, { ok: false }>): AppError {
  return new AppError(
    'provider_bad_response',
    `the model's answer does not fit output.schema of ${version.prompt}@${version.version}, also after one repair attempt`,
    { faults: check.faults },
  );
}

/** Token counts of two answers of one call. Unknown in either means unknown in the sum. */
export function addUsage(first: Usage, second: Usage): Usage {
  return {
    inputTokens: sum(first.inputTokens, second.inputTokens),
    outputTokens: sum(first.outputTokens, second.outputTokens),
    cachedInputTokens: sum(first.cachedInputTokens, second.cachedInputTokens),
    reasoningTokens: sum(first.reasoningTokens, second.reasoningTokens),
    raw: [first.raw, second.raw],
  };
}

export function addCost(first: number | null, second: number | null): number | null {
  return sum(first, second);
}

function sum(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}
