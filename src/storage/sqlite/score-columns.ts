import type { ScoreRecord } from '../../ledger/index.ts';
import { type ColumnMap, columnTable, type SqlValue } from './column-codec.ts';

/** Every field of a score with its column. */
const SCORE_COLUMNS = {
  id: ['id', 'plain'],
  createdAtMs: ['created_at_ms', 'plain'],
  finishedAtMs: ['finished_at_ms', 'plain'],
  apiKeyId: ['api_key_id', 'plain'],
  requestId: ['request_id', 'plain'],
  traceId: ['trace_id', 'plain'],
  externalId: ['external_id', 'plain'],
  policy: ['policy', 'plain'],
  policyDefinition: ['policy_definition', 'plain'],
  policyRevision: ['policy_revision', 'plain'],
  modelRevision: ['model_revision', 'plain'],
  unitKind: ['unit_kind', 'plain'],
  unitKey: ['unit_key', 'plain'],
  sessionKey: ['session_key', 'plain'],
  test: ['test', 'flag'],
  shadowOf: ['shadow_of', 'plain'],
  candidates: ['candidates_json', 'json'],
  chosen: ['chosen', 'plain'],
  chosenPropensity: ['chosen_propensity', 'plain'],
  chosenInput: ['chosen_input_json', 'json'],
  profileFeatures: ['profile_features_json', 'json'],
  contextFeatures: ['context_json', 'json'],
  metadata: ['metadata_json', 'json'],
  tags: ['tags_json', 'json'],
  totalMs: ['total_ms', 'plain'],
  configHash: ['config_hash', 'plain'],
  gatewayVersion: ['gateway_version', 'plain'],
} as const satisfies ColumnMap<ScoreRecord>;

type ScoreColumn = (typeof SCORE_COLUMNS)[keyof typeof SCORE_COLUMNS][0];

/** A score as bound to its INSERT, in the order of `SCORE_INSERT_COLUMNS`: flat, so that it crosses a thread cheaply. */
export type ScoreValues = readonly SqlValue[];

const TABLE = columnTable<ScoreRecord, typeof SCORE_COLUMNS>(SCORE_COLUMNS);

/** Columns of the record. */
export const SCORE_COLUMN_NAMES: readonly ScoreColumn[] = TABLE.names;

/** With what rollups need of the candidates, so that nobody has to parse them again. */
export const SCORE_INSERT_COLUMNS: readonly string[] = [
  ...SCORE_COLUMN_NAMES,
  'candidate_count',
  'chosen_best',
];

/** Throws a TypeError on a value that no column can hold. */
export function toScoreValues(record: ScoreRecord): ScoreValues {
  const { candidates, chosen } = record;
  const estimate = candidates.find(({ id }) => id === chosen)?.estimate ?? Number.NEGATIVE_INFINITY;
  const isBest = candidates.every((candidate) => candidate.estimate <= estimate);
  return [...TABLE.encode(record), candidates.length, isBest ? 1 : 0];
}

export const fromScoreRow: (row: Readonly<Record<string, unknown>>) => ScoreRecord = TABLE.decode;

/** The columns of a score that joins and rollups need. */
export const SCORE_FACT_COLUMNS =
  'seq, id, created_at_ms, finished_at_ms, policy, policy_definition, policy_revision, test, shadow_of, candidate_count, chosen_best, chosen_propensity';

export interface ScoreFacts {
  readonly seq: number;
  readonly id: string;
  readonly created_at_ms: number;
  readonly finished_at_ms: number;
  readonly policy: string;
  readonly policy_definition: string;
  readonly policy_revision: string;
  readonly test: number;
  readonly shadow_of: string | null;
  readonly candidate_count: number;
  readonly chosen_best: number;
  readonly chosen_propensity: number;
}
