import type { OutcomeRecord } from '../../ledger/index.ts';
import {
  type ColumnKind,
  type ColumnMap,
  decodeColumn,
  encodeColumn,
  type SqlValue,
} from './column-codec.ts';

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

// `satisfies` has checked that every field of the record is a key.
const FIELDS = Object.entries(OUTCOME_COLUMNS) as readonly (readonly [
  keyof OutcomeRecord,
  readonly [OutcomeColumn, ColumnKind],
])[];

/** Columns of the table without `seq` and `api_key_id`. */
export const OUTCOME_COLUMN_NAMES: readonly OutcomeColumn[] = FIELDS.map(([, [column]]) => column);

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
  const row: Partial<Record<OutcomeColumn, SqlValue>> = {};
  for (const [field, [column, kind]] of FIELDS) row[column] = encodeColumn(record[field], kind);
  // Row mapper: the loop has filled every column.
  return row as OutcomeRow;
}

export function fromOutcomeRow(row: Readonly<Record<string, unknown>>): OutcomeRecord {
  const record: Record<string, unknown> = {};
  for (const [field, [column, kind]] of FIELDS) record[field] = decodeColumn(row[column], kind);
  // Row mapper: the columns hold what `toOutcomeRow` wrote.
  return record as unknown as OutcomeRecord;
}
