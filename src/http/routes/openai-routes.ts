import { AppError } from '../../kernel/index.ts';
import { chatModelNames, modelNotFound } from '../chat-model.ts';
import { chatRequest } from '../chat-request.ts';
import { streamChat } from '../chat-stream.ts';
import { chatCompletion } from '../chat-wire.ts';
import { serverTiming } from '../generation-wire.ts';
import type { HttpServices } from '../http-services.ts';
import { readJsonBody } from '../json-body.ts';
import { noteAnswer } from '../note-answer.ts';
import { pathParameter } from '../read-query.ts';
import type { RouteDefinition } from '../route-definition.ts';
import { chatBodySchema } from '../schemas/chat-schema.ts';
import { sendJson } from '../send-json.ts';
import { validateInput } from '../validate-input.ts';

const CHAT_PATH = '/v1/chat/completions';

/** What any OpenAI client speaks. */
export function openAiRoutes(services: HttpServices): readonly RouteDefinition[] {
  // Models here have no birthday: they are as old as the process.
  const createdSeconds = Math.floor(services.clock.nowMs() / 1_000);
  const modelToWire = (id: string) => ({
    id,
    object: 'model',
    created: createdSeconds,
    owned_by: 'prompt-gateway',
  });
  return [
    {
      method: 'post',
      path: CHAT_PATH,
      access: 'generate',
      isModelCall: true,
      async handle(request, response, scope) {
        const json = await readJsonBody(request, services.settings);
        const body = validateInput(chatBodySchema, json, 'The body');
        const call = chatRequest(body, { request, scope, path: CHAT_PATH }, services);
        if (body.stream === true) {
          const includeUsage = body.stream_options?.include_usage === true;
          await streamChat(call, { response, scope, services, model: body.model, includeUsage });
          return;
        }
        const reply = await services.generate.generate(call, scope.abort.signal);
        if (reply.kind !== 'answer') throw new AppError('internal', 'a call came back as a dry run');
        noteAnswer(reply.answer, scope);
        if (reply.answer.promptVersion !== null) {
          response.setHeader('X-Prompt-Version', reply.answer.promptVersion);
        }
        if (reply.replayed) response.setHeader('Idempotency-Replayed', 'true');
        response.setHeader('Server-Timing', serverTiming(reply.timing));
        sendJson(response, 200, chatCompletion(reply.answer));
      },
    },
    {
      method: 'get',
      path: '/v1/models',
      access: 'generate',
      handle(_request, response) {
        sendJson(response, 200, { object: 'list', data: chatModelNames(services).map(modelToWire) });
      },
    },
    {
      method: 'get',
      path: '/v1/models/*id',
      access: 'generate',
      handle(request, response) {
        const id = pathParameter(request, 'id');
        const known = chatModelNames(services);
        if (!known.includes(id)) throw modelNotFound(id, known);
        sendJson(response, 200, modelToWire(id));
      },
    },
  ];
}
