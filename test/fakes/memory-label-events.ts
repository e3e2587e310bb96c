import type { LabelEvent, LabelEventStore, LabelMove } from '../../src/experiments/index.ts';
import { AppError } from '../../src/kernel/index.ts';

export interface MemoryLabelEvents extends LabelEventStore {
  readonly events: readonly LabelEvent[];
  /** While set, every call fails with it. */
  fail(error: Error | null): void;
}

/** Label events of one test: several views over it are several processes over one database. */
export function memoryLabelEvents(): MemoryLabelEvents {
  const events: LabelEvent[] = [];
  let failure: Error | null = null;
  const answer = async <T>(value: () => T): Promise<T> => {
    if (failure !== null) throw failure;
    return value();
  };
  const append = ({ id: _id, expectedSequence, live: _live, ...facts }: LabelMove): LabelEvent => {
    const current = events.findLast(({ prompt, label }) => prompt === facts.prompt && label === facts.label);
    if (expectedSequence !== null && expectedSequence !== (current?.sequence ?? 0)) {
      throw new AppError('conflict', `label "${facts.label}" is at sequence ${current?.sequence ?? 0}`);
    }
    if (current !== undefined && JSON.stringify(current.to) === JSON.stringify(facts.to)) return current;
    const event = { ...facts, sequence: events.length + 1, from: current?.to ?? null };
    events.push(event);
    return event;
  };
  return {
    events,
    fail: (error) => {
      failure = error;
    },
    appendMove: (move) => answer(() => append(move)),
    eventsAfter: (sequence, limit) =>
      answer(() => events.filter((event) => event.sequence > sequence).slice(0, limit)),
    history: (prompt, label, limit) =>
      answer(() =>
        events
          .filter((event) => event.prompt === prompt && event.label === label)
          .toReversed()
          .slice(0, limit),
      ),
  };
}
