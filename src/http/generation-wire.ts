import type { ChatMessage, ModelParameters, ToolCall } from '../kernel/index.ts';
import { usdFromNanoUsd } from '../kernel/index.ts';
import type { CallTiming, DryRun, GenerationAnswer, GenerationHead } from '../serving/index.ts';
import { timingHeader } from './timing-header.ts';

/** The mapping of generations from records to the wire: one function per shape. */

export function headToWire(head: GenerationHead) {
  return {
    id: head.id,
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

export function answerToWire(answer: GenerationAnswer) {
  return {
    id: answer.id,
    text: answer.text,
    output: answer.output ?? null,
    ...(answer.toolCalls.length === 0
      ? {}
      : {
          tool_calls: answer.toolCalls.map(toolCallToWire),
        }),
    prompt: answer.prompt,
    prompt_version: answer.promptVersion,
    prompt_hash: answer.promptHash,
    version_source: answer.versionSource,
    label: answer.label,
    experiment: answer.experiment,
    arm: answer.arm,
    propensity: answer.propensity,
    route: answer.route,
    provider: answer.provider,
    model: answer.model,
    degraded: answer.degraded,
    finish_reason: answer.finishReason,
    usage: {
      input_tokens: answer.usage.inputTokens,
      output_tokens: answer.usage.outputTokens,
      cached_input_tokens: answer.usage.cachedInputTokens,
      reasoning_tokens: answer.usage.reasoningTokens,
    },
    cost_usd: usdFromNanoUsd(answer.costNanoUsd),
    latency_ms: answer.latencyMs,
    attempts: answer.attempts,
    recorded: answer.recorded,
    created_at: new Date(answer.createdAtMs).toISOString(),
  };
}

export function dryRunToWire(dryRun: DryRun) {
  return {
    dry_run: true,
    prompt: dryRun.prompt,
    prompt_version: dryRun.promptVersion,
    prompt_hash: dryRun.promptHash,
    version_source: dryRun.versionSource,
    label: dryRun.label,
    experiment: dryRun.experiment,
    arm: dryRun.arm,
    propensity: dryRun.propensity,
    messages: dryRun.messages.map(messageToWire),
    variables: dryRun.variables,
    route: dryRun.route,
    model: dryRun.model,
    targets: dryRun.targets.map(({ provider, model }) => ({ provider, model })),
    parameters: parametersToWire(dryRun.parameters),
  };
}

function toolCallToWire({ id, name, argumentsText }: ToolCall) {
  return { id, name, arguments: argumentsText };
}

/** Text-only messages as a string, others as parts: what an OpenAI client would write. */
export function messageToWire(message: ChatMessage) {
  const isText = message.content.every((part) => part.kind === 'text');
  const content = isText
    ? message.content.map((part) => (part.kind === 'text' ? part.text : '')).join('')
    : message.content.map((part) =>
        part.kind === 'text'
          ? { type: 'text', text: part.text }
          : { type: 'media', url: part.url, content_type: part.contentType },
      );
  return {
    role: message.role,
    content,
    ...(message.role === 'tool' ? { tool_call_id: message.toolCallId } : {}),
    ...(message.role === 'assistant' && message.toolCalls !== undefined
      ? { tool_calls: message.toolCalls.map(toolCallToWire) }
      : {}),
  };
}

export function parametersToWire(parameters: ModelParameters): Record<string, unknown> {
  // `undefined` members vanish in JSON: not set stays not set.
  return {
    temperature: parameters.temperature,
    top_p: parameters.topP,
    top_k: parameters.topK,
    max_output_tokens: parameters.maxOutputTokens,
    stop: parameters.stopSequences,
    seed: parameters.seed,
    frequency_penalty: parameters.frequencyPenalty,
    presence_penalty: parameters.presencePenalty,
  };
}

export function serverTiming(timing: CallTiming): string {
  return timingHeader([
    ['render', timing.renderMs],
    ['provider', timing.providerMs],
    ['db', timing.commitMs],
    ['total', timing.totalMs],
  ]);
}
