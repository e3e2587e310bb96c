import { randomFillSync } from 'node:crypto';
import { V7Generator } from 'uuidv7';

/** `gen` a generation, `out` an outcome, `scr` a score, `lbl` a move of a label, `rol` a rollout event, `req` a request, `run` a lease or a process. */
export type IdPrefix = 'gen' | 'out' | 'scr' | 'lbl' | 'rol' | 'req' | 'run';

/** Makes ids that sort by time: prefix, underscore, 32 hex digits of a UUIDv7. */
export interface Ids {
  next(prefix: IdPrefix): string;
}

export function systemIds(): Ids {
  const generator = new V7Generator(pooledRandom());
  return { next: (prefix) => `${prefix}_${generator.generate().toHex()}` };
}

/** Cryptographic randomness, drawn 4 KiB at a time: a draw costs the same for one number as for a thousand. */
function pooledRandom() {
  const pool = new Uint32Array(1024);
  let used = pool.length;
  return {
    nextUint32: (): number => {
      if (used === pool.length) {
        randomFillSync(pool);
        used = 0;
      }
      const value = pool[used] ?? 0;
      used += 1;
      return value;
    },
  };
}
