import { AppError, type Fault } from '../kernel/index.ts';

/** Enough to see a pattern; a file with the wrong columns would otherwise list every line. */
const MOST_FAULTS = 20;

/** What is wrong with a file of observations, by line. */
export interface OfflineFaults {
  add(lineNumber: number, message: string): void;
  /** No further fault is kept: reading on is pointless. */
  isFull(): boolean;
  isEmpty(): boolean;
  /** Throws `invalid_request` with every fault kept, if there is one. */
  throwIfAny(): void;
}

/** `source` is the name of the file, as faults show it: `decisions.ndjson:17`. */
export function createOfflineFaults(source: string): OfflineFaults {
  const faults: Fault[] = [];
  return {
    add: (lineNumber, message) => {
      if (faults.length < MOST_FAULTS) faults.push({ path: `${source}:${lineNumber}`, message });
    },
    isFull: () => faults.length >= MOST_FAULTS,
    isEmpty: () => faults.length === 0,
    throwIfAny: () => {
      if (faults.length === 0) return;
      const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`;
      const rest = faults.length >= MOST_FAULTS ? ', not read further' : '';
      throw new AppError('invalid_request', `${source} cannot be used: ${count}${rest}`, { faults });
    },
  };
}
