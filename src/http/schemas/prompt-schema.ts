import { z } from 'zod';
import { nameField, profileFeaturesField, variablesField } from './fields.ts';
import { labelSchema } from './labels-schema.ts';

export const renderBodySchema = z
  .strictObject({
    prompt_version: nameField('Version or label. Default: as for `POST /generate`.'),
    variables: variablesField,
    profile_features: profileFeaturesField,
  })
  .meta({ id: 'RenderRequest', example: { prompt_version: 'v1', variables: { mood: 'tired' } } });

export const renderAnswerSchema = z
  .object({
    prompt: z.string(),
    prompt_version: z.string(),
    prompt_hash: z.string(),
    version_source: z.enum(['body', 'env', 'default']),
    label: z.string().nullable(),
    messages: z.array(z.unknown()),
    variables: z.record(z.string(), z.unknown()).nullable(),
  })
  .meta({ id: 'RenderAnswer' });

const faultSchema = z.object({ path: z.string(), message: z.string() });

const versionSummarySchema = z
  .object({
    version: z.string(),
    hash: z.string(),
    description: z.string().nullable(),
    retired: z.boolean(),
    locked: z.boolean(),
  })
  .meta({ id: 'PromptVersionSummary' });

export const promptSchema = z
  .object({ name: z.string(), versions: z.array(versionSummarySchema), labels: z.array(labelSchema) })
  .meta({ id: 'Prompt' });

export const promptListSchema = z
  .object({
    registry_hash: z.string(),
    default: z.string(),
    prompts: z.array(promptSchema),
    warnings: z.array(faultSchema),
    last_reload: z
      .object({
        at: z.string(),
        reloaded: z.array(z.string()),
        unchanged: z.array(z.string()),
        failed: z.array(faultSchema),
      })
      .nullable(),
  })
  .meta({ id: 'PromptList' });

const jsonObject = z.record(z.string(), z.unknown());

export const promptVersionSchema = z
  .object({
    prompt: z.string(),
    version: z.string(),
    hash: z.string(),
    file: z.string(),
    description: z.string().nullable(),
    retired: z.boolean(),
    locked: z.boolean(),
    model: z.string().nullable(),
    parameters: jsonObject,
    input_schema: jsonObject.nullable(),
    input_defaults: jsonObject,
    output_format: z.enum(['text', 'json']),
    output_schema: jsonObject.nullable(),
    fallback_lines: z.array(z.string()),
    source: z.string(),
  })
  .meta({ id: 'PromptVersion' });

export const promptDiffQuerySchema = z.strictObject({
  from: z.string().min(1).max(64).describe('Version, for example `v1`.'),
  to: z.string().min(1).max(64).describe('Version it is compared with.'),
});

const diffSideSchema = z.object({ prompt_version: z.string(), hash: z.string(), retired: z.boolean() });

/** Null: that version does not have it. */
const changeSchema = z.object({ name: z.string(), from: z.unknown(), to: z.unknown() });

export const promptDiffSchema = z
  .object({
    prompt: z.string(),
    from: diffSideSchema,
    to: diffSideSchema,
    same: z.boolean().describe('The content hashes are equal.'),
    text: z.string().describe('Unified diff of the files; empty when they are equal.'),
    variables: z
      .array(z.object({ name: z.string(), from: z.string().nullable(), to: z.string().nullable() }))
      .describe('What callers may or must send, as `optional string`; null: that version does not take it.'),
    defaults: z.array(changeSchema).describe('Values that the gateway fills in for variables.'),
    parameters: z.array(changeSchema).describe('Model, sampling parameters, output format.'),
    input_schema: z.string().describe('Unified diff of the schemas as JSON; empty when they are equal.'),
    output_schema: z.string(),
  })
  .meta({ id: 'PromptDiff' });
