import type { ToolCall } from '../../kernel/index.ts';
import { asCount, isObject, malformed, requireShallow, statedCostNanoUsd } from '../answer-shape.ts';
import { errorWithin200 } from '../failure/index.ts';
import {
  type FinishReason,
  type ModelResult,
  UNKNOWN_USAGE,
  type UnifiedFinishReason,
  type Usage,
} from '../language-model.ts';

const FINISH_REASONS: Readonly<Record<string, UnifiedFinishReason>> = {
  stop: 'stop',
  eos: 'stop',
  end_turn: 'stop',
  stop_sequence: 'stop',
  length: 'length',
  max_tokens: 'length',
  tool_calls: 'tool_calls',
  function_call: 'tool_calls',
  tool_use: 'tool_calls',
  content_filter: 'content_filter',
};

export function fromOpenAiFinishReason(raw: unknown): FinishReason {
  if (typeof raw !== 'string' || raw === '') return { unified: 'other', raw: null };
  return { unified: FINISH_REASONS[raw] ?? 'other', raw };
}

/** Fails with `bad_response` when a count is there but is no count. */
export function fromOpenAiUsage(raw: unknown): Usage {
  if (raw === undefined || raw === null) return UNKNOWN_USAGE;
  if (!isObject(raw)) throw malformed('usage is not an object');
  requireShallow(raw, 'usage');
  const inputDetails = isObject(raw['prompt_tokens_details']) ? raw['prompt_tokens_details'] : {};
  const outputDetails = isObject(raw['completion_tokens_details']) ? raw['completion_tokens_details'] : {};
  return {
    inputTokens: asCount(raw['prompt_tokens'], 'usage.prompt_tokens'),
    outputTokens: asCount(raw['completion_tokens'], 'usage.completion_tokens'),
    cachedInputTokens: asCount(inputDetails['cached_tokens'], 'usage.prompt_tokens_details.cached_tokens'),
    reasoningTokens: asCount(
      outputDetails['reasoning_tokens'],
      'usage.completion_tokens_details.reasoning_tokens',
    ),
    raw,
  };
}

/** Cost that the upstream states: LiteLLM's `x-litellm-response-cost` (whole answers) or `usage.cost` (its streams; OpenRouter too). */
export function fromStatedCost(header: string | null, usage: unknown): number | null {
  const stated = header === null || header.trim() === '' ? costInUsage(usage) : Number(header);
  return statedCostNanoUsd(stated);
}

function costInUsage(usage: unknown): number | null {
  return isObject(usage) && typeof usage['cost'] === 'number' ? usage['cost'] : null;
}

/** A whole answer of `POST /chat/completions`. Fails with `bad_response` on any other shape, or with the class of the error it holds. */
export function fromOpenAiCompletion(
  body: unknown,
  context: {
    readonly modelRequested: string;
    readonly costHeader: string | null;
    readonly secret: string | null;
  },
): ModelResult {
  if (!isObject(body)) throw malformed('the answer is not a chat completion');
  // OpenRouter, for one, answers 200 before it knows that its own upstream will fail.
  if (isObject(body['error'])) throw errorWithin200(body, context.secret);
  const choices = body['choices'];
  const choice: unknown = Array.isArray(choices) ? choices[0] : undefined;
  if (!isObject(choice) || !isObject(choice['message']))
    throw malformed('the answer has no choices[0].message');
  requireShallow(choice, 'choices[0]');
  const message = choice['message'];
  const text = textOfContent(message['content']);
  const toolCalls = fromOpenAiToolCalls(message['tool_calls']);
  const refused = text === '' && typeof message['refusal'] === 'string' && message['refusal'] !== '';
  const logprobs = choice['logprobs'];
  return {
    text,
    toolCalls,
    model: modelName(body['model'], context.modelRequested),
    finishReason: refused ? REFUSAL : fromOpenAiFinishReason(choice['finish_reason']),
    usage: fromOpenAiUsage(body['usage']),
    upstreamCostNanoUsd: fromStatedCost(context.costHeader, body['usage']),
    upstreamId: typeof body['id'] === 'string' ? body['id'] : null,
    rawMessage: message,
    ...(logprobs === undefined || logprobs === null ? {} : { logprobs }),
  };
}

/** The model declined in words of its own field, with an ordinary finish reason. */
export const REFUSAL: FinishReason = { unified: 'content_filter', raw: 'refusal' };

export function modelName(stated: unknown, requested: string): string {
  return typeof stated === 'string' && stated !== '' ? stated : requested;
}

function textOfContent(content: unknown): string {
  if (content === undefined || content === null) return '';
  if (typeof content === 'string') return content;
  if (Array.isArray(content)) {
    // Mistral and a few proxies answer in content parts.
    return content
      .map((part: unknown) => (isObject(part) && typeof part['text'] === 'string' ? part['text'] : ''))
      .join('');
  }
  throw malformed('message.content is neither text nor parts');
}

function fromOpenAiToolCalls(raw: unknown): readonly ToolCall[] {
  if (raw === undefined || raw === null) return [];
  if (!Array.isArray(raw)) throw malformed('message.tool_calls is not a list');
  return raw.map((call: unknown, index) => {
    const fn = isObject(call) ? call['function'] : undefined;
    if (!isObject(call) || !isObject(fn) || typeof fn['name'] !== 'string') {
      throw malformed(`message.tool_calls[${index}] has no function name`);
    }
    return {
      id: typeof call['id'] === 'string' ? call['id'] : `call_${index}`,
      name: fn['name'],
      argumentsText: argumentsText(fn['arguments']),
    };
  });
}

/** Ollama once sent parsed arguments instead of JSON text. */
export function argumentsText(raw: unknown): string {
  if (typeof raw === 'string') return raw;
  return raw === undefined || raw === null ? '' : JSON.stringify(raw);
}
