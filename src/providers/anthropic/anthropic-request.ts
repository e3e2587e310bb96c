import {
  type ChatMessage,
  type ContentPart,
  type JsonSchema,
  type MediaPart,
  type ToolCall,
  textOf,
} from '../../kernel/index.ts';
import { isObject } from '../answer-shape.ts';
import type { ModelRequest, ToolChoice, ToolDefinition } from '../language-model.ts';
import { ProviderFailure } from '../provider-failure.ts';

export type JsonObject = Record<string, unknown>;

/** The API demands a limit; this one fits short texts and costs little when a prompt forgets it. */
const DEFAULT_MAX_TOKENS = 1024;

const JSON_INSTRUCTION = 'Answer with one JSON value and nothing else.';

export interface AnthropicBody {
  readonly body: JsonObject;
  /**
   * Name of the tool that carries structured output, when one does: its input is the text of the answer. See
   * {@link toAnthropicBody}.
   */
  readonly outputTool: string | null;
}

/**
 * The body of `POST /v1/messages`. Fails with `bad_request` naming what this API has no word for.
 *
 * A `json_schema` response format becomes a tool that the model must call: that works for every model and every schema
 * whose root is an object, also behind LiteLLM. The API's own `output_config.format` knows newer models and a part of
 * JSON Schema only; it is used where a forced tool cannot be: beside other tools, and for other roots.
 */
export function toAnthropicBody(request: ModelRequest, model: string, stream: boolean): AnthropicBody {
  const { parameters } = request;
  const body: JsonObject = {
    ...fromExtraFields(request.extraFields),
    model,
    max_tokens: parameters.maxOutputTokens ?? DEFAULT_MAX_TOKENS,
  };
  const set = (name: string, value: unknown): void => {
    if (value !== undefined) body[name] = value;
  };
  set('temperature', parameters.temperature);
  set('top_p', parameters.topP);
  set('top_k', parameters.topK);
  set('stop_sequences', parameters.stopSequences);
  // seed and the penalties have no counterpart. They are wishes, and a fallback must not fail for them: left out.
  const tools = request.tools ?? [];
  if (tools.length > 0) {
    body['tools'] = tools.map(toAnthropicTool);
    set('tool_choice', toAnthropicToolChoice(request.toolChoice, request.parallelToolCalls));
  }
  const { system, messages } = toAnthropicMessages(request.messages);
  body['messages'] = messages;
  const outputTool = setResponseFormat(body, request, system);
  if (system.length > 0) body['system'] = system.join('\n\n');
  if (stream) body['stream'] = true;
  return { body, outputTool };
}

function setResponseFormat(body: JsonObject, request: ModelRequest, system: string[]): string | null {
  const format = request.responseFormat;
  if (format === undefined || format.kind === 'text') return null;
  if (format.kind === 'json') {
    system.push(JSON_INSTRUCTION);
    return null;
  }
  if (body['tools'] !== undefined || format.schema['type'] !== 'object') {
    body['output_config'] = { format: { type: 'json_schema', schema: format.schema } };
    return null;
  }
  body['tools'] = [
    { name: format.name, description: 'The answer, in its required form.', input_schema: format.schema },
  ];
  body['tool_choice'] = { type: 'tool', name: format.name };
  return format.name;
}

/** `user` has a counterpart; anything else would be lost without a word. */
function fromExtraFields(fields: Readonly<Record<string, unknown>> | undefined): JsonObject {
  const body: JsonObject = {};
  for (const [name, value] of Object.entries(fields ?? {})) {
    if (value === undefined || value === null) continue;
    if (name === 'user' && typeof value === 'string') body['metadata'] = { user_id: value };
    else if (name === 'stream_options' || (name === 'n' && value === 1)) continue;
    else throw new ProviderFailure('bad_request', `the Anthropic API has no counterpart of "${name}"`);
  }
  return body;
}

interface Turn {
  readonly role: 'user' | 'assistant';
  readonly content: JsonObject[];
}

