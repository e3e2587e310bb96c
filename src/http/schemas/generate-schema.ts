import { z } from 'zod';
import {
  assignmentField,
  idField,
  metadataField,
  nameField,
  profileFeaturesField,
  tagsField,
  variablesField,
} from './fields.ts';

const parametersSchema = z.strictObject({
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.int().min(1).nullish(),
  max_output_tokens: z.int().min(1).nullish(),
  stop: z.array(z.string().min(1).max(256)).max(16).nullish(),
  seed: z.int().nullish(),
});

export const generateBodySchema = z
  .strictObject({
    prompt: nameField('Name of the prompt. Default: `prompts.default` of the configuration.'),
    prompt_version: nameField(
      'Version (`v2`) or label (`@live`). Default: `DEFAULT_PROMPT_VERSION`, then `v1`.',
    ),
    variables: variablesField,
    profile_features: profileFeaturesField,
    user_id: idField('The user, as the caller knows them. Stored as a keyed hash only.'),
    session_id: idField('The session. Stored as a keyed hash only.'),
    external_id: idField("The caller's own id of this call; outcomes may name it instead of ours."),
    route: nameField('Provider route. Default: `default_route` of the configuration.'),
    model: z.string().min(1).max(256).nullish().describe('Overrides the model of prompt and route.'),
    parameters: parametersSchema.nullish().describe('Override those of prompt and route, one by one.'),
    stream: z.boolean().nullish().describe('Answer as server-sent events.'),
    dry_run: z.boolean().nullish().describe('Render and route, but call no model and record nothing.'),
    assignment: assignmentField,
    metadata: metadataField,
    tags: tagsField,
  })
  .meta({
    id: 'GenerateRequest',
    example: {
      prompt: 'tip',
      prompt_version: 'v1',
      variables: { mood: 'tired' },
      profile_features: { completion_rate: 0.4 },
      user_id: 'u1',
    },
  });

export type GenerateBody = z.output<typeof generateBodySchema>;

const nullableNumber = z.number().nullable();

const usageSchema = z
  .object({
    input_tokens: nullableNumber,
    output_tokens: nullableNumber,
    cached_input_tokens: nullableNumber,
    reasoning_tokens: nullableNumber,
  })
  .describe('Null where the provider did not say.')
  .meta({ id: 'Usage' });

const toolCallSchema = z.object({ id: z.string(), name: z.string(), arguments: z.string() });

export const generateAnswerSchema = z
  .object({
    id: z.string().describe('`gen_…`: report outcomes against it.'),
    text: z.string(),
    output: z.unknown().describe('Parsed structured output; null for text prompts.'),
    tool_calls: z.array(toolCallSchema).optional(),
    prompt: z.string().nullable(),
    prompt_version: z.string().nullable().describe('The concrete version that was used.'),
    prompt_hash: z.string().nullable(),
    version_source: z.enum(['body', 'env', 'default']).nullable(),
    label: z.string().nullable(),
    experiment: z.string().nullable(),
    arm: z.string().nullable(),
    propensity: nullableNumber,
    route: z.string(),
    provider: z.string(),
    model: z.string(),
    degraded: z.boolean().describe("Authored lines instead of a model's answer."),
    finish_reason: z.string(),
    usage: usageSchema,
    cost_usd: nullableNumber.describe('Null when the price is not known; never 0 for unknown.'),
    latency_ms: z.number(),
    attempts: z.number(),
    recorded: z.boolean(),
    created_at: z.string(),
  })
  .meta({ id: 'GenerateAnswer' });

export const dryRunSchema = z
  .object({
    dry_run: z.literal(true),
    prompt: z.string().nullable(),
    prompt_version: z.string().nullable(),
    prompt_hash: z.string().nullable(),
    version_source: z.enum(['body', 'env', 'default']).nullable(),
    label: z.string().nullable(),
    experiment: z.string().nullable(),
    arm: z.string().nullable(),
    propensity: nullableNumber,
    messages: z.array(z.unknown()),
    variables: z.record(z.string(), z.unknown()).nullable(),
    route: z.string(),
    model: z.string().nullable(),
    targets: z.array(z.object({ provider: z.string(), model: z.string() })),
    parameters: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'DryRun' });
