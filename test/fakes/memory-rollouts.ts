import type { NewRolloutEvent, RolloutEvent, RolloutEventStore } from '../../src/experiments/index.ts';

export interface MemoryRollouts extends RolloutEventStore {
  readonly events: readonly RolloutEvent[];
  /** While set, every call fails with it. */
  fail(error: Error | null): void;
  /** The same of what reads alone. */
  failReads(error: Error | null): void;
}

/** Rollout events of one test: several histories over it are several processes over one database. */
export function memoryRollouts(): MemoryRollouts {
  const events: RolloutEvent[] = [];
  let failure: Error | null = null;
  let readFailure: Error | null = null;
  const answer = async <T>(value: () => T): Promise<T> => {
    if (failure !== null) throw failure;
    return value();
  };
  const append = (event: NewRolloutEvent): RolloutEvent => {
    const newest = events.findLast(
      ({ subjectKind, subject }) => subjectKind === event.subjectKind && subject === event.subject,
    );
    const repeats =
      newest?.decision === event.decision && newest.to === event.to && newest.revision === event.revision;
    if (repeats && newest !== undefined) return newest;
    const stored = { ...event, sequence: events.length + 1 };
    events.push(stored);
    return stored;
  };
  return {
    events,
    fail: (error) => {
      failure = error;
    },
    failReads: (error) => {
      readFailure = error;
    },
    appendRollout: (event) => answer(() => append(event)),
    rolloutsAfter: (sequence, limit) =>
      answer(() => {
        if (readFailure !== null) throw readFailure;
        return events.filter((event) => event.sequence > sequence).slice(0, limit);
      }),
    rolloutPage: ({ subject, subjectKind, beforeSequence, limit }) =>
      answer(() =>
        events
          .filter(
            (event) =>
              (subject === null || event.subject === subject) &&
              (subjectKind === null || event.subjectKind === subjectKind) &&
              event.sequence < (beforeSequence ?? Number.POSITIVE_INFINITY),
          )
          .toReversed()
          .slice(0, limit),
      ),
  };
}
