import type { IncomingMessage } from 'node:http';
import { AppError } from '../../kernel/index.ts';
import type { ScoreRequest } from '../../serving/index.ts';
import type { HttpServices } from '../http-services.ts';
import { idempotencyOf } from '../idempotency-key.ts';
import { readJsonBody } from '../json-body.ts';
import { pathParameter } from '../read-query.ts';
import { callContext, type RequestScope } from '../request-scope.ts';
import type { DirectRoute, RouteDefinition } from '../route-definition.ts';
import { type ScoreBody, scoreBodySchema } from '../schemas/score-schema.ts';
import { scoreAnswerToWire, scoreTiming, storedScoreToWire } from '../score-wire.ts';
import { sendAnswer, sendJson } from '../send-json.ts';
import { validateInput } from '../validate-input.ts';

const PATH = '/score';

/** Ranking for recommenders. */
export function scoreRoute(services: HttpServices): DirectRoute {
  return {
    method: 'post',
    path: PATH,
    access: 'generate',
    async handle(request, response, scope) {
      const json = await readJsonBody(request, services.settings);
      const body = validateInput(scoreBodySchema, json, 'The body');
      const reply = await services.scores.score(scoreRequest(body, json, request, scope));
      const { answer } = reply;
      scope.logFields = {
        score_id: answer.id,
        policy: answer.policy,
        policy_revision: answer.policyRevision,
        candidates: answer.ranking.length,
        recorded: answer.recorded,
      };
      if (reply.replayed) scope.head.push('Idempotency-Replayed', 'true');
      scope.head.push('Server-Timing', scoreTiming(reply.timing));
      sendAnswer(response, scope, scoreAnswerToWire(answer));
    },
  };
}

/** One decision whole, for admins. */
export function storedScoreRoute(services: HttpServices): RouteDefinition {
  return {
    method: 'get',
    path: '/scores/:id',
    access: 'read',
    async handle(request, response, scope) {
      const id = pathParameter(request, 'id');
      const score = await services.ledgerReader.findScore(id);
      if (score === null) {
        throw new AppError('score_not_found', `There is no score ${id.slice(0, 100)}.`);
      }
      scope.logFields = { score_id: score.id };
      sendJson(response, 200, storedScoreToWire(score));
    },
  };
}

function scoreRequest(
  body: ScoreBody,
  json: unknown,
  request: IncomingMessage,
  scope: RequestScope,
): ScoreRequest {
  return {
    context: callContext(scope),
    policy: body.policy ?? null,
    candidates: body.candidates.map(({ id, features }) => ({ id, features: features ?? {} })),
    profileFeatures: body.profile_features ?? null,
    contextFeatures: body.context ?? null,
    userId: body.user_id ?? null,
    sessionId: body.session_id ?? null,
    externalId: body.external_id ?? null,
    metadata: body.metadata ?? null,
    tags: body.tags ?? [],
    idempotency: idempotencyOf(request, PATH, json),
  };
}
