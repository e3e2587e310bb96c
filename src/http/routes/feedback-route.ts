import type { OutcomeReceipt } from '../../ledger/index.ts';
import type { OutcomeSubmission } from '../../serving/index.ts';
import type { HttpServices } from '../http-services.ts';
import { readJsonBody } from '../json-body.ts';
import { callContext } from '../request-scope.ts';
import type { DirectRoute } from '../route-definition.ts';
import { type OutcomeBody, outcomeBatchSchema, outcomeSchema } from '../schemas/feedback-schema.ts';
import { sendAnswer } from '../send-json.ts';
import { validateInput } from '../validate-input.ts';

export function feedbackRoute(services: HttpServices): DirectRoute {
  return {
    method: 'post',
    path: '/feedback',
    access: 'feedback',
    async handle(request, response, scope) {
      const json = await readJsonBody(request, services.settings);
      const outcomes = isBatch(json)
        ? validateInput(outcomeBatchSchema, json, 'The body').outcomes
        : [validateInput(outcomeSchema, json, 'The body')];
      const receipt = await services.outcomes.record(outcomes.map(submissionOf), callContext(scope));
      scope.logFields = { outcomes_accepted: receipt.accepted, outcomes_duplicate: receipt.duplicates };
      sendAnswer(response, scope, receiptToWire(receipt));
    },
  };
}

/** Told apart by hand: a union of schemas could not say which half's faults matter. */
function isBatch(json: unknown): boolean {
  return json !== null && typeof json === 'object' && Object.hasOwn(json, 'outcomes');
}

function submissionOf(body: OutcomeBody): OutcomeSubmission {
  return {
    generationId: body.generation_id ?? null,
    scoreId: body.score_id ?? null,
    externalId: body.external_id ?? null,
    metric: body.metric ?? null,
    value: body.value ?? undefined,
    outcomeId: body.outcome_id ?? null,
    occurredAtMs: body.occurred_at == null ? null : Date.parse(body.occurred_at),
    void: body.void ?? false,
    tags: body.tags ?? [],
    metadata: body.metadata ?? null,
  };
}

function receiptToWire(receipt: OutcomeReceipt) {
  return { accepted: receipt.accepted, duplicates: receipt.duplicates, outcome_ids: receipt.outcomeIds };
}
