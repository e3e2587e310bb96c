import type { MetricConfig } from '../config/index.ts';
import type { Experiment } from '../experiments/index.ts';
import { type Clock, errorCode, HOUR_MS, hourOf, type Logger } from '../kernel/index.ts';
import {
  emptySequenceState,
  foldSequenceDecision,
  type SequenceDecision,
  type SequencePlan,
  type SequenceState,
  STATE_FORMAT,
  sequencePlan,
} from './sequence-state.ts';
import type { DecisionPosition, SequenceCheckpoint, SequenceKey, SequenceStore } from './sequence-store.ts';

/** Hours close once an hour; corrections show after this long. */
const FOLD_INTERVAL_MS = 60_000;

/** Work of one step, in decisions x arms^2: a few milliseconds on the thread that also answers calls. */
const STEP_WORK = 1_000;
const MAX_PAGE_ROWS = 100;

/** A correction while the leader folds makes it begin again; the next pass goes on where this one gave up. */
const MAX_ATTEMPTS = 20;

export interface SequenceFoldsOptions {
  /** The experiments in force at each pass. */
  readonly experiments: () => readonly Experiment[];
  readonly metrics: Readonly<Record<string, MetricConfig>>;
  readonly store: SequenceStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Folds the decisions of every experiment into its sequences, each once, when its hour is closed. One per database. */
export interface SequenceFolds {
  /** Folds now and then until closed. */
  start(): void;
  /** One pass over all experiments; a failure of one leaves the others alone and is logged. */
  foldAll(): Promise<void>;
  /** Stops after the page that is being folded. */
  close(): Promise<void>;
}

/** The part of a definition that a fold of its hours needs. */
interface FoldJob {
  readonly key: SequenceKey;
  readonly plan: SequencePlan;
  /** Hours before this are closed. */
  readonly untilMs: number;
}

export function createSequenceFolds(options: SequenceFoldsOptions): SequenceFolds {
  const { store, clock, logger } = options;
  // A metric may be called like a property every object has.
  const metrics = new Map(Object.entries(options.metrics));
  const stop = new AbortController();
  let running: Promise<void> | null = null;

  /** False: a correction came in between, and everything from it on has to be folded again. */
  const foldOnce = async ({ key, plan, untilMs }: FoldJob): Promise<boolean> => {
    const corrections = await store.claim(key, untilMs);
    const from = resumable(await store.soundCheckpoint(key), plan);
    const limit = Math.max(1, Math.min(MAX_PAGE_ROWS, Math.floor(STEP_WORK / plan.arms.length ** 2)));
    let afterHourMs = from?.hourMs ?? null;
    let after: DecisionPosition = {
      createdAtMs: afterHourMs === null ? 0 : afterHourMs + HOUR_MS,
      generationId: '',
    };
    let state: SequenceState = from?.state ?? emptySequenceState(plan);
    let openHourMs: number | null = null;
    while (true) {
      const page: readonly SequenceDecision[] = await store.decisionPage({ ...key, after, untilMs, limit });
      if (stop.signal.aborted) return true;
      for (const decision of page) {
        const hourMs = hourOf(decision.createdAtMs);
        if (openHourMs !== null && hourMs > openHourMs) {
          const checkpoint = { hourMs: openHourMs, state };
          const until = { untilMs: openHourMs + HOUR_MS };
          if (!(await store.commit({ ...key, corrections, afterHourMs, checkpoint, ...until }))) return false;
          if (stop.signal.aborted) return true;
          afterHourMs = openHourMs;
        }
        openHourMs = hourMs;
        state = foldSequenceDecision(state, plan, decision);
      }
      const last = page.at(-1);
      if (last === undefined || page.length < limit) break;
      after = { createdAtMs: last.createdAtMs, generationId: last.generationId };
    }
    const checkpoint = openHourMs === null ? null : { hourMs: openHourMs, state };
    return store.commit({ ...key, corrections, afterHourMs, checkpoint, untilMs });
  };

  const fold = async (experiment: Experiment): Promise<void> => {
    const metric = metrics.get(experiment.metric);
    if (metric === undefined) return;
    const key = sequenceKey(experiment);
    const head = await store.sequenceHead(key);
    // Hours that were folded once stay so, also after a longer grace or a clock that went back.
    const untilMs = Math.max(closedUntilMs(experiment, metric, clock.nowMs()), head?.foldedUntilMs ?? 0);
    const plan = sequencePlan(experiment, metric);
    const isReadable = head?.checkpoint === null || resumable(head?.checkpoint ?? null, plan) !== null;
    if (head !== null && head.soundUntilMs >= untilMs && isReadable) return;
    const job = { key, plan, untilMs };
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      if (stop.signal.aborted || (await foldOnce(job))) return;
    }
    logger.debug({ event: 'sequence_fold_behind', ...key }, 'rewards change faster than they are folded');
  };

  const foldAll = async (): Promise<void> => {
    for (const experiment of options.experiments()) {
      if (stop.signal.aborted) return;
      try {
        await fold(experiment);
      } catch (error) {
        logger.warn(
          { event: 'sequence_fold_failed', experiment: experiment.name, code: errorCode(error), err: error },
          'decisions not folded; the report shows what was folded before',
        );
      }
    }
  };

  const follow = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await foldAll();
      await clock.sleep(FOLD_INTERVAL_MS, stop.signal);
    }
  };

  return {
    start: () => {
      running ??= follow();
    },
    foldAll,
    close: async () => {
      stop.abort();
      await running;
    },
  };
}

/** The sequence of an experiment as it is defined now. */
export function sequenceKey({ name, revision, metric }: Experiment): SequenceKey {
  return { experiment: name, experimentRevision: revision, metric };
}

/** End of the last decision hour whose attribution window and grace are over. */
function closedUntilMs(experiment: Experiment, metric: MetricConfig, nowMs: number): number {
  return Math.max(0, hourOf(nowMs - metric.attribution_window_hours * HOUR_MS - experiment.graceMs));
}

function resumable(checkpoint: SequenceCheckpoint | null, plan: SequencePlan): SequenceCheckpoint | null {
  if (checkpoint?.state.format !== STATE_FORMAT) return null;
  return checkpoint.state.arms.length === plan.arms.length ? checkpoint : null;
}
