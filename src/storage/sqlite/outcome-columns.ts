import type { OutcomeRecord } from '../../ledger/index.ts';
import { type ColumnMap, columnTable, type SqlValue } from './column-codec.ts';

/** Every field of an outcome with its column, in the order of the table. */
const OUTCOME_COLUMNS = {
  outcomeId: ['outcome_id', 'plain'],
  generationId: ['generation_id', 'plain'],
  scoreId: ['score_id', 'plain'],
  externalId: ['external_id', 'plain'],
  metric: ['metric', 'plain'],
  value: ['value_json', 'json'],
  reward: ['reward', 'plain'],
  occurredAtMs: ['occurred_at_ms', 'plain'],
  receivedAtMs: ['received_at_ms', 'plain'],
  windowMs: ['window_ms', 'plain'],
  test: ['test', 'flag'],
  tags: ['tags_json', 'json'],
  source: ['source', 'plain'],
  metadata: ['metadata_json', 'json'],
} as const satisfies ColumnMap<OutcomeRecord>;

type OutcomeColumn = (typeof OUTCOME_COLUMNS)[keyof typeof OUTCOME_COLUMNS][0];

/** An outcome as bound to its INSERT, without the API key of its batch. */
export type OutcomeRow = Readonly<Record<OutcomeColumn, SqlValue>>;

const TABLE = columnTable<OutcomeRecord, typeof OUTCOME_COLUMNS>(OUTCOME_COLUMNS);

/** Columns of the table without `seq` and `api_key_id`. */
export const OUTCOME_COLUMN_NAMES: readonly OutcomeColumn[] = TABLE.names;

/**
 * What makes two reports of one `outcome_id` the same report: target, metric, value and time as sent. Columns, so that
 * a row read back compares equal to the row that was written.
 */
export const PAYLOAD_COLUMNS = [
  'generation_id',
  'score_id',
  'external_id',
  'metric',
  'value_json',
  'occurred_at_ms',
] as const satisfies readonly OutcomeColumn[];

/** Throws a TypeError on a value that no column can hold. */
export function toOutcomeRow(record: OutcomeRecord): OutcomeRow {
  const values = TABLE.encode(record);
  // Row mapper: one value for each column.
  return Object.fromEntries(TABLE.names.map((column, at) => [column, values[at] ?? null])) as OutcomeRow;
}

export const fromOutcomeRow: (row: Readonly<Record<string, unknown>>) => OutcomeRecord = TABLE.decode;
