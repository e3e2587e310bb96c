import { z } from 'zod';
import { json, type RouteDescription, WITH_BODY } from './route-description.ts';
import {
  resumeAnswerSchema,
  rolloutPageSchema,
  rolloutQuerySchema,
  stopAnswerSchema,
  stopBodySchema,
} from './schemas/rollout-schema.ts';

const experimentParams = z.object({ name: z.string().describe('Name of the experiment.') });

/** What reaches users, and taking it back. */
export const ROLLOUT_ROUTES: readonly RouteDescription[] = [
  {
    method: 'get',
    path: '/analytics/rollouts',
    access: 'read',
    tag: 'Admin',
    summary: 'Everything that was about to reach users or was taken back, newest first',
    query: rolloutQuerySchema,
    answers: { 200: json('One page.', rolloutPageSchema) },
    codes: ['invalid_request', 'storage_unavailable'],
  },
  {
    method: 'post',
    path: '/experiments/{name}/stop',
    access: 'admin',
    tag: 'Admin',
    summary: 'Stop an experiment: every call gets its baseline and none counts',
    params: experimentParams,
    body: stopBodySchema,
    answers: { 200: json('The stop in force.', stopAnswerSchema) },
    codes: [...WITH_BODY, 'experiment_not_found', 'storage_unavailable'],
  },
  {
    method: 'post',
    path: '/experiments/{name}/resume',
    access: 'admin',
    tag: 'Admin',
    summary: 'Take a stop back; the guardrail behind it stops this definition no more',
    params: experimentParams,
    body: stopBodySchema,
    answers: { 200: json('It runs.', resumeAnswerSchema) },
    codes: [...WITH_BODY, 'experiment_not_found', 'conflict', 'storage_unavailable'],
  },
];
