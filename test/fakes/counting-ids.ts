import type { Ids } from '../../src/kernel/index.ts';

/** `gen_1`, `gen_2`, …: ids a test can write down. */
export function countingIds(): Ids {
  const counts = new Map<string, number>();
  return {
    next: (prefix) => {
      const count = (counts.get(prefix) ?? 0) + 1;
      counts.set(prefix, count);
      return `${prefix}_${count}`;
    },
  };
}
