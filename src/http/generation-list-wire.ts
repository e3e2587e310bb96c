import { AppError, usdFromNanoUsd } from '../kernel/index.ts';
import type {
  GenerationPage,
  GenerationPlace,
  GenerationSummary,
  RetentionHorizons,
} from '../ledger/index.ts';

export function pageToWire({ generations, next }: GenerationPage, horizons: RetentionHorizons) {
  return {
    generations: generations.map(summaryToWire),
    next_cursor: next === null ? null : cursorOf(next),
    searched_until: next === null ? null : new Date(next.createdAtMs).toISOString(),
    ...horizonsToWire(horizons),
  };
}

/** Since when calls, and their contents, are kept: earlier ones are gone. Null: nothing has gone. */
function horizonsToWire({ rowsMs, contentsMs }: RetentionHorizons) {
  const iso = (epochMs: number | null) => (epochMs === null ? null : new Date(epochMs).toISOString());
  return { kept_from: iso(rowsMs), contents_kept_from: iso(contentsMs) };
}

/** A place of the list as text that callers hand back: its parts are nobody's business. */
function cursorOf({ createdAtMs, sequence }: GenerationPlace): string {
  return Buffer.from(`${createdAtMs}.${sequence}`).toString('base64url');
}

const CURSOR = /^(?<createdAtMs>\d{1,16})\.(?<sequence>\d{1,16})$/;

/** Fails with `invalid_request` for anything else than a `next_cursor`. */
export function placeOfCursor(cursor: string): GenerationPlace {
  const { createdAtMs, sequence } =
    CURSOR.exec(Buffer.from(cursor, 'base64url').toString('latin1'))?.groups ?? {};
  if (createdAtMs !== undefined && sequence !== undefined) {
    return { createdAtMs: Number(createdAtMs), sequence: Number(sequence) };
  }
  throw new AppError('invalid_request', 'The cursor is not one of this list.', {
    faults: [{ path: 'cursor', message: 'must be `next_cursor` of the page before' }],
  });
}

function summaryToWire(summary: GenerationSummary) {
  return {
    id: summary.id,
    created_at: new Date(summary.createdAtMs).toISOString(),
    surface: summary.surface,
    external_id: summary.externalId,
    prompt: summary.prompt,
    prompt_version: summary.promptVersion,
    prompt_hash: summary.promptHash,
    version_source: summary.versionSource,
    label: summary.label,
    experiment: summary.experiment,
    arm: summary.arm,
    status: summary.status,
    error_code: summary.errorCode,
    route: summary.route,
    provider: summary.provider,
    model: summary.model,
    forced: summary.forced,
    degraded: summary.degraded,
    fell_back: summary.fellBack,
    test: summary.test,
    replay: summary.replay,
    shadow_of: summary.shadowOf,
    streamed: summary.streamed,
    attempts: summary.attempts,
    input_tokens: summary.inputTokens,
    output_tokens: summary.outputTokens,
    cost_usd: usdFromNanoUsd(summary.costNanoUsd),
    latency_ms: Math.round(summary.totalMs),
    text_start: summary.textStart,
    rewards: summary.rewards,
  };
}
