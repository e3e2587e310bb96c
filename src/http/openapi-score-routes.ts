import { z } from 'zod';
import { idempotencyHeader, json, type RouteDescription, WITH_BODY } from './route-description.ts';
import {
  policyListSchema,
  policySchema,
  scoreAnswerSchema,
  scoreBodySchema,
  storedScoreSchema,
} from './schemas/score-schema.ts';

/** Ranking: decisions, and the policies that take them. */
export const SCORE_ROUTES: readonly RouteDescription[] = [
  {
    method: 'post',
    path: '/score',
    access: 'generate',
    tag: 'Recommender',
    summary: 'Rank candidates by a policy that learns, and record the decision',
    headers: idempotencyHeader,
    body: scoreBodySchema,
    answers: { 200: json('The ranking and the chosen candidate, committed.', scoreAnswerSchema) },
    codes: [
      ...WITH_BODY,
      'policy_not_found',
      'idempotency_in_progress',
      'score_invalid',
      'idempotency_mismatch',
      'storage_unavailable',
    ],
  },
  {
    method: 'get',
    path: '/scores/{id}',
    access: 'read',
    tag: 'Admin',
    summary: 'Everything recorded of one ranking decision, with its outcomes',
    params: z.object({ id: z.string() }),
    answers: { 200: json('The decision.', storedScoreSchema) },
    codes: ['invalid_request', 'score_not_found', 'storage_unavailable'],
  },
  {
    method: 'get',
    path: '/policies',
    access: 'read',
    tag: 'Admin',
    summary: 'Every ranking policy in force, and how much it has learnt from',
    answers: { 200: json('The policies.', policyListSchema) },
    codes: [],
  },
  {
    method: 'get',
    path: '/policies/{name}',
    access: 'read',
    tag: 'Admin',
    summary: 'One ranking policy: its definition, and what it has learnt of every input',
    params: z.object({ name: z.string().describe('Name of the policy.') }),
    answers: { 200: json('The policy.', policySchema) },
    codes: ['invalid_request', 'policy_not_found'],
  },
];
