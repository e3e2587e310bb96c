import type { IncomingMessage } from 'node:http';
import { AppError, type ChatMessage, type ContentPart, type ModelParameters } from '../kernel/index.ts';
import type { ResponseFormat, ToolChoice, ToolDefinition } from '../providers/index.ts';
import type { GenerateRequest, GenerateSource } from '../serving/index.ts';
import { extraChatFields } from './chat-fields.ts';
import { type ChatTarget, chatTarget } from './chat-model.ts';
import type { HttpServices } from './http-services.ts';
import { idempotencyOf } from './idempotency-key.ts';
import { callContext, type RequestScope } from './request-scope.ts';
import type { ChatBody, ChatBodyMessage } from './schemas/chat-schema.ts';
import { callerAssignment } from './schemas/fields.ts';

/** An OpenAI body as a call of ours. Fails with `route_not_found` and `invalid_request`. */
export function chatRequest(
  body: ChatBody,
  from: { readonly request: IncomingMessage; readonly scope: RequestScope; readonly path: string },
  services: Pick<HttpServices, 'prompts' | 'routes'>,
): GenerateRequest {
  const target = chatTarget(body.model, services);
  return {
    surface: 'chat',
    context: callContext(from.scope),
    source: chatSource(body, target),
    route: target.kind === 'route' ? target.route : null,
    model: null,
    parameters: chatParameters(body),
    tools: (body.tools ?? []).map(toolDefinition),
    toolChoice: toolChoice(body.tool_choice),
    parallelToolCalls: body.parallel_tool_calls ?? null,
    responseFormat: responseFormat(body.response_format),
    extraFields: extraChatFields(body),
    userId: body.user ?? null,
    sessionId: body.session_id ?? null,
    externalId: body.external_id ?? null,
    assignment: callerAssignment(body.assignment),
    metadata: body.metadata ?? null,
    tags: body.tags ?? [],
    dryRun: false,
    idempotency: idempotencyOf(from.request, from.path, body),
  };
}

function chatSource(body: ChatBody, target: ChatTarget): GenerateSource {
  const messages = (body.messages ?? []).map(chatMessage);
  if (target.kind === 'prompt') {
    return {
      kind: 'prompt',
      prompt: target.prompt,
      promptVersion: target.promptVersion,
      variables: body.prompt_variables ?? {},
      profileFeatures: body.profile_features ?? null,
      messages,
    };
  }
  if (messages.length === 0) {
    throw new AppError('invalid_request', 'The body is not valid.', {
      faults: [{ path: 'messages', message: 'must hold at least one message when the model is a route' }],
    });
  }
  return { kind: 'messages', messages };
}

function chatMessage(message: ChatBodyMessage): ChatMessage {
  switch (message.role) {
    case 'system':
    case 'developer':
      return { role: 'system', content: contentParts(message.content) };
    case 'user':
      return { role: 'user', content: contentParts(message.content) };
    case 'tool':
      return {
        role: 'tool',
        content: contentParts(message.content),
        toolCallId: message.tool_call_id,
      };
    case 'assistant':
      return {
        role: 'assistant',
        content: message.content == null ? [] : contentParts(message.content),
        ...(message.tool_calls == null || message.tool_calls.length === 0
          ? {}
          : {
              toolCalls: message.tool_calls.map((call) => ({
                id: call.id,
                name: call.function.name,
                argumentsText: call.function.arguments,
              })),
            }),
      };
    default: {
      const never: never = message;
      throw new AppError('internal', `no message for role ${String(never)}`);
    }
  }
}

function contentParts(
  content: Extract<ChatBodyMessage, { role: 'user' }>['content'],
): readonly ContentPart[] {
  if (typeof content === 'string') return [{ kind: 'text', text: content }];
  return content.map((part): ContentPart => {
    if (part.type === 'text') return { kind: 'text', text: part.text };
    if (part.type === 'refusal') return { kind: 'text', text: part.refusal };
    return { kind: 'media', url: part.image_url.url, contentType: null };
  });
}

function chatParameters(body: ChatBody): ModelParameters {
  const maxOutputTokens = body.max_completion_tokens ?? body.max_tokens;
  return {
    ...(body.temperature == null ? {} : { temperature: body.temperature }),
    ...(body.top_p == null ? {} : { topP: body.top_p }),
    ...(body.top_k == null ? {} : { topK: body.top_k }),
    ...(maxOutputTokens == null ? {} : { maxOutputTokens }),
    ...(body.stop == null ? {} : { stopSequences: typeof body.stop === 'string' ? [body.stop] : body.stop }),
    ...(body.seed == null ? {} : { seed: body.seed }),
    ...(body.frequency_penalty == null ? {} : { frequencyPenalty: body.frequency_penalty }),
    ...(body.presence_penalty == null ? {} : { presencePenalty: body.presence_penalty }),
  };
}

function toolDefinition(tool: NonNullable<ChatBody['tools']>[number]): ToolDefinition {
  const { name, description, parameters, strict } = tool.function;
  return {
    name,
    ...(description == null ? {} : { description }),
    ...(parameters == null ? {} : { parameters }),
    ...(strict == null ? {} : { strict }),
  };
}

function toolChoice(choice: ChatBody['tool_choice']): ToolChoice | null {
  if (choice == null) return null;
  return typeof choice === 'string' ? choice : { name: choice.function.name };
}

function responseFormat(format: ChatBody['response_format']): ResponseFormat | null {
  if (format == null) return null;
  switch (format.type) {
    case 'text':
      return { kind: 'text' };
    case 'json_object':
      return { kind: 'json' };
    case 'json_schema': {
      const { name, schema, strict } = format.json_schema;
      return { kind: 'json_schema', name, schema: schema ?? {}, ...(strict == null ? {} : { strict }) };
    }
    default: {
      const never: never = format;
      throw new AppError('internal', `no response format ${String(never)}`);
    }
  }
}
