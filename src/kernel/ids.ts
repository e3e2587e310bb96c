import { V7Generator } from 'uuidv7';

/** `gen` a generation, `out` an outcome, `scr` a score, `lbl` a move of a label, `rol` a rollout event, `req` a request, `run` a lease or a process. */
export type IdPrefix = 'gen' | 'out' | 'scr' | 'lbl' | 'rol' | 'req' | 'run';

/** Makes ids that sort by time: prefix, underscore, 32 hex digits of a UUIDv7. */
export interface Ids {
  next(prefix: IdPrefix): string;
}

export function systemIds(): Ids {
  const generator = new V7Generator();
  return { next: (prefix) => `${prefix}_${generator.generate().toHex()}` };
}
