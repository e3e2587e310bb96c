import { usdFromNanoUsd } from '../kernel/index.ts';
import type { GenerationAnswer, GenerationHead } from '../serving/index.ts';

/** Answers in OpenAI's shapes. */

export function chatCompletion(answer: GenerationAnswer) {
  const usage = chatUsage(answer);
  return {
    id: answer.id,
    object: 'chat.completion',
    created: Math.floor(answer.createdAtMs / 1_000),
    model: answer.model,
    choices: [
      {
        index: 0,
        message: chatMessageOf(answer),
        logprobs: answer.logprobs ?? null,
        finish_reason: chatFinishReason(answer.finishReason),
      },
    ],
    ...(usage === null ? {} : { usage }),
    gateway: gatewayFields(answer),
  };
}

/** The upstream's own message keeps fields we have no word for (pass-through); rendered prompts build theirs. */
function chatMessageOf(answer: GenerationAnswer): object {
  if (answer.rawMessage !== null && answer.prompt === null)
    return { role: 'assistant', ...answer.rawMessage };
  const hasToolCalls = answer.toolCalls.length > 0;
  return {
    role: 'assistant',
    content: hasToolCalls && answer.text === '' ? null : answer.text,
    refusal: null,
    ...(hasToolCalls
      ? {
          tool_calls: answer.toolCalls.map((call) => ({
            id: call.id,
            type: 'function',
            function: { name: call.name, arguments: call.argumentsText },
          })),
        }
      : {}),
  };
}

/** Null unless both counts are known: a client would read a missing one as 0. */
export function chatUsage({ usage }: Pick<GenerationAnswer, 'usage'>) {
  const { inputTokens, outputTokens, cachedInputTokens, reasoningTokens } = usage;
  if (inputTokens === null || outputTokens === null) return null;
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    ...(cachedInputTokens === null ? {} : { prompt_tokens_details: { cached_tokens: cachedInputTokens } }),
    ...(reasoningTokens === null ? {} : { completion_tokens_details: { reasoning_tokens: reasoningTokens } }),
  };
}

/** OpenAI's clients know five reasons; any other one means that the model stopped. */
export function chatFinishReason(finishReason: string): string {
  return finishReason === 'length' || finishReason === 'tool_calls' || finishReason === 'content_filter'
    ? finishReason
    : 'stop';
}

export function headFieldsOf(head: GenerationHead) {
  return {
    prompt: head.prompt,
    prompt_version: head.promptVersion,
    prompt_hash: head.promptHash,
    version_source: head.versionSource,
    label: head.label,
    experiment: head.experiment,
    arm: head.arm,
    propensity: head.propensity,
    route: head.route,
  };
}

export function gatewayFields(answer: GenerationAnswer) {
  return {
    ...headFieldsOf(answer),
    provider: answer.provider,
    degraded: answer.degraded,
    cost_usd: usdFromNanoUsd(answer.costNanoUsd),
    latency_ms: answer.latencyMs,
    attempts: answer.attempts,
    recorded: answer.recorded,
    output: answer.output ?? null,
  };
}
