import type { ChatMessage } from '../../src/kernel/index.ts';
import type { ModelRequest, ModelResult, ModelStreamEvent } from '../../src/providers/index.ts';

export function userMessage(text: string): ChatMessage {
  return { role: 'user', content: [{ kind: 'text', text }] };
}

export function systemMessage(text: string): ChatMessage {
  return { role: 'system', content: [{ kind: 'text', text }] };
}

/** A small request that every adapter takes. */
export function modelRequest(fields: Partial<ModelRequest> = {}): ModelRequest {
  return {
    model: 'gemma',
    messages: [systemMessage('You are a coach.'), userMessage('Give one tip.')],
    parameters: { maxOutputTokens: 50 },
    generationId: 'gen_00000000000000000000000000000001',
    fallbackLines: [],
    ...fields,
  };
}

export interface CollectedStream {
  readonly events: readonly ModelStreamEvent[];
  /** Text events, joined. */
  readonly text: string;
  /** Of the `done` event; null when the stream ended without one. */
  readonly result: ModelResult | null;
}

export async function collectStream(stream: AsyncIterable<ModelStreamEvent>): Promise<CollectedStream> {
  const events: ModelStreamEvent[] = [];
  for await (const event of stream) events.push(event);
  const last = events.at(-1);
  return {
    events,
    text: events.map((event) => (event.kind === 'text' ? event.text : '')).join(''),
    result: last?.kind === 'done' ? last.result : null,
  };
}

/** The error a promise fails with; fails itself when it does not. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`expected a failure, got ${JSON.stringify(value)}`);
}
