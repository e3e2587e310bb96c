import type { GatewayConfig } from '../config/index.ts';
import { type Clock, errorMessage, HOUR_MS, type Logger } from '../kernel/index.ts';
import type {
  RetentionLedger,
  RetentionProgress,
  RetentionStatus,
  RetentionStatusSource,
  RetentionStep,
} from '../ledger/index.ts';

const DAY_MS = 24 * HOUR_MS;
/** Rows of each kind per step: some milliseconds of the writer. */
const STEP_ROWS = 100;
/** How often the size is looked at; deleting by age has all the time of the world. */
const SIZE_INTERVAL_MS = 1_000;
const AGE_INTERVAL_MS = 60_000;
/** By age nothing goes before this: policies learn at their start, and a clock that was wrong at boot is right by then. */
const FIRST_AGE_DELAY_MS = 60_000;
/** Between two steps by age the writer belongs to the calls. */
const AGE_PAUSE_MS = 50;
/** After a step that the ledger refused. */
const FAILURE_PAUSE_MS = 5_000;

export interface RetentionKeeper extends RetentionStatusSource {
  close(): Promise<void>;
}

/** Applies `ledger.retention` in small steps until it is closed. Never fails: what goes wrong is in the status and the log. */
export function keepRetention(options: {
  readonly ledger: RetentionLedger;
  readonly config: GatewayConfig;
  /** Ranking policies in force. */
  readonly policies: () => readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
}): RetentionKeeper {
  const { ledger, config, policies, clock, logger } = options;
  const { metrics } = config;
  const { retention } = config.ledger;
  const longestWindowMs =
    Math.max(0, ...Object.values(metrics).map((metric) => metric.attribution_window_hours)) * HOUR_MS;
  const stop = new AbortController();
  const startedAtMs = clock.monotonicMs();
  let nextAgeMs = startedAtMs + FIRST_AGE_DELAY_MS;
  let status: RetentionStatus = {
    sizes: null,
    maxBytes: retention.max_bytes,
    horizons: { rowsMs: null, contentsMs: null },
    rowsDeleted: { age: 0, size: 0 },
    contentsErased: { age: 0, size: 0 },
    returnedBytes: 0,
    steps: 0,
    lastDoneAtMs: null,
    earlyFromMs: null,
    isFull: false,
    heldBy: [],
    failure: null,
  };

  const stepNow = (): RetentionStep => {
    const nowMs = clock.nowMs();
    const isAgeDue = clock.monotonicMs() >= nextAgeMs;
    const before = (days: number | null): number | null =>
      days === null || !isAgeDue ? null : nowMs - days * DAY_MS;
    return {
      nowMs,
      eraseContentsBeforeMs: before(retention.contents_days),
      deleteRowsBeforeMs: before(retention.rows_days),
      policies: policies(),
      maxRows: STEP_ROWS,
    };
  };

  const note = (progress: RetentionProgress, nowMs: number): void => {
    const { reason, rowsDeleted, contentsErased, horizons } = progress;
    const add = (counts: RetentionStatus['rowsDeleted'], more: number) =>
      reason === null ? counts : { ...counts, [reason]: counts[reason] + more };
    const oldestDueMs = nowMs - longestWindowMs;
    const isEarly = reason === 'size' && rowsDeleted > 0 && (horizons.rowsMs ?? 0) > oldestDueMs;
    const earlyFromMs = isEarly
      ? horizons.rowsMs
      : status.earlyFromMs !== null && status.earlyFromMs > oldestDueMs
        ? status.earlyFromMs
        : null;
    if (isEarly && status.earlyFromMs === null) {
      logger.warn(
        { event: 'retention_early', max_bytes: retention.max_bytes, rows_from: isoOf(horizons.rowsMs) },
        'the size limit deletes calls whose outcomes may still come',
      );
    }
    if (progress.isFull && !status.isFull) {
      logger.error(
        { event: 'retention_full', max_bytes: retention.max_bytes },
        'the database is at its limit',
      );
    }
    if (progress.isDone && !wasDone && reason === null) {
      logger.info(
        {
          event: 'retention_done',
          rows_deleted: status.rowsDeleted,
          contents_erased: status.contentsErased,
          rows_from: isoOf(horizons.rowsMs),
          file_bytes: progress.sizes.fileBytes,
        },
        'retention is up to date',
      );
    }
    wasDone = progress.isDone;
    status = {
      ...status,
      sizes: progress.sizes,
      horizons,
      rowsDeleted: add(status.rowsDeleted, rowsDeleted),
      contentsErased: add(status.contentsErased, contentsErased),
      returnedBytes: status.returnedBytes + progress.returnedBytes,
      steps: status.steps + 1,
      lastDoneAtMs: progress.isDone ? nowMs : status.lastDoneAtMs,
      earlyFromMs,
      isFull: progress.isFull,
      heldBy: progress.heldBy,
      failure: null,
    };
  };
  let wasDone = true;

  /** How long to wait before the next step, milliseconds. */
  const runStep = async (): Promise<number> => {
    const step = stepNow();
    try {
      const progress = await ledger.retain(step);
      note(progress, step.nowMs);
      if (!progress.isDone) return progress.reason === 'size' ? 0 : AGE_PAUSE_MS;
      if (clock.monotonicMs() >= nextAgeMs) nextAgeMs = clock.monotonicMs() + AGE_INTERVAL_MS;
      return SIZE_INTERVAL_MS;
    } catch (error) {
      const failure = errorMessage(error);
      if (status.failure === null && !stop.signal.aborted) {
        logger.warn({ event: 'retention_failed', error: failure }, 'a step of retention failed');
      }
      status = { ...status, failure };
      return FAILURE_PAUSE_MS;
    }
  };

  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const pauseMs = await runStep();
      if (pauseMs > 0) await clock.sleep(pauseMs, stop.signal);
    }
  };
  const running = run();
  return {
    status: () => status,
    close: async () => {
      stop.abort();
      await running;
    },
  };
}

function isoOf(epochMs: number | null): string | null {
  return epochMs === null ? null : new Date(epochMs).toISOString();
}
