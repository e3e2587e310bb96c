import type { ShadowActivity, ShadowRule } from './shadow-types.ts';

/** Places of each rule: so many shadow calls run, so many wait, and no more. */
export interface ShadowPlaces {
  /** Runs the work at once or when a place is free; false: the queue is full. The work must not fail. */
  enter(rule: ShadowRule, work: () => Promise<void>): boolean;
  activity(rule: string): Pick<ShadowActivity, 'running' | 'queued'>;
  /** Resolves when nothing runs and nothing waits. */
  settled(): Promise<void>;
}

interface Place {
  running: number;
  readonly queue: (() => Promise<void>)[];
}

export function createShadowPlaces(): ShadowPlaces {
  const places = new Map<string, Place>();
  const running = new Set<Promise<void>>();

  const start = (rule: ShadowRule, place: Place, work: () => Promise<void>): void => {
    place.running += 1;
    const ended = work().finally(() => {
      running.delete(ended);
      place.running -= 1;
      const next = place.queue.shift();
      if (next !== undefined) start(rule, place, next);
      else if (place.running === 0) places.delete(rule.name);
    });
    running.add(ended);
  };

  return {
    enter: (rule, work) => {
      const place = places.get(rule.name) ?? { running: 0, queue: [] };
      if (place.running >= rule.maxConcurrency && place.queue.length >= rule.maxQueue) return false;
      places.set(rule.name, place);
      if (place.running < rule.maxConcurrency) start(rule, place, work);
      else place.queue.push(work);
      return true;
    },
    activity: (rule) => {
      const place = places.get(rule);
      return { running: place?.running ?? 0, queued: place?.queue.length ?? 0 };
    },
    settled: async () => {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
