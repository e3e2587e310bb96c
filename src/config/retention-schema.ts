import { z } from 'zod';

const DEFAULT_CONTENTS_DAYS = 90;
/** Longer than the longest attribution window there can be (8,760 hours), with the report of a year to spare. */
const DEFAULT_ROWS_DAYS = 400;
/** About 14 million calls with their texts. */
const DEFAULT_MAX_BYTES = 21_474_836_480;
const MIN_MAX_BYTES = 67_108_864;
const MAX_DAYS = 36_500;

const days = (description: string, fallback: number) =>
  z.int().min(1).max(MAX_DAYS).nullable().default(fallback).describe(description);

/** `ledger.retention`: what goes, and when. */
export const retentionSchema = z
  .strictObject({
    contents_days: days(
      'Texts, variables, metadata and the details of attempts of calls older than this are erased; `null` keeps them as long as their rows.',
      DEFAULT_CONTENTS_DAYS,
    ),
    rows_days: days(
      'Calls, rankings and outcomes older than this are deleted; their sums in reports stay. At least the longest attribution window and a day. `null` keeps them.',
      DEFAULT_ROWS_DAYS,
    ),
    max_bytes: z
      .int()
      .min(MIN_MAX_BYTES)
      .nullable()
      .default(DEFAULT_MAX_BYTES)
      .describe(
        'Size of the database file with its write-ahead log: before it is reached, contents older than a day go, then the oldest rows, whatever their age. `null`: no limit.',
      ),
  })
  .prefault({})
  .describe('What is deleted, and when: on by default (ledger.md).');