/** System messages leave the conversation; neighbours of one role become one turn, as tool results must. */
function toAnthropicMessages(messages: readonly ChatMessage[]): {
  readonly system: string[];
  readonly messages: readonly Turn[];
} {
  const system: string[] = [];
  const turns: Turn[] = [];
  const add = (role: Turn['role'], content: readonly JsonObject[]): void => {
    if (content.length === 0) return;
    const last = turns.at(-1);
    if (last?.role === role) last.content.push(...content);
    else turns.push({ role, content: [...content] });
  };
  for (const message of messages) {
    switch (message.role) {
      case 'system': {
        const text = textOf(message.content);
        if (text !== '') system.push(text);
        break;
      }
      case 'user':
        add('user', toAnthropicContent(message.content));
        break;
      case 'assistant':
        add('assistant', [
          ...toAnthropicContent(message.content),
          ...(message.toolCalls ?? []).map(toToolUse),
        ]);
        break;
      case 'tool':
        add('user', [
          {
            type: 'tool_result',
            tool_use_id: message.toolCallId,
            content: toAnthropicContent(message.content),
          },
        ]);
        break;
      default:
        message satisfies never;
    }
  }
  // A prompt of system text alone is fine elsewhere; here it has to be said by somebody.
  if (turns.length === 0 && system.length > 0) {
    return {
      system: [],
      messages: [{ role: 'user', content: [{ type: 'text', text: system.join('\n\n') }] }],
    };
  }
  return { system, messages: turns };
}

function toAnthropicContent(content: readonly ContentPart[]): JsonObject[] {
  // The API refuses empty text.
  return content
    .filter((part) => part.kind === 'media' || part.text !== '')
    .map((part) => (part.kind === 'text' ? { type: 'text', text: part.text } : toAnthropicMedia(part)));
}

function toAnthropicMedia(part: MediaPart): JsonObject {
  const data = /^data:([^;,]*)[^,]*;base64,(.*)$/s.exec(part.url);
  const contentType = part.contentType ?? data?.[1] ?? '';
  const isPdf = contentType === 'application/pdf';
  if (contentType !== '' && !isPdf && !contentType.startsWith('image/')) {
    throw new ProviderFailure('bad_request', `the Anthropic API takes no ${contentType}`);
  }
  const source =
    data === null
      ? { type: 'url', url: part.url }
      : { type: 'base64', media_type: isPdf ? contentType : contentType || 'image/png', data: data[2] };
  return { type: isPdf ? 'document' : 'image', source };
}

function toToolUse(call: ToolCall): JsonObject {
  let input: unknown;
  try {
    input = call.argumentsText.trim() === '' ? {} : JSON.parse(call.argumentsText);
  } catch {
    input = undefined;
  }
  if (!isObject(input)) {
    throw new ProviderFailure('bad_request', `the arguments of tool call "${call.id}" are no JSON object`);
  }
  return { type: 'tool_use', id: call.id, name: call.name, input };
}

const ANY_OBJECT: JsonSchema = { type: 'object', properties: {} };

function toAnthropicTool(tool: ToolDefinition): JsonObject {
  return {
    name: tool.name,
    ...(tool.description === undefined ? {} : { description: tool.description }),
    input_schema: tool.parameters ?? ANY_OBJECT,
    ...(tool.strict === true ? { strict: true } : {}),
  };
}

function toAnthropicToolChoice(
  choice: ToolChoice | undefined,
  parallel: boolean | undefined,
): JsonObject | undefined {
  const serial = parallel === false ? { disable_parallel_tool_use: true } : {};
  if (choice === undefined) return parallel === false ? { type: 'auto', ...serial } : undefined;
  if (choice === 'none') return { type: 'none' };
  if (choice === 'auto') return { type: 'auto', ...serial };
  if (choice === 'required') return { type: 'any', ...serial };
  return { type: 'tool', name: choice.name, ...serial };
}
