import type { ModelResult, ModelStreamEvent } from './language-model.ts';

/** A whole answer as the events of a stream, for upstreams that ignore the wish for one. */
export function* wholeAnswerEvents(result: ModelResult): Generator<ModelStreamEvent, void, undefined> {
  if (result.text !== '') yield { kind: 'text', text: result.text };
  for (const [index, call] of result.toolCalls.entries()) {
    yield { kind: 'tool_call', index, id: call.id, name: call.name, argumentsDelta: call.argumentsText };
  }
  yield { kind: 'done', result };
}
