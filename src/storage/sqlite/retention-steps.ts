import { HOUR_MS } from '../../kernel/index.ts';
import type { RetentionProgress, RetentionStep } from '../../ledger/index.ts';
import type { Connection } from './connection.ts';
import { createContentsEraser } from './retention-contents.ts';
import { createRowRemover } from './retention-rows.ts';
import { createRetentionSpace } from './retention-space.ts';
import { createRetentionStateReader, createRetentionStateWriter, horizonsOf } from './retention-state.ts';

/** Under pressure contents go before rows, but those of the last day go with their rows. */
const KEPT_CONTENTS_MS = 24 * HOUR_MS;
/** When a write met the limit: rows of each kind per round, and rounds, before the write is tried again. */
const URGENT_ROWS = 200;
const URGENT_ROUNDS = 10;
const URGENT_FREE_PAGES = 512;

/** Keeps the file within its time and its size, in the writer's transactions. Keeps nothing in memory. */
export interface RetentionSteps {
  step(step: RetentionStep): RetentionProgress;
  /** Why the limit, and not the disk, may have refused a write; null: it was not the limit. */
  limitReason(): string | null;
  /** Deletes the oldest rows now, in a transaction of its own; false: there is nothing to delete. */
  makeRoom(): boolean;
}

/** `maxBytes`: of the file and its log; null: no limit. */
export function createRetentionSteps(database: Connection, maxBytes: number | null): RetentionSteps {
  const space = createRetentionSpace(database, maxBytes);
  const eraseContents = createContentsEraser(database);
  const rows = createRowRemover(database);
  const readState = createRetentionStateReader(database);
  const writeState = createRetentionStateWriter(database);

  const erase = (beforeMs: number, limit: number): number => {
    const state = readState();
    const { erased, last } = eraseContents(state, beforeMs, limit);
    if (last !== null) writeState({ ...state, ...last });
    return erased;
  };

  const remove = (beforeMs: number, limit: number, policies: readonly string[]) => {
    const removed = rows.removeBefore(beforeMs, limit, policies);
    if (removed.youngestMs !== null) {
      const state = readState();
      writeState({ ...state, rowsHorizonMs: Math.max(state.rowsHorizonMs, removed.youngestMs + 1) });
    }
    return removed;
  };

  const removeOldest = (count: number): number => {
    const beforeMs = rows.timeOfOldest(count);
    return beforeMs === null ? 0 : remove(beforeMs, count, []).removed;
  };

  const bySize = ({ nowMs, maxRows }: RetentionStep): Work => {
    const contentsErased = erase(nowMs - KEPT_CONTENTS_MS, maxRows);
    const rowsDeleted = contentsErased > 0 ? 0 : removeOldest(maxRows);
    return { contentsErased, rowsDeleted, heldBy: [] };
  };

  const byAge = (step: RetentionStep): Work => {
    const { eraseContentsBeforeMs, deleteRowsBeforeMs, policies, maxRows } = step;
    const removed =
      deleteRowsBeforeMs === null
        ? { removed: 0, heldBy: [] }
        : remove(deleteRowsBeforeMs, maxRows, policies);
    // Rows first: contents of what is gone need no erasing.
    const contentsErased =
      removed.removed > 0 || eraseContentsBeforeMs === null ? 0 : erase(eraseContentsBeforeMs, maxRows);
    return { contentsErased, rowsDeleted: removed.removed, heldBy: removed.heldBy };
  };

  const clear = database.transaction(() => {
    let removed = 0;
    for (let round = 0; round < URGENT_ROUNDS && space.freePages() < URGENT_FREE_PAGES; round += 1) {
      const more = removeOldest(URGENT_ROWS);
      if (more === 0) break;
      removed += more;
    }
    return removed > 0;
  });

  return {
    step: (step) => {
      const isPressed = space.isPressed();
      const work = isPressed ? bySize(step) : byAge(step);
      const didWork = work.contentsErased + work.rowsDeleted > 0;
      const returnedBytes = space.giveBack();
      return {
        ...work,
        reason: didWork ? (isPressed ? 'size' : 'age') : null,
        returnedBytes,
        isDone: !didWork && returnedBytes === 0,
        isFull: isPressed && !didWork,
        sizes: space.sizes(),
        horizons: horizonsOf(readState()),
      };
    },
    limitReason: () =>
      space.isNearLimit()
        ? `the database has reached ledger.retention.max_bytes (${maxBytes ?? 0}) and nothing more may be deleted: raise it`
        : null,
    makeRoom: () => space.withReserve(() => clear.immediate()),
  };
}

interface Work {
  readonly contentsErased: number;
  readonly rowsDeleted: number;
  readonly heldBy: readonly string[];
}
