import type { ToolCall } from '../../kernel/index.ts';
import { asCount, isObject, malformed, requireShallow, statedCostNanoUsd } from '../answer-shape.ts';
import type { FinishReason, ModelResult, UnifiedFinishReason, Usage } from '../language-model.ts';

const STOP_REASONS: Readonly<Record<string, UnifiedFinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
};

/** With structured output by a forced tool, the call of that tool is the answer and not a wish. */
export function fromAnthropicStopReason(raw: unknown, outputTool: string | null): FinishReason {
  if (typeof raw !== 'string' || raw === '') return { unified: 'other', raw: null };
  if (raw === 'tool_use' && outputTool !== null) return { unified: 'stop', raw };
  return { unified: STOP_REASONS[raw] ?? 'other', raw };
}

/**
 * Fails with `bad_response` when a count is there but is no count. `input_tokens` leaves out what was read from or
 * written to the cache; the sum is what a prompt holds.
 */
export function fromAnthropicUsage(raw: Readonly<Record<string, unknown>>): Usage {
  requireShallow(raw, 'usage');
  const input = asCount(raw['input_tokens'], 'usage.input_tokens');
  const read = asCount(raw['cache_read_input_tokens'], 'usage.cache_read_input_tokens');
  const written = asCount(raw['cache_creation_input_tokens'], 'usage.cache_creation_input_tokens');
  const details = isObject(raw['output_tokens_details']) ? raw['output_tokens_details'] : {};
  return {
    inputTokens: input === null ? null : input + (read ?? 0) + (written ?? 0),
    outputTokens: asCount(raw['output_tokens'], 'usage.output_tokens'),
    cachedInputTokens: read,
    reasoningTokens: asCount(details['thinking_tokens'], 'usage.output_tokens_details.thinking_tokens'),
    raw,
  };
}

/** LiteLLM in front of this API says what a call cost. */
function fromCostHeader(header: string | null): number | null {
  return statedCostNanoUsd(header === null || header.trim() === '' ? null : Number(header));
}

export const UNSTATED_USAGE: Usage = fromAnthropicUsage({});

/** A whole answer of `POST /v1/messages`. Fails with `bad_response` on any other shape. */
export function fromAnthropicMessage(
  body: unknown,
  context: {
    readonly modelRequested: string;
    readonly costHeader: string | null;
    readonly outputTool: string | null;
  },
): ModelResult {
  if (!isObject(body) || !Array.isArray(body['content']))
    throw malformed('the answer is not a message with content');
  let text = '';
  const toolCalls: ToolCall[] = [];
  for (const block of body['content'] as readonly unknown[]) {
    if (!isObject(block)) throw malformed('a content block is not an object');
    if (block['type'] === 'text') {
      if (typeof block['text'] !== 'string') throw malformed('a text block has no text');
      text += block['text'];
    } else if (block['type'] === 'tool_use') {
      const { id, name } = block;
      if (typeof id !== 'string' || typeof name !== 'string')
        throw malformed('a tool_use block has no id or name');
      const argumentsText = JSON.stringify(block['input'] ?? {});
      if (name === context.outputTool) text += argumentsText;
      else toolCalls.push({ id, name, argumentsText });
    }
  }
  const { usage } = body;
  if (usage !== undefined && usage !== null && !isObject(usage)) throw malformed('usage is not an object');
  return {
    text,
    toolCalls,
    model: typeof body['model'] === 'string' && body['model'] !== '' ? body['model'] : context.modelRequested,
    finishReason: fromAnthropicStopReason(body['stop_reason'], context.outputTool),
    usage: isObject(usage) ? fromAnthropicUsage(usage) : { ...UNSTATED_USAGE, raw: null },
    upstreamCostNanoUsd: fromCostHeader(context.costHeader),
    upstreamId: typeof body['id'] === 'string' ? body['id'] : null,
    rawMessage: null,
  };
}
