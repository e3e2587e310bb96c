import { statSync } from 'node:fs';

import type { DatabaseSizes } from '../../ledger/index.ts';
import type { Connection } from './connection.ts';

/** Of a size limit the write-ahead log may take this share, but no more than the next constant. */
const LOG_SHARE = 1 / 8;
const MAX_LOG_BYTES = 67_108_864;
/** Deletion begins when this share of the pages is used: the rest takes what comes meanwhile. */
const PRESSED_SHARE = 0.9;
/** So many pages short of the limit, a write that found no room most likely met the limit and not the disk's end. */
const NEAR_LIMIT_SHARE = 0.1;
const NEAR_LIMIT_PAGES = 2_048;
/** Free pages that are worth keeping for rows to come: moving pages to the end and back costs more than they weigh. */
const KEPT_FREE_SHARE = 0.2;
const KEPT_FREE_PAGES = 1_024;
/** Pages given back per step: some milliseconds. */
const VACUUM_PAGES = 256;

/** What the file takes, and what it may. */
export interface RetentionSpace {
  sizes(): DatabaseSizes;
  freePages(): number;
  /** Something has to go. Never without a limit. */
  isPressed(): boolean;
  /** A write that found no room most likely met the limit. */
  isNearLimit(): boolean;
  /** Gives some free pages at the end of the file back to the file system; returns how many bytes. */
  giveBack(): number;
  /** Runs with room beyond the limit: deleting may need a page before it frees one. */
  withReserve<Value>(work: () => Value): Value;
}

/** Puts the limit on the connection: beyond it SQLite answers every write as if the disk were full. */
export function createRetentionSpace(database: Connection, maxBytes: number | null): RetentionSpace {
  const pageBytes = Number(database.pragma('page_size', { simple: true }));
  const limitPages = maxBytes === null ? null : Math.floor((maxBytes - logAllowance(maxBytes)) / pageBytes);
  // Only files made by this program with this setting can shrink; others keep their size and fill their free pages.
  const canShrink = Number(database.pragma('auto_vacuum', { simple: true })) === 2;
  const pages = (): number => Number(database.pragma('page_count', { simple: true }));
  const freePages = (): number => Number(database.pragma('freelist_count', { simple: true }));
  const setLimit = (limit: number): void => {
    database.pragma(`max_page_count = ${limit}`);
  };
  if (maxBytes !== null) database.pragma(`journal_size_limit = ${logAllowance(maxBytes)}`);
  if (limitPages !== null) setLimit(limitPages);

  return {
    sizes: () => ({
      fileBytes: pages() * pageBytes,
      usedBytes: (pages() - freePages()) * pageBytes,
      logBytes: database.memory
        ? 0
        : (statSync(`${database.name}-wal`, { throwIfNoEntry: false })?.size ?? 0),
    }),
    freePages,
    isPressed: () => limitPages !== null && pages() - freePages() > limitPages * PRESSED_SHARE,
    isNearLimit: () => {
      if (limitPages === null) return false;
      const roomPages = limitPages - pages() + freePages();
      return roomPages < Math.max(limitPages * NEAR_LIMIT_SHARE, NEAR_LIMIT_PAGES);
    },
    giveBack: () => {
      if (!canShrink) return 0;
      const before = pages();
      const free = freePages();
      const kept =
        limitPages !== null && before > limitPages
          ? 0
          : Math.max(KEPT_FREE_PAGES, Math.floor(before * KEPT_FREE_SHARE));
      const surplus = Math.min(VACUUM_PAGES, free - kept);
      if (surplus <= 0) return 0;
      database.pragma(`incremental_vacuum(${surplus})`);
      return (before - pages()) * pageBytes;
    },
    withReserve: (work) => {
      if (limitPages === null) return work();
      setLimit(Math.max(limitPages, pages()) + NEAR_LIMIT_PAGES);
      try {
        return work();
      } finally {
        setLimit(limitPages);
      }
    },
  };
}

/** What of a limit is left to the write-ahead log. */
function logAllowance(maxBytes: number): number {
  return Math.min(Math.floor(maxBytes * LOG_SHARE), MAX_LOG_BYTES);
}
