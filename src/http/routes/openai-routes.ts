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
import type { DirectRoute, RouteDefinition } from '../route-definition.ts';
import { chatBodySchema } from '../schemas/chat-schema.ts';
import { sendAnswer, sendJson } from '../send-json.ts';
import { validateInput } from '../validate-input.ts';

const CHAT_PATH = '/v1/chat/completions';

/** What any OpenAI client speaks. */
export function chatRoute(services: HttpServices): DirectRoute {
  return {
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
      const { promptVersion } = reply.answer;
      if (promptVersion !== null) scope.head.push('X-Prompt-Version', promptVersion);
      if (reply.replayed) scope.head.push('Idempotency-Replayed', 'true');
      scope.head.push('Server-Timing', serverTiming(reply.timing));
      sendAnswer(response, scope, chatCompletion(reply.answer));
    },
  };
}

export function modelRoutes(services: HttpServices): readonly RouteDefinition[] {
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
