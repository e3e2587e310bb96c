import { z } from 'zod';
import type { ErrorCode } from '../kernel/index.ts';
import { ACCESS_ROUTES } from './openapi-access-routes.ts';
import { DASHBOARD_ROUTES } from './openapi-dashboard-routes.ts';
import { PROMPT_ROUTES } from './openapi-prompt-routes.ts';
import { ROLLOUT_ROUTES } from './openapi-rollout-routes.ts';
import { SCORE_ROUTES } from './openapi-score-routes.ts';
import { idempotencyHeader, json, type RouteDescription, WITH_BODY } from './route-description.ts';
import { chatAnswerSchema, chatBodySchema, modelListSchema, modelSchema } from './schemas/chat-schema.ts';
import {
  experimentHistoryQuerySchema,
  experimentHistorySchema,
  experimentListSchema,
  experimentQuerySchema,
  experimentReportSchema,
} from './schemas/experiment-schema.ts';
import { outcomeBatchSchema, outcomeReceiptSchema, outcomeSchema } from './schemas/feedback-schema.ts';
import { dryRunSchema, generateAnswerSchema, generateBodySchema } from './schemas/generate-schema.ts';
import { policyQuerySchema, policyReportSchema } from './schemas/policy-report-schema.ts';
import { reportQuerySchema, reportSchema } from './schemas/report-schema.ts';
import { shadowListSchema, shadowReportSchema } from './schemas/shadow-schema.ts';
import { readinessSchema } from './schemas/system-schema.ts';

const CALL_CODES: readonly ErrorCode[] = [
  'prompt_not_found',
  'version_not_found',
  'label_not_found',
  'route_not_found',
  'idempotency_in_progress',
  'version_retired',
  'template_input_invalid',
  'template_limit_exceeded',
  'idempotency_mismatch',
  'context_overflow',
  'content_filtered',
  'rate_limited',
  'budget_exceeded',
  'provider_bad_response',
  'provider_rejected',
  'provider_unavailable',
  'overloaded',
  'storage_unavailable',
  'provider_timeout',
];

const nameParams = z.object({ name: z.string().describe('Name of the prompt.') });
const eventStream = { 'text/event-stream': { schema: z.string() } };

