import { type Clock, errorCode, errorMessage, type Logger } from '../kernel/index.ts';
import type { Experiment } from './experiment-types.ts';
import type {
  LiveVersion,
  NewRolloutEvent,
  RolloutEvent,
  RolloutEventStore,
  RolloutPageQuery,
} from './rollout-types.ts';

/** The rollout events as this process sees them, and what follows from them. */
export interface RolloutHistory {
  /** Whether the label has led users to exactly this text before. */
  wasLive(live: LiveVersion): boolean;
  /** The definition in force as far as the history knows; null: none was ever. */
  definition(kind: 'experiment' | 'policy', name: string): string | null;
  /** Whether a definition was in force before. */
  wasInForce(kind: 'experiment' | 'policy', name: string, revision: string): boolean;
  /** The stop that holds for this definition; null: it runs. */
  stop(experiment: Pick<Experiment, 'name' | 'revision'>): RolloutEvent | null;
  /** The first alarm about this definition. */
  alarm(experiment: Pick<Experiment, 'name' | 'revision'>): RolloutEvent | null;
  /** Guardrails (their {@link guardrailKey}) that somebody went on without, for this definition. */
  waived(experiment: Pick<Experiment, 'name' | 'revision'>): ReadonlySet<string>;
  /** Changes with every event that was seen. */
  readonly version: number;
  /** In force here when the answer comes. Fails with `storage_unavailable`. */
  append(event: NewRolloutEvent): Promise<RolloutEvent>;
  page(query: RolloutPageQuery): Promise<readonly RolloutEvent[]>;
  /** Reads all that is new. Fails with `storage_unavailable`. */
  catchUp(): Promise<void>;
  /** Follows what other processes and moves of labels add, until closed. */
  start(): void;
  close(): Promise<void>;
}

export interface RolloutHistoryOptions {
  readonly store: RolloutEventStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pollIntervalMs?: number;
}

/** A stop is in force everywhere within this time. */
const POLL_INTERVAL_MS = 250;
const LONGEST_POLL_INTERVAL_MS = 5_000;
const PAGE_EVENTS = 500;

export function createRolloutHistory(options: RolloutHistoryOptions): RolloutHistory {
  const { store, clock, logger, pollIntervalMs = POLL_INTERVAL_MS } = options;
  const live = new Set<string>();
  const definitions = new Map<string, { current: string; readonly all: Set<string> }>();
  const stops = new Map<string, RolloutEvent>();
  const alarms = new Map<string, RolloutEvent>();
  const waivers = new Map<string, ReadonlySet<string>>();
  const closing = new AbortController();
  let seenSequence = 0;
  let version = 0;
  let following: Promise<void> | null = null;
  let reading: Promise<void> | null = null;

  const apply = (event: RolloutEvent): void => {
    version += 1;
    if (event.decision === 'refused') return;
    for (const version of event.live) live.add(liveKey(version));
    const { subjectKind: kind, subject, revision } = event;
    if (kind === 'label' || revision === null) return;
    const key = `${subject} ${revision}`;
    switch (event.decision) {
      case 'stopped':
        stops.set(key, event);
        break;
      case 'resumed':
        stops.delete(key);
        waivers.set(key, new Set([...(waivers.get(key) ?? []), ...waivedBy(event)]));
        break;
      case 'alarmed':
        if (!alarms.has(key)) alarms.set(key, event);
        break;
      case 'allowed':
      case 'exempt':
      case 'overridden': {
        const known = definitions.get(`${kind} ${subject}`) ?? { current: revision, all: new Set<string>() };
        known.current = revision;
        known.all.add(revision);
        definitions.set(`${kind} ${subject}`, known);
        break;
      }
      default:
        event.decision satisfies never;
    }
  };

  const readNew = async (): Promise<void> => {
    while (true) {
      const events = await store.rolloutsAfter(seenSequence, PAGE_EVENTS);
      for (const event of events) {
        // Two readers at once must not count an event twice, nor one after a later one.
        if (event.sequence <= seenSequence) continue;
        seenSequence = event.sequence;
        apply(event);
      }
      if (events.length < PAGE_EVENTS) return;
    }
  };

  /** One reader at a time; who comes while one reads waits for the next, so that it sees what it has written. */
  const catchUp = async (): Promise<void> => {
    await reading?.catch(() => undefined);
    reading ??= readNew().finally(() => {
      reading = null;
    });
    return reading;
  };

  const follow = async (): Promise<void> => {
    let waitMs = pollIntervalMs;
    let isFailing = false;
    while (true) {
      await clock.sleep(waitMs, closing.signal);
      if (closing.signal.aborted) return;
      try {
        await catchUp();
        if (isFailing) logger.info({ event: 'rollouts_followed' }, 'rollout events are seen again');
        isFailing = false;
        waitMs = pollIntervalMs;
      } catch (error) {
        if (!isFailing && !closing.signal.aborted) {
          logger.warn(
            { event: 'rollouts_not_followed', code: errorCode(error), error: errorMessage(error) },
            'rollout events of other processes are not seen: the last known ones stay in force',
          );
        }
        isFailing = true;
        waitMs = Math.min(waitMs * 2, LONGEST_POLL_INTERVAL_MS);
      }
    }
  };

  return {
    wasLive: (version) => live.has(liveKey(version)),
    definition: (kind, name) => definitions.get(`${kind} ${name}`)?.current ?? null,
    wasInForce: (kind, name, revision) => definitions.get(`${kind} ${name}`)?.all.has(revision) === true,
    stop: ({ name, revision }) => stops.get(`${name} ${revision}`) ?? null,
    alarm: ({ name, revision }) => alarms.get(`${name} ${revision}`) ?? null,
    waived: ({ name, revision }) => waivers.get(`${name} ${revision}`) ?? new Set(),
    get version() {
      return version;
    },
    append: async (event) => {
      const stored = await store.appendRollout(event);
      try {
        // Events before it that nobody here has seen come first.
        await catchUp();
      } catch {
        // It is written, so it holds; the next poll brings it again, in order.
        apply(stored);
      }
      return stored;
    },
    page: (query) => store.rolloutPage(query),
    catchUp,
    start: () => {
      following ??= follow();
    },
    close: async () => {
      closing.abort();
      await following;
    },
  };
}

function liveKey({ prompt, label, version, hash }: LiveVersion): string {
  return `${prompt}@${label} ${version} ${hash}`;
}

function waivedBy({ facts }: RolloutEvent): readonly string[] {
  const waived = facts?.['waived'];
  return Array.isArray(waived) ? waived.filter((key) => typeof key === 'string') : [];
}
