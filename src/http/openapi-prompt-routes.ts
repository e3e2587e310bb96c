import { z } from 'zod';
import { json, type RouteDescription, WITH_BODY } from './route-description.ts';
import {
  labelListSchema,
  labelMoveSchema,
  labelQuerySchema,
  labelSchema,
  labelWithHistorySchema,
} from './schemas/labels-schema.ts';
import {
  promptListSchema,
  promptSchema,
  promptVersionSchema,
  renderAnswerSchema,
  renderBodySchema,
} from './schemas/prompt-schema.ts';

const nameParams = z.object({ name: z.string().describe('Name of the prompt.') });
const labelParams = nameParams.extend({ label: z.string().describe('Name of the label, without the `@`.') });

/** Prompts, their versions and labels. */
export const PROMPT_ROUTES: readonly RouteDescription[] = [
  {
    method: 'get',
    path: '/prompts',
    access: 'read',
    tag: 'Author',
    summary: 'All prompts in force, and how the last reload went',
    answers: { 200: json('The registry.', promptListSchema) },
    codes: [],
  },
  {
    method: 'get',
    path: '/prompts/{name}',
    access: 'read',
    tag: 'Author',
    summary: 'The versions and labels of one prompt',
    params: nameParams,
    answers: { 200: json('The prompt.', promptSchema) },
    codes: ['invalid_request', 'prompt_not_found'],
  },
  {
    method: 'get',
    path: '/prompts/{name}/versions/{version}',
    access: 'read',
    tag: 'Author',
    summary: 'One version: its source, schemas and hash',
    params: nameParams.extend({ version: z.string() }),
    answers: { 200: json('The version.', promptVersionSchema) },
    codes: ['invalid_request', 'prompt_not_found', 'version_not_found'],
  },
  {
    method: 'post',
    path: '/prompts/{name}/render',
    access: 'read',
    tag: 'Author',
    summary: 'Preview the messages without a model call',
    params: nameParams,
    body: renderBodySchema,
    answers: { 200: json('The messages.', renderAnswerSchema) },
    codes: [
      ...WITH_BODY,
      'prompt_not_found',
      'version_not_found',
      'label_not_found',
      'version_retired',
      'template_input_invalid',
      'template_limit_exceeded',
    ],
  },
  {
    method: 'get',
    path: '/prompts/{name}/labels',
    access: 'read',
    tag: 'Admin',
    summary: 'Every label of a prompt as it stands',
    params: nameParams,
    answers: { 200: json('The labels.', labelListSchema) },
    codes: ['invalid_request', 'prompt_not_found'],
  },
  {
    method: 'get',
    path: '/prompts/{name}/labels/{label}',
    access: 'read',
    tag: 'Admin',
    summary: 'Where a label points, and how it came there',
    params: labelParams,
    query: labelQuerySchema,
    answers: { 200: json('The label with its moves, newest first.', labelWithHistorySchema) },
    codes: ['invalid_request', 'prompt_not_found', 'label_not_found', 'storage_unavailable'],
  },
  {
    method: 'put',
    path: '/prompts/{name}/labels/{label}',
    access: 'admin',
    tag: 'Admin',
    summary: 'Move a label, or make it; moving it back is a rollback',
    params: labelParams,
    body: labelMoveSchema,
    answers: { 200: json('The label as it stands now.', labelSchema) },
    codes: [
      ...WITH_BODY,
      'prompt_not_found',
      'version_not_found',
      'experiment_not_found',
      'conflict',
      'rollout_gate_closed',
      'version_retired',
      'storage_unavailable',
    ],
  },
];
