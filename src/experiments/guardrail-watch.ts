import { type Clock, errorCode, type Logger } from '../kernel/index.ts';
import type { ExperimentStops } from './experiment-stops.ts';
import type { Experiment } from './experiment-types.ts';
import type { ExperimentHealth } from './guardrail-types.ts';

export interface GuardrailWatchOptions {
  /** Those in force, without their stops. */
  readonly experiments: () => readonly Experiment[];
  readonly health: ExperimentHealth;
  readonly stops: Pick<ExperimentStops, 'find' | 'alarm' | 'breach' | 'raise'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Stops experiments that certainly harm, and notes broken assignments. One per database. */
export interface GuardrailWatch {
  /** Looks at one experiment now. Fails with `storage_unavailable`. */
  check(experiment: Experiment): Promise<void>;
  /** Looks at each running experiment at its interval until closed. */
  start(): void;
  close(): Promise<void>;
}

/** Shortest interval an experiment may have: who is due is asked this often. */
const TICK_MS = 1_000;

export function createGuardrailWatch(options: GuardrailWatchOptions): GuardrailWatch {
  const { experiments, health, stops, clock, logger } = options;
  const closing = new AbortController();
  /** Monotonic milliseconds of the last look, by name and definition. */
  const looked = new Map<string, number>();
  const failing = new Set<string>();
  let running: Promise<void> | null = null;

  const check = async (experiment: Experiment): Promise<void> => {
    if (stops.find(experiment) !== null) return;
    // A stop by a guardrail must not wait for the other question, nor fail with it.
    const [ratio, guardrails] = await Promise.allSettled([
      stops.alarm(experiment) === null ? health.sampleRatio(experiment) : null,
      experiment.guardrails.length === 0 ? [] : health.guardrails(experiment),
    ]);
    if (guardrails.status === 'fulfilled') {
      const breached = guardrails.value.find((finding) => finding.breached && !finding.waived);
      const arm = breached?.arms.find((candidate) => candidate.breached);
      if (breached !== undefined && arm !== undefined) await stops.breach(experiment, breached, arm);
    }
    if (ratio.status === 'fulfilled' && ratio.value?.alarm === true)
      await stops.raise(experiment, ratio.value);
    for (const result of [guardrails, ratio]) if (result.status === 'rejected') throw result.reason;
  };

  const isDue = (experiment: Experiment): boolean => {
    const nowMs = clock.nowMs();
    const { startMs, stopMs, guardrailIntervalMs } = experiment;
    if ((startMs !== null && nowMs < startMs) || (stopMs !== null && nowMs >= stopMs)) return false;
    const lastMs = looked.get(keyOf(experiment));
    return lastMs === undefined || clock.monotonicMs() - lastMs >= guardrailIntervalMs;
  };

  const look = async (experiment: Experiment): Promise<void> => {
    const { name } = experiment;
    looked.set(keyOf(experiment), clock.monotonicMs());
    try {
      await check(experiment);
      if (failing.delete(name)) {
        logger.info({ event: 'guardrails_checked', experiment: name }, 'guardrails are checked again');
      }
    } catch (error) {
      // Harm that could not be seen, or a stop that could not be written, does not wait for the next interval.
      looked.delete(keyOf(experiment));
      if (failing.has(name) || closing.signal.aborted) return;
      failing.add(name);
      logger.error(
        { event: 'guardrails_not_checked', experiment: name, code: errorCode(error), err: error },
        'guardrails cannot be checked: the experiment goes on without them',
      );
    }
  };

  const follow = async (): Promise<void> => {
    while (true) {
      await clock.sleep(TICK_MS, closing.signal);
      if (closing.signal.aborted) return;
      const inForce = experiments();
      const keys = new Set(inForce.map(keyOf));
      for (const key of looked.keys()) if (!keys.has(key)) looked.delete(key);
      for (const experiment of inForce) {
        if (closing.signal.aborted) return;
        if (isDue(experiment)) await look(experiment);
      }
    }
  };

  return {
    check,
    start: () => {
      running ??= follow();
    },
    close: async () => {
      closing.abort();
      await running;
    },
  };
}

function keyOf({ name, revision }: Experiment): string {
  return `${name} ${revision}`;
}
