import type { ToolCall } from '../../kernel/index.ts';
import { isObject, malformed, requireShallow } from '../answer-shape.ts';
import type { FinishReason, ModelResult, ModelStreamEvent, Usage } from '../language-model.ts';
import {
  argumentsText,
  fromOpenAiFinishReason,
  fromOpenAiUsage,
  fromStatedCost,
  modelName,
  REFUSAL,
} from './openai-answer.ts';

interface PartialCall {
  id: string;
  name: string;
  argumentsText: string;
}

/** Folds the chunks of one stream into events and, at the end, the whole result. */
export class OpenAiStreamCollector {
  readonly #modelRequested: string;
  readonly #calls = new Map<number, PartialCall>();
  #text = '';
  #refused = false;
  #model: string | null = null;
  #upstreamId: string | null = null;
  #finishReason: FinishReason | null = null;
  #usage: Usage | null = null;
  #costNanoUsd: number | null = null;
  #logprobs: unknown[] | null = null;

  constructor(modelRequested: string) {
    this.#modelRequested = modelRequested;
  }

  get text(): string {
    return this.#text;
  }

  get usage(): Usage | null {
    return this.#usage;
  }

  /** True once the upstream said why it stopped: what follows is bookkeeping. */
  get finished(): boolean {
    return this.#finishReason !== null;
  }

  /** The events one chunk stands for; most chunks make one, bookkeeping makes none. */
  add(chunk: unknown): readonly ModelStreamEvent[] {
    if (!isObject(chunk)) throw malformed('a stream event is not an object');
    if (this.#model === null && typeof chunk['model'] === 'string') this.#model = chunk['model'];
    if (this.#upstreamId === null && typeof chunk['id'] === 'string') this.#upstreamId = chunk['id'];
    if (chunk['usage'] !== undefined && chunk['usage'] !== null) {
      this.#usage = fromOpenAiUsage(chunk['usage']);
      this.#costNanoUsd = fromStatedCost(null, chunk['usage']) ?? this.#costNanoUsd;
    }
    // The usage chunk may have no choice, or one with an empty delta.
    const choices = chunk['choices'];
    if (choices === undefined || choices === null) return NO_EVENTS;
    if (!Array.isArray(choices)) throw malformed('choices of a stream event is not a list');
    const choice: unknown = choices[0];
    if (choice === undefined) return NO_EVENTS;
    if (!isObject(choice)) throw malformed('choices[0] of a stream event is not an object');
    if (choice['finish_reason'] !== undefined && choice['finish_reason'] !== null) {
      this.#finishReason = fromOpenAiFinishReason(choice['finish_reason']);
    }
    this.#addLogprobs(choice['logprobs']);
    const delta = choice['delta'];
    return isObject(delta) ? this.#addDelta(delta) : NO_EVENTS;
  }

  result(): ModelResult {
    const toolCalls: ToolCall[] = [...this.#calls.entries()]
      .sort(([a], [b]) => a - b)
      .map(([, call]) => ({ ...call }));
    const finishReason =
      this.#refused && this.#text === '' ? REFUSAL : (this.#finishReason ?? fromOpenAiFinishReason(null));
    return {
      text: this.#text,
      toolCalls,
      model: modelName(this.#model, this.#modelRequested),
      finishReason,
      usage: this.#usage ?? fromOpenAiUsage(undefined),
      upstreamCostNanoUsd: this.#costNanoUsd,
      upstreamId: this.#upstreamId,
      rawMessage: null,
      ...(this.#logprobs === null ? {} : { logprobs: { content: this.#logprobs } }),
    };
  }

  #addDelta(delta: Record<string, unknown>): readonly ModelStreamEvent[] {
    const content = delta['content'];
    const calls = delta['tool_calls'];
    if (typeof delta['refusal'] === 'string' && delta['refusal'] !== '') this.#refused = true;
    if (typeof content === 'string' && content !== '') {
      this.#text += content;
      if (!Array.isArray(calls)) return [{ kind: 'text', text: content }];
      return [{ kind: 'text', text: content }, ...this.#addToolCalls(calls)];
    }
    return Array.isArray(calls) ? this.#addToolCalls(calls) : NO_EVENTS;
  }

  #addToolCalls(deltas: readonly unknown[]): ModelStreamEvent[] {
    return deltas.map((delta, position) => {
      if (!isObject(delta)) throw malformed('a tool call delta is not an object');
      const index = typeof delta['index'] === 'number' ? delta['index'] : position;
      const fn = isObject(delta['function']) ? delta['function'] : {};
      const argumentsDelta = argumentsText(fn['arguments']);
      const known = this.#calls.get(index);
      if (known !== undefined) {
        known.argumentsText += argumentsDelta;
        return { kind: 'tool_call', index, argumentsDelta };
      }
      const id = typeof delta['id'] === 'string' ? delta['id'] : `call_${index}`;
      if (typeof fn['name'] !== 'string') throw malformed('a tool call begins without a function name');
      this.#calls.set(index, { id, name: fn['name'], argumentsText: argumentsDelta });
      return { kind: 'tool_call', index, id, name: fn['name'], argumentsDelta };
    });
  }

  #addLogprobs(raw: unknown): void {
    if (!isObject(raw) || !Array.isArray(raw['content'])) return;
    requireShallow(raw, 'logprobs of a stream event');
    this.#logprobs ??= [];
    for (const entry of raw['content']) this.#logprobs.push(entry);
  }
}

const NO_EVENTS: readonly ModelStreamEvent[] = [];
