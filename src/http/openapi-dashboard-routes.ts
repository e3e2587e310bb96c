import { z } from 'zod';
import { json, type RouteDescription } from './route-description.ts';
import { overviewSchema, timeSeriesQuerySchema, timeSeriesSchema } from './schemas/dashboard-schema.ts';
import { generationListQuerySchema, generationListSchema } from './schemas/generation-schema.ts';
import { generationSchema } from './schemas/system-schema.ts';

const nameParams = z.object({ name: z.string().describe('Name of the prompt.') });

import { promptDiffQuerySchema, promptDiffSchema } from './schemas/prompt-schema.ts';
/** What pages show at a glance, and the calls behind it. */
export const DASHBOARD_ROUTES: readonly RouteDescription[] = [
  {
    method: 'get',
    path: '/analytics/overview',
    access: 'read',
    tag: 'Admin',
    summary: 'Every prompt at a glance, and what needs attention',
    answers: { 200: json('At most a second old.', overviewSchema) },
    codes: ['storage_unavailable'],
  },
  {
    method: 'get',
    path: '/analytics/prompts/{name}/timeseries',
    access: 'read',
    tag: 'Admin',
    summary: 'How the versions of a prompt did, hour by hour or day by day',
    params: nameParams,
    query: timeSeriesQuerySchema,
    answers: { 200: json('A series for each version, and the moves of labels.', timeSeriesSchema) },
    codes: ['invalid_request', 'prompt_not_found', 'version_not_found', 'storage_unavailable'],
  },
  {
    method: 'get',
    path: '/prompts/{name}/diff',
    access: 'read',
    tag: 'Author',
    summary: 'What changes when a call gets one version instead of another',
    params: nameParams,
    query: promptDiffQuerySchema,
    answers: { 200: json('Text, variables, defaults, parameters and schemas.', promptDiffSchema) },
    codes: ['invalid_request', 'prompt_not_found', 'version_not_found'],
  },
  {
    method: 'get',
    path: '/generations',
    access: 'read',
    tag: 'Admin',
    summary: 'Calls, newest first, page by page',
    query: generationListQuerySchema,
    answers: { 200: json('One page.', generationListSchema) },
    codes: ['invalid_request', 'storage_unavailable'],
  },
  {
    method: 'get',
    path: '/generations/{id}',
    access: 'read',
    tag: 'Admin',
    summary: 'Everything recorded of one call, with its outcomes and what the model was sent',
    params: z.object({ id: z.string() }),
    answers: { 200: json('The call.', generationSchema) },
    codes: ['invalid_request', 'generation_not_found', 'storage_unavailable'],
  },
];
