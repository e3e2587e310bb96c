import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError, type ModelParameters } from '../../kernel/index.ts';
import type { GenerateRequest, GenerateStreamEvent } from '../../serving/index.ts';
import { noteError } from '../answer-error.ts';
import { answerToWire, dryRunToWire, headToWire, serverTiming } from '../generation-wire.ts';
import type { HttpServices } from '../http-services.ts';
import { idempotencyOf } from '../idempotency-key.ts';
import { readJsonBody } from '../json-body.ts';
import { headFields, noteAnswer } from '../note-answer.ts';
import { asAppError, problemOf } from '../problem.ts';
import { callContext, type RequestScope } from '../request-scope.ts';
import type { DirectRoute } from '../route-definition.ts';
import { callerAssignment } from '../schemas/fields.ts';
import { type GenerateBody, generateBodySchema } from '../schemas/generate-schema.ts';
import { sendAnswer } from '../send-json.ts';
import { createSseWriter, type SseWriter } from '../sse-writer.ts';
import { validateInput } from '../validate-input.ts';

const PATH = '/generate';

export function generateRoute(services: HttpServices): DirectRoute {
  return {
    method: 'post',
    path: PATH,
    access: 'generate',
    isModelCall: true,
    async handle(request, response, scope) {
      const json = await readJsonBody(request, services.settings);
      const body = validateInput(generateBodySchema, json, 'The body');
      const call = generateRequest(body, json, request, scope);
      if (body.stream === true && !call.dryRun) {
        await answerStreamed(call, response, scope, services);
      } else {
        await answerWhole(call, response, scope, services);
      }
    },
  };
}

function generateRequest(
  body: GenerateBody,
  json: unknown,
  request: IncomingMessage,
  scope: RequestScope,
): GenerateRequest {
  return {
    surface: 'generate',
    context: callContext(scope),
    source: {
      kind: 'prompt',
      prompt: body.prompt ?? null,
      promptVersion: body.prompt_version ?? null,
      variables: body.variables ?? {},
      profileFeatures: body.profile_features ?? null,
      messages: [],
    },
    route: body.route ?? null,
    model: body.model ?? null,
    parameters: modelParameters(body.parameters),
    tools: [],
    toolChoice: null,
    parallelToolCalls: null,
    responseFormat: null,
    extraFields: {},
    userId: body.user_id ?? null,
    sessionId: body.session_id ?? null,
    externalId: body.external_id ?? null,
    assignment: callerAssignment(body.assignment),
    metadata: body.metadata ?? null,
    tags: body.tags ?? [],
    dryRun: body.dry_run ?? false,
    idempotency: idempotencyOf(request, PATH, json),
  };
}

function modelParameters(given: GenerateBody['parameters']): ModelParameters {
  if (given == null) return {};
  return {
    ...(given.temperature == null ? {} : { temperature: given.temperature }),
    ...(given.top_p == null ? {} : { topP: given.top_p }),
    ...(given.top_k == null ? {} : { topK: given.top_k }),
    ...(given.max_output_tokens == null ? {} : { maxOutputTokens: given.max_output_tokens }),
    ...(given.stop == null ? {} : { stopSequences: given.stop }),
    ...(given.seed == null ? {} : { seed: given.seed }),
  };
}

async function answerWhole(
  call: GenerateRequest,
  response: ServerResponse,
  scope: RequestScope,
  services: HttpServices,
): Promise<void> {
  const reply = await services.generate.generate(call, scope.abort.signal);
  if (reply.kind === 'dry_run') {
    sendAnswer(response, scope, dryRunToWire(reply.dryRun));
    return;
  }
  noteAnswer(reply.answer, scope);
  setVersionHeader(reply.answer.promptVersion, scope);
  if (reply.replayed) scope.head.push('Idempotency-Replayed', 'true');
  scope.head.push('Server-Timing', serverTiming(reply.timing));
  sendAnswer(response, scope, answerToWire(reply.answer));
}

async function answerStreamed(
  call: GenerateRequest,
  response: ServerResponse,
  scope: RequestScope,
  services: HttpServices,
): Promise<void> {
  const writer = createSseWriter(response, scope);
  try {
    for await (const event of services.generate.stream(call, scope.abort.signal)) {
      await writeEvent(event, { writer, scope, services });
    }
  } catch (thrown) {
    // Before the first event a failure is an ordinary HTTP error.
    if (!writer.begun) throw thrown;
    await writeError(thrown, null, { writer, scope, services });
  }
  writer.end();
}

interface StreamParts {
  readonly writer: SseWriter;
  readonly scope: RequestScope;
  readonly services: HttpServices;
}

function writeEvent(event: GenerateStreamEvent, parts: StreamParts): Promise<void> {
  const { writer, scope } = parts;
  switch (event.kind) {
    case 'start':
      setVersionHeader(event.head.promptVersion, scope);
      scope.logFields = headFields(event.head);
      if (event.replayed === true) scope.head.push('Idempotency-Replayed', 'true');
      writer.begin();
      return writer.write('start', JSON.stringify(headToWire(event.head)));
    case 'text':
      return writer.write('delta', JSON.stringify({ text: event.text }));
    case 'tool_call':
      return writer.write(
        'tool_call',
        JSON.stringify({
          index: event.index,
          id: event.id,
          name: event.name,
          arguments_delta: event.argumentsDelta,
        }),
      );
    case 'end':
      noteAnswer(event.answer, scope);
      return writer.write(
        'end',
        JSON.stringify({
          ...answerToWire(event.answer),
          ...(event.outputFaults.length === 0 ? {} : { output_faults: event.outputFaults }),
          ...(event.replayed ? { replayed: true } : {}),
        }),
      );
    case 'error':
      return writeError(event.error, event.generationId, parts);
    default: {
      const never: never = event;
      throw new AppError('internal', `no wire event for ${String(never)}`);
    }
  }
}

async function writeError(
  thrown: unknown,
  generationId: string | null,
  { writer, scope, services }: StreamParts,
): Promise<void> {
  const error = asAppError(thrown);
  noteError(error, scope, services.logger);
  const problem = problemOf(error, scope.requestId, PATH);
  await writer.write(
    'error',
    JSON.stringify(generationId === null ? problem : { ...problem, generation_id: generationId }),
  );
}

function setVersionHeader(promptVersion: string | null, scope: RequestScope): void {
  if (promptVersion !== null) scope.head.push('X-Prompt-Version', promptVersion);
}
