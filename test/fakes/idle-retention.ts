import type { RetentionStatus, RetentionStatusSource } from '../../src/ledger/index.ts';

/** Retention that has had nothing to do; a test states what matters to it. */
export function idleRetention(
  changes: Partial<RetentionStatus> = {},
): RetentionStatusSource & { set(changes: Partial<RetentionStatus>): void } {
  let status: RetentionStatus = {
    sizes: { fileBytes: 4_096, usedBytes: 4_096, logBytes: 0 },
    maxBytes: null,
    horizons: { rowsMs: null, contentsMs: null },
    rowsDeleted: { age: 0, size: 0 },
    contentsErased: { age: 0, size: 0 },
    returnedBytes: 0,
    steps: 0,
    lastDoneAtMs: null,
    earlyFromMs: null,
    isFull: false,
    heldBy: [],
    failure: null,
    ...changes,
  };
  return {
    status: () => status,
    set: (more) => {
      status = { ...status, ...more };
    },
  };
}
