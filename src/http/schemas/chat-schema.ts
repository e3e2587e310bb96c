import { z } from 'zod';
import {
  assignmentField,
  idField,
  metadataField,
  profileFeaturesField,
  tagsField,
  variablesField,
} from './fields.ts';

/** OpenAI's chat completion body, as far as the gateway reads it. Further fields travel on: see chat-fields.ts. */

const textPart = z.object({ type: z.literal('text'), text: z.string() });
const refusalPart = z.object({ type: z.literal('refusal'), refusal: z.string() });
const imagePart = z.object({
  type: z.literal('image_url'),
  image_url: z.object({ url: z.string().min(1).max(8_388_608), detail: z.string().optional() }),
});
const parts = z.discriminatedUnion('type', [textPart, refusalPart, imagePart], {
  error: 'must be a part of type text, image_url or refusal',
});
const content = z.union([z.string(), z.array(parts).min(1)], {
  error: 'must be a string or a list of parts of type text, image_url or refusal',
});

const toolCall = z.object({
  id: z.string(),
  type: z.literal('function'),
  function: z.object({ name: z.string(), arguments: z.string() }),
});

const chatMessageSchema = z.discriminatedUnion(
  'role',
  [
    z.object({ role: z.literal('system'), content }),
    z.object({ role: z.literal('developer'), content }),
    z.object({ role: z.literal('user'), content }),
    z.object({
      role: z.literal('assistant'),
      content: content.nullish(),
      tool_calls: z.array(toolCall).nullish(),
    }),
    z.object({ role: z.literal('tool'), content, tool_call_id: z.string() }),
  ],
  { error: 'must have the role system, developer, user, assistant or tool' },
);

const jsonObject = z.record(z.string(), z.unknown());

const responseFormat = z.discriminatedUnion(
  'type',
  [
    z.object({ type: z.literal('text') }),
    z.object({ type: z.literal('json_object') }),
    z.object({
      type: z.literal('json_schema'),
      json_schema: z.object({
        name: z.string().min(1).max(64),
        schema: jsonObject.nullish(),
        strict: z.boolean().nullish(),
      }),
    }),
  ],
  { error: 'must be of type text, json_object or json_schema' },
);

export const chatBodySchema = z
  .looseObject({
    model: z
      .string()
      .min(1)
      .max(256)
      .describe('`prompt/tip`, `prompt/tip@v2`, `prompt/tip@@live` (a label), or the name of a route.'),
    messages: z
      .array(chatMessageSchema)
      .nullish()
      .describe('Required for routes; earlier turns for prompts.'),
    prompt_variables: variablesField,
    profile_features: profileFeaturesField,
    user: idField('The user, as the caller knows them.'),
    session_id: idField('The session.'),
    external_id: idField("The caller's own id of this call."),
    assignment: assignmentField,
    metadata: metadataField,
    tags: tagsField,
    tools: z
      .array(
        z.object({
          type: z.literal('function'),
          function: z.object({
            name: z.string().min(1).max(64),
            description: z.string().nullish(),
            parameters: jsonObject.nullish(),
            strict: z.boolean().nullish(),
          }),
        }),
      )
      .max(128)
      .nullish(),
    tool_choice: z
      .union(
        [
          z.enum(['auto', 'none', 'required']),
          z.object({ type: z.literal('function'), function: z.object({ name: z.string().min(1) }) }),
        ],
        { error: 'must be auto, none, required or {"type":"function","function":{"name":…}}' },
      )
      .nullish(),
    parallel_tool_calls: z.boolean().nullish(),
    response_format: responseFormat.nullish(),
    temperature: z.number().min(0).max(2).nullish(),
    top_p: z.number().min(0).max(1).nullish(),
    top_k: z.int().min(1).nullish(),
    max_tokens: z.int().min(1).nullish(),
    max_completion_tokens: z.int().min(1).nullish().describe('Wins over `max_tokens`.'),
    stop: z
      .union([z.string().min(1), z.array(z.string().min(1)).max(16)], {
        error: 'must be a string or a list of at most 16 strings',
      })
      .nullish(),
    seed: z.int().nullish(),
    frequency_penalty: z.number().min(-2).max(2).nullish(),
    presence_penalty: z.number().min(-2).max(2).nullish(),
    n: z.literal(1, { error: 'must be 1: a generation has one answer' }).nullish(),
    stream: z.boolean().nullish(),
    stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  })
  .meta({
    id: 'ChatCompletionRequest',
    example: { model: 'prompt/tip@v1', prompt_variables: { mood: 'tired' } },
  });

export type ChatBody = z.output<typeof chatBodySchema>;
export type ChatBodyMessage = z.output<typeof chatMessageSchema>;

export const chatAnswerSchema = z
  .looseObject({
    id: z.string(),
    object: z.literal('chat.completion'),
    created: z.number(),
    model: z.string(),
    choices: z.array(
      z.looseObject({
        index: z.number(),
        message: z.looseObject({ role: z.string(), content: z.unknown() }),
        finish_reason: z.string(),
        logprobs: z.unknown(),
      }),
    ),
    usage: jsonObject.optional().describe('Absent when the provider did not say.'),
    gateway: jsonObject.describe('Prompt, version, provider, cost: what OpenAI has no word for.'),
  })
  .meta({ id: 'ChatCompletion' });

export const modelSchema = z
  .object({ id: z.string(), object: z.literal('model'), created: z.number(), owned_by: z.string() })
  .meta({ id: 'Model' });

export const modelListSchema = z
  .object({ object: z.literal('list'), data: z.array(modelSchema) })
  .meta({ id: 'ModelList' });