/** Every route, in the order of the documentation. */
export const ROUTES: readonly RouteDescription[] = [
  {
    method: 'post',
    path: '/generate',
    access: 'generate',
    tag: 'Recommender',
    summary: 'Render a prompt, call a model, record the call',
    headers: idempotencyHeader,
    body: generateBodySchema,
    answers: {
      200: {
        description:
          'The answer, or with `dry_run` what would have been sent. With `stream` the events `start`, `delta`, `tool_call`, and last `end` or `error`.',
        content: {
          'application/json': { schema: z.union([generateAnswerSchema, dryRunSchema]) },
          ...eventStream,
        },
      },
    },
    codes: [...WITH_BODY, ...CALL_CODES],
  },
  ...SCORE_ROUTES,
  {
    method: 'post',
    path: '/feedback',
    access: 'feedback',
    tag: 'Recommender',
    summary: 'Report one outcome or up to 1,000, all or none; with `score_id` they train its policy',
    body: z.union([outcomeSchema, outcomeBatchSchema]),
    answers: { 200: json('Committed.', outcomeReceiptSchema) },
    codes: [...WITH_BODY, 'conflict', 'outcome_invalid', 'storage_unavailable'],
  },
  {
    method: 'get',
    path: '/analytics/prompts/{name}/versions',
    access: 'read',
    tag: 'Admin',
    summary: 'What each version of a prompt earned, cost and took',
    params: nameParams,
    query: reportQuerySchema,
    answers: {
      200: {
        description: 'The report.',
        content: { 'application/json': { schema: reportSchema }, 'text/csv': { schema: z.string() } },
      },
    },
    codes: ['invalid_request', 'prompt_not_found', 'version_not_found', 'storage_unavailable'],
  },
  {
    method: 'get',
    path: '/analytics/experiments',
    access: 'read',
    tag: 'Admin',
    summary: 'Every configured experiment',
    answers: { 200: json('The experiments, by name.', experimentListSchema) },
    codes: [],
  },
  {
    method: 'get',
    path: '/analytics/experiments/{name}',
    access: 'read',
    tag: 'Admin',
    summary: 'What an experiment has shown, with a verdict in plain words',
    params: z.object({ name: z.string().describe('Name of the experiment.') }),
    query: experimentQuerySchema,
    answers: {
      200: {
        description: 'The report.',
        content: {
          'application/json': { schema: experimentReportSchema },
          'text/csv': { schema: z.string() },
        },
      },
    },
    codes: ['invalid_request', 'experiment_not_found', 'overloaded', 'storage_unavailable'],
  },
  {
    method: 'get',
    path: '/analytics/experiments/{name}/history',
    access: 'read',
    tag: 'Admin',
    summary: 'How the evidence of an experiment grew',
    params: z.object({ name: z.string().describe('Name of the experiment.') }),
    query: experimentHistoryQuerySchema,
    answers: { 200: json('Cumulative means with their intervals, by arm.', experimentHistorySchema) },
    codes: ['invalid_request', 'experiment_not_found', 'overloaded', 'storage_unavailable'],
  },
  {
    method: 'get',
    path: '/analytics/shadow',
    access: 'read',
    tag: 'Admin',
    summary: 'Every candidate that runs in shadow, with its counts',
    answers: { 200: json('The shadow rules, by name.', shadowListSchema) },
    codes: ['storage_unavailable'],
  },
  {
    method: 'get',
    path: '/analytics/shadow/{name}',
    access: 'read',
    tag: 'Admin',
    summary: 'What the shadow runs of a candidate have shown, beside their live calls',
    params: z.object({ name: z.string().describe('Name of the shadow rule.') }),
    answers: { 200: json('The report.', shadowReportSchema) },
    codes: ['invalid_request', 'shadow_not_found', 'storage_unavailable'],
  },
  ...ROLLOUT_ROUTES,
  {
    method: 'get',
    path: '/analytics/policies/{name}',
    access: 'read',
    tag: 'Admin',
    summary: 'What a ranking policy did and earned, and what another would have earned',
    params: z.object({ name: z.string().describe('Name of the policy.') }),
    query: policyQuerySchema,
    answers: { 200: json('The report.', policyReportSchema) },
    codes: ['invalid_request', 'policy_not_found', 'overloaded', 'storage_unavailable'],
  },
  ...DASHBOARD_ROUTES,
  ...PROMPT_ROUTES,
  {
    method: 'post',
    path: '/v1/chat/completions',
    access: 'generate',
    tag: 'OpenAI',
    summary: 'Chat completion: of a prompt, or passed through a route',
    headers: idempotencyHeader,
    body: chatBodySchema,
    answers: {
      200: {
        description: 'The completion; with `stream` its chunks and `[DONE]`.',
        content: { 'application/json': { schema: chatAnswerSchema }, ...eventStream },
      },
    },
    codes: [...WITH_BODY, ...CALL_CODES],
  },
  {
    method: 'get',
    path: '/v1/models',
    access: 'generate',
    tag: 'OpenAI',
    summary: 'Every model name a client may use',
    answers: { 200: json('The models.', modelListSchema) },
    codes: [],
  },
  {
    method: 'get',
    path: '/v1/models/{id}',
    access: 'generate',
    tag: 'OpenAI',
    summary: 'One model; its name may hold slashes',
    params: z.object({ id: z.string() }),
    answers: { 200: json('The model.', modelSchema) },
    codes: ['invalid_request', 'route_not_found'],
  },
  ...ACCESS_ROUTES,
  {
    method: 'get',
    path: '/healthz',
    access: 'public',
    tag: 'Operations',
    summary: 'The process is alive',
    answers: { 200: json('Alive.', z.object({ status: z.literal('ok') })) },
    codes: [],
  },
  {
    method: 'get',
    path: '/readyz',
    access: 'public',
    tag: 'Operations',
    summary: 'Traffic may come, with degraded parts named',
    answers: {
      200: json('Ready or degraded.', readinessSchema),
      503: json('Draining, or a part failed.', readinessSchema),
    },
    codes: [],
  },
  {
    method: 'get',
    path: '/metrics',
    access: 'read',
    tag: 'Operations',
    summary: 'Prometheus metrics, text format 0.0.4',
    answers: { 200: { description: 'The metrics.', content: { 'text/plain': { schema: z.string() } } } },
    codes: [],
  },
  {
    method: 'get',
    path: '/openapi.json',
    access: 'public',
    tag: 'Operations',
    summary: 'This document',
    answers: { 200: json('OpenAPI 3.1.', z.record(z.string(), z.unknown())) },
    codes: [],
  },
  {
    method: 'get',
    path: '/admin',
    access: 'public',
    tag: 'Operations',
    summary: 'The admin page',
    answers: {
      200: { description: 'The page.', content: { 'text/html': { schema: z.string() } } },
      404: { description: 'It is not built.', content: { 'text/html': { schema: z.string() } } },
    },
    codes: [],
  },
  {
    method: 'get',
    path: '/docs',
    access: 'public',
    tag: 'Operations',
    summary: 'This document as a page',
    answers: { 200: { description: 'The page.', content: { 'text/html': { schema: z.string() } } } },
    codes: [],
  },
  {
    method: 'get',
    path: '/',
    access: 'public',
    tag: 'Operations',
    summary: 'Name, version and links',
    answers: {
      200: json(
        'The index.',
        z.object({ name: z.string(), version: z.string(), links: z.record(z.string(), z.string()) }),
      ),
    },
    codes: [],
  },
];
