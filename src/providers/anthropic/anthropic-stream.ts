import type { ToolCall } from '../../kernel/index.ts';
import { isObject, malformed } from '../answer-shape.ts';
import type { ModelResult, ModelStreamEvent, Usage } from '../language-model.ts';
import { fromAnthropicStopReason, fromAnthropicUsage, UNSTATED_USAGE } from './anthropic-answer.ts';

interface PartialCall {
  /** Position among the calls of the answer; -1 for the tool that carries structured output. */
  readonly position: number;
  readonly id: string;
  readonly name: string;
  /** Arguments that came with the start of the block, for upstreams that send no deltas. */
  readonly startInput: unknown;
  argumentsText: string;
}

/** Folds the events of one stream into ours and, at the end, the whole result. */
export class AnthropicStreamCollector {
  readonly #modelRequested: string;
  readonly #outputTool: string | null;
  readonly #callByBlock = new Map<number, PartialCall>();
  #text = '';
  #model: string | null = null;
  #upstreamId: string | null = null;
  #stopReason: string | null = null;
  #usage: Readonly<Record<string, unknown>> | null = null;

  constructor(modelRequested: string, outputTool: string | null) {
    this.#modelRequested = modelRequested;
    this.#outputTool = outputTool;
  }

  get text(): string {
    return this.#text;
  }

  get usage(): Usage | null {
    return this.#usage === null ? null : fromAnthropicUsage(this.#usage);
  }

  /** True once the upstream said why it stopped. */
  get finished(): boolean {
    return this.#stopReason !== null;
  }

  /** The event one upstream event stands for; null for bookkeeping. */
  add(event: unknown): ModelStreamEvent | null {
    if (!isObject(event)) throw malformed('a stream event is not an object');
    switch (event['type']) {
      case 'message_start':
        if (isObject(event['message'])) this.#start(event['message']);
        return null;
      case 'content_block_start':
        return this.#startBlock(event['index'], event['content_block']);
      case 'content_block_delta':
        return this.#addDelta(event['index'], event['delta']);
      case 'content_block_stop':
        return this.#endBlock(event['index']);
      case 'message_delta': {
        const { delta, usage } = event;
        if (isObject(delta) && typeof delta['stop_reason'] === 'string')
          this.#stopReason = delta['stop_reason'];
        this.#addUsage(usage);
        return null;
      }
      default:
        return null;
    }
  }

  result(): ModelResult {
    const toolCalls: ToolCall[] = [...this.#callByBlock.values()]
      .filter((call) => call.position >= 0)
      .map(({ id, name, argumentsText }) => ({
        id,
        name,
        argumentsText: argumentsText === '' ? '{}' : argumentsText,
      }));
    return {
      text: this.#text,
      toolCalls,
      model: this.#model ?? this.#modelRequested,
      finishReason: fromAnthropicStopReason(this.#stopReason, this.#outputTool),
      usage: this.usage ?? { ...UNSTATED_USAGE, raw: null },
      upstreamCostNanoUsd: null,
      upstreamId: this.#upstreamId,
      rawMessage: null,
    };
  }

  #start(message: Readonly<Record<string, unknown>>): void {
    if (typeof message['id'] === 'string') this.#upstreamId = message['id'];
    if (typeof message['model'] === 'string' && message['model'] !== '') this.#model = message['model'];
    // LiteLLM begins with zeros and counts at the end: nothing known yet, which is not zero.
    if (isObject(message['usage']) && hasCounts(message['usage'])) this.#addUsage(message['usage']);
  }

  /** The start states the input, the end the output; LiteLLM states all at the end. Later wins. */
  #addUsage(usage: unknown): void {
    if (!isObject(usage)) return;
    const stated = Object.entries(usage).filter(([, value]) => value !== null && value !== undefined);
    const joined = { ...this.#usage, ...Object.fromEntries(stated) };
    // Read before it is kept: a bad count is a bad answer now, and must not spoil what is known so far.
    fromAnthropicUsage(joined);
    this.#usage = joined;
  }

  #startBlock(index: unknown, block: unknown): ModelStreamEvent | null {
    if (!isObject(block)) throw malformed('a content block is not an object');
    if (block['type'] === 'text') return this.#addText(block['text']);
    if (block['type'] !== 'tool_use') return null;
    const { id, name } = block;
    if (typeof index !== 'number' || typeof id !== 'string' || typeof name !== 'string') {
      throw malformed('a tool_use block has no index, id or name');
    }
    const isOutput = name === this.#outputTool;
    const position = isOutput
      ? -1
      : [...this.#callByBlock.values()].filter((call) => call.position >= 0).length;
    this.#callByBlock.set(index, { position, id, name, startInput: block['input'], argumentsText: '' });
    return isOutput ? null : { kind: 'tool_call', index: position, id, name, argumentsDelta: '' };
  }

  #addDelta(index: unknown, delta: unknown): ModelStreamEvent | null {
    if (!isObject(delta)) throw malformed('a content block delta is not an object');
    if (delta['type'] === 'text_delta') return this.#addText(delta['text']);
    if (delta['type'] !== 'input_json_delta') return null;
    return this.#addArguments(index, delta['partial_json']);
  }

  #endBlock(index: unknown): ModelStreamEvent | null {
    const call = typeof index === 'number' ? this.#callByBlock.get(index) : undefined;
    if (call === undefined || call.argumentsText !== '') return null;
    const { startInput } = call;
    if (!isObject(startInput) || Object.keys(startInput).length === 0) {
      return call.position >= 0 ? null : this.#addText('{}');
    }
    return this.#addArguments(index, JSON.stringify(startInput));
  }

  #addArguments(index: unknown, piece: unknown): ModelStreamEvent | null {
    const call = typeof index === 'number' ? this.#callByBlock.get(index) : undefined;
    if (call === undefined) throw malformed('tool arguments without a tool_use block');
    if (typeof piece !== 'string' || piece === '') return null;
    call.argumentsText += piece;
    if (call.position < 0) return this.#addText(piece);
    return { kind: 'tool_call', index: call.position, argumentsDelta: piece };
  }

  #addText(text: unknown): ModelStreamEvent | null {
    if (typeof text !== 'string' || text === '') return null;
    this.#text += text;
    return { kind: 'text', text };
  }
}

function hasCounts(usage: Readonly<Record<string, unknown>>): boolean {
  return Object.values(usage).some((value) => typeof value === 'number' && value !== 0);
}
