import type { GatewayConfig, MetricConfig } from '../config/index.ts';
import {
  AppError,
  type Clock,
  type Fault,
  HOUR_MS,
  type Ids,
  listNames,
  nearestName,
} from '../kernel/index.ts';
import type { Ledger, OutcomeBatch, OutcomeRecord } from '../ledger/index.ts';
import type { Redaction } from './redaction.ts';
import type { CallContext, GenerationObserver, OutcomeService, OutcomeSubmission } from './types.ts';

const TEST_TAG = 'test';

export interface OutcomeServiceParts {
  readonly ledger: Ledger;
  readonly metrics: GatewayConfig['metrics'];
  readonly redaction: Redaction;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly observer: GenerationObserver;
}

export function createOutcomeService(parts: OutcomeServiceParts): OutcomeService {
  return {
    record: async (submissions, context) => {
      const batch = checkedBatch(submissions, context, parts);
      const receipt = await parts.ledger.appendOutcomes(batch);
      parts.observer.outcomes({ accepted: receipt.accepted, duplicates: receipt.duplicates });
      return receipt;
    },
  };
}

type Entry = OutcomeBatch['entries'][number];

function checkedBatch(
  submissions: readonly OutcomeSubmission[],
  context: CallContext,
  parts: OutcomeServiceParts,
): OutcomeBatch {
  const faults: Fault[] = [];
  const entries: Entry[] = [];
  submissions.forEach((submission, index) => {
    const prefix = submissions.length === 1 ? '' : `outcomes[${index}].`;
    const entry = submission.void
      ? voidEntry(submission, prefix, faults, parts.clock.nowMs())
      : outcomeEntry(submission, prefix, faults, parts);
    if (entry !== null) entries.push(entry);
  });
  if (faults.length > 0) {
    const first = faults[0];
    throw new AppError(
      'outcome_invalid',
      faults.length === 1 && first !== undefined
        ? `${first.path}: ${first.message}`
        : `${faults.length} faults in the outcomes; nothing was stored`,
      { faults, details: { metrics: Object.keys(parts.metrics) } },
    );
  }
  return { apiKeyId: context.apiKeyId, entries };
}

function voidEntry(
  submission: OutcomeSubmission,
  prefix: string,
  faults: Fault[],
  receivedAtMs: number,
): Entry | null {
  if (submission.outcomeId === null) {
    faults.push({
      path: `${prefix}outcome_id`,
      message: 'required with "void": name the outcome to withdraw',
    });
    return null;
  }
  return { kind: 'void', void: { outcomeId: submission.outcomeId, receivedAtMs } };
}

function outcomeEntry(
  submission: OutcomeSubmission,
  prefix: string,
  faults: Fault[],
  parts: OutcomeServiceParts,
): Entry | null {
  const before = faults.length;
  const { generationId, scoreId, externalId } = submission;
  const targets = [generationId, scoreId, externalId].filter((id) => id !== null).length;
  if (targets !== 1) {
    faults.push({
      path: `${prefix}generation_id`,
      message: `name exactly one of generation_id, score_id and external_id (${targets} given)`,
    });
  }
  const metric = declaredMetric(submission.metric, `${prefix}metric`, parts.metrics, faults);
  const reward = metric === null ? null : rewardOf(metric, submission.value, `${prefix}value`, faults);
  if (faults.length > before || metric === null || reward === null || submission.metric === null) return null;
  const outcome: OutcomeRecord = {
    outcomeId: submission.outcomeId ?? parts.ids.next('out'),
    generationId,
    scoreId,
    externalId,
    metric: submission.metric,
    value: submission.value as boolean | number | string, // rewardOf accepts nothing else
    reward,
    occurredAtMs: submission.occurredAtMs,
    receivedAtMs: parts.clock.nowMs(),
    windowMs: Math.round(metric.attribution_window_hours * HOUR_MS),
    test: submission.tags.includes(TEST_TAG),
    tags: submission.tags,
    source: 'http',
    metadata: submission.metadata === null ? null : parts.redaction.apply('metadata', submission.metadata),
  };
  return { kind: 'outcome', outcome };
}

function declaredMetric(
  name: string | null,
  path: string,
  metrics: GatewayConfig['metrics'],
  faults: Fault[],
): MetricConfig | null {
  const known = Object.keys(metrics);
  if (name === null) {
    faults.push({ path, message: `required; declared metrics: ${listNames(known)}` });
    return null;
  }
  const metric = Object.hasOwn(metrics, name) ? metrics[name] : undefined;
  if (metric !== undefined) return metric;
  const nearest = nearestName(name, known);
  const hint = nearest === null ? '' : ` (did you mean "${nearest}"?)`;
  faults.push({ path, message: `unknown metric "${name}"${hint}; declared metrics: ${listNames(known)}` });
  return null;
}

/** The numeric value of an observation, or null after reporting why it is not allowed. */
function rewardOf(metric: MetricConfig, value: unknown, path: string, faults: Fault[]): number | null {
  const refuse = (allowed: string): null => {
    faults.push({ path, message: `${shown(value)} is not allowed; allowed: ${allowed}` });
    return null;
  };
  switch (metric.type) {
    case 'boolean':
      return typeof value === 'boolean' ? Number(value) : refuse('true, false');
    case 'float':
      return typeof value === 'number' && value >= metric.min && value <= metric.max
        ? value
        : refuse(`a number from ${metric.min} to ${metric.max}`);
    case 'categorical': {
      const reward =
        typeof value === 'string' && Object.hasOwn(metric.values, value) ? metric.values[value] : undefined;
      return reward ?? refuse(Object.keys(metric.values).join(', '));
    }
    default: {
      const never: never = metric;
      throw new AppError('internal', `no reward rule for ${String(never)}`);
    }
  }
}

function shown(value: unknown): string {
  if (value === undefined) return 'no value';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
