import type { ServerResponse } from 'node:http';
import { AppError } from '../kernel/index.ts';
import type { GenerateRequest, GenerateStreamEvent, GenerationHead } from '../serving/index.ts';
import { noteError } from './answer-error.ts';
import { chatFinishReason, chatUsage, gatewayFields, headFieldsOf } from './chat-wire.ts';
import type { HttpServices } from './http-services.ts';
import { headFields, noteAnswer } from './note-answer.ts';
import { asAppError, openAiError } from './problem.ts';
import type { RequestScope } from './request-scope.ts';
import { createSseWriter, type SseWriter } from './sse-writer.ts';

interface ChatStreamParts {
  readonly response: ServerResponse;
  readonly scope: RequestScope;
  readonly services: HttpServices;
  /** As the caller named it: which upstream model answers is not known before the end. */
  readonly model: string;
  readonly includeUsage: boolean;
}

/** A call as `chat.completion.chunk` events. A failure after the first one ends the stream without `[DONE]`. */
export async function streamChat(call: GenerateRequest, parts: ChatStreamParts): Promise<void> {
  const { response, scope, services } = parts;
  const writer = createSseWriter(response, scope);
  const stream = createChunkWriter(writer, parts);
  try {
    for await (const event of services.generate.stream(call, scope.abort.signal)) await stream(event);
  } catch (thrown) {
    if (!writer.begun) throw thrown;
    await writeError(thrown, writer, parts);
  }
  writer.end();
}

function createChunkWriter(writer: SseWriter, parts: ChatStreamParts) {
  const createdSeconds = Math.floor(parts.scope.receivedAtMs / 1_000);
  let id = '';
  const chunk = (fields: object): Promise<void> =>
    writer.write(
      null,
      JSON.stringify({
        id,
        object: 'chat.completion.chunk',
        created: createdSeconds,
        model: parts.model,
        ...fields,
        // With include_usage every chunk has the field; null until the last one.
        ...(parts.includeUsage && !('usage' in fields) ? { usage: null } : {}),
      }),
    );
  const delta = (content: object, finishReason: string | null, more: object = {}): Promise<void> =>
    chunk({
      choices: [{ index: 0, delta: content, logprobs: null, finish_reason: finishReason }],
      ...more,
    });

  return async (event: GenerateStreamEvent): Promise<void> => {
    switch (event.kind) {
      case 'start':
        id = event.head.id;
        begin(event.head, event.replayed === true, writer, parts);
        return delta({ role: 'assistant', content: '' }, null, { gateway: headFieldsOf(event.head) });
      case 'text':
        return delta({ content: event.text }, null);
      case 'tool_call':
        return delta({ tool_calls: [toolCallDelta(event)] }, null);
      case 'end': {
        const { answer, outputFaults } = event;
        noteAnswer(answer, parts.scope);
        await delta({}, chatFinishReason(answer.finishReason), {
          gateway: {
            ...gatewayFields(answer),
            model: answer.model,
            ...(outputFaults.length === 0 ? {} : { output_faults: outputFaults }),
          },
        });
        const usage = chatUsage(answer);
        if (parts.includeUsage && usage !== null) await chunk({ choices: [], usage });
        return writer.write(null, '[DONE]');
      }
      case 'error':
        return writeError(event.error, writer, parts);
      default: {
        const never: never = event;
        throw new AppError('internal', `no chunk for ${String(never)}`);
      }
    }
  };
}

function begin(head: GenerationHead, replayed: boolean, writer: SseWriter, parts: ChatStreamParts): void {
  const { scope } = parts;
  if (head.promptVersion !== null) scope.head.push('X-Prompt-Version', head.promptVersion);
  if (replayed) scope.head.push('Idempotency-Replayed', 'true');
  scope.logFields = headFields(head);
  writer.begin();
}

function toolCallDelta(event: Extract<GenerateStreamEvent, { kind: 'tool_call' }>) {
  return {
    index: event.index,
    ...(event.id === undefined ? {} : { id: event.id, type: 'function' }),
    function: {
      ...(event.name === undefined ? {} : { name: event.name }),
      arguments: event.argumentsDelta,
    },
  };
}

function writeError(thrown: unknown, writer: SseWriter, parts: ChatStreamParts): Promise<void> {
  const error = asAppError(thrown);
  noteError(error, parts.scope, parts.services.logger);
  return writer.write(null, JSON.stringify(openAiError(error)));
}
