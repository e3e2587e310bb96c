import { type ChatMessage, type ContentPart, type MediaPart, textOf } from '../../kernel/index.ts';
import type { ModelRequest, ResponseFormat, ToolChoice, ToolDefinition } from '../language-model.ts';

export type JsonObject = Record<string, unknown>;

export interface OpenAiDialect {
  /**
   * OpenAI itself deprecates `max_tokens`, and its reasoning models refuse it; everything else that speaks this API
   * knows `max_tokens`, and not always the newer name.
   */
  readonly maxTokensField: 'max_tokens' | 'max_completion_tokens';
}

/** The body of `POST /chat/completions`. */
export function toOpenAiBody(
  request: ModelRequest,
  model: string,
  options: OpenAiDialect & { readonly stream: boolean },
): JsonObject {
  const { parameters } = request;
  // Extra fields come first: they can add to the body, never replace what the gateway decides.
  const body: JsonObject = { ...request.extraFields, model, messages: request.messages.map(toOpenAiMessage) };
  const set = (name: string, value: unknown): void => {
    if (value !== undefined) body[name] = value;
  };
  set('temperature', parameters.temperature);
  set('top_p', parameters.topP);
  set('top_k', parameters.topK);
  set(options.maxTokensField, parameters.maxOutputTokens);
  set('stop', parameters.stopSequences);
  set('seed', parameters.seed);
  set('frequency_penalty', parameters.frequencyPenalty);
  set('presence_penalty', parameters.presencePenalty);
  if (request.tools !== undefined && request.tools.length > 0) {
    body['tools'] = request.tools.map(toOpenAiTool);
    if (request.toolChoice !== undefined) body['tool_choice'] = toOpenAiToolChoice(request.toolChoice);
    set('parallel_tool_calls', request.parallelToolCalls);
  }
  if (request.responseFormat !== undefined && request.responseFormat.kind !== 'text') {
    body['response_format'] = toOpenAiResponseFormat(request.responseFormat);
  }
  delete body['stream'];
  delete body['stream_options'];
  if (options.stream) {
    body['stream'] = true;
    // Without it a stream says nothing of tokens or cost.
    body['stream_options'] = { include_usage: true };
  }
  return body;
}

function toOpenAiMessage(message: ChatMessage): JsonObject {
  switch (message.role) {
    case 'system':
      return { role: 'system', content: textOf(message.content) };
    case 'user':
      return { role: 'user', content: toOpenAiContent(message.content) };
    case 'assistant': {
      const text = textOf(message.content);
      const calls = message.toolCalls ?? [];
      if (calls.length === 0) return { role: 'assistant', content: text };
      return {
        role: 'assistant',
        content: text === '' ? null : text,
        tool_calls: calls.map((call) => ({
          id: call.id,
          type: 'function',
          function: { name: call.name, arguments: call.argumentsText },
        })),
      };
    }
    case 'tool':
      return { role: 'tool', tool_call_id: message.toolCallId, content: textOf(message.content) };
    default:
      return message satisfies never;
  }
}

function toOpenAiContent(content: readonly ContentPart[]): string | JsonObject[] {
  // Plain text stays a string: small compatible servers do not all know content parts.
  if (content.every((part) => part.kind === 'text')) return textOf(content);
  return content.map((part) =>
    part.kind === 'text' ? { type: 'text', text: part.text } : toOpenAiMedia(part),
  );
}

function toOpenAiMedia(part: MediaPart): JsonObject {
  const data = /^data:([^;,]*)[^,]*;base64,(.*)$/s.exec(part.url);
  const contentType = part.contentType ?? data?.[1] ?? '';
  if (data !== null && contentType.startsWith('audio/')) {
    const format = contentType === 'audio/mpeg' ? 'mp3' : contentType.slice('audio/'.length);
    return { type: 'input_audio', input_audio: { data: data[2], format } };
  }
  if (data !== null && contentType === 'application/pdf') {
    return { type: 'file', file: { filename: 'document.pdf', file_data: part.url } };
  }
  return { type: 'image_url', image_url: { url: part.url } };
}

function toOpenAiTool(tool: ToolDefinition): JsonObject {
  return {
    type: 'function',
    function: {
      name: tool.name,
      ...(tool.description === undefined ? {} : { description: tool.description }),
      ...(tool.parameters === undefined ? {} : { parameters: tool.parameters }),
      ...(tool.strict === undefined ? {} : { strict: tool.strict }),
    },
  };
}

function toOpenAiToolChoice(choice: ToolChoice): unknown {
  return typeof choice === 'string' ? choice : { type: 'function', function: { name: choice.name } };
}

function toOpenAiResponseFormat(format: Exclude<ResponseFormat, { kind: 'text' }>): JsonObject {
  if (format.kind === 'json') return { type: 'json_object' };
  return {
    type: 'json_schema',
    json_schema: {
      name: format.name,
      schema: format.schema,
      ...(format.strict === undefined ? {} : { strict: format.strict }),
    },
  };
}
