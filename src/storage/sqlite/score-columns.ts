import { candidatesOfJson, type ScoreRecord } from '../../ledger/index.ts';
import { type ColumnMap, columnTable, type SqlValue } from './column-codec.ts';
import {
  type CandidatesInTransit,
  candidatesJson,
  packCandidates,
  packedCharacters,
} from './packed-candidates.ts';

type Row = Omit<ScoreRecord, 'candidates'>;

/** Every field of a score with its column, but the candidates. */
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
} as const satisfies ColumnMap<Row>;

/** A score on its way to the writer. */
export interface ScoreValues {
  /** In the order of `SCORE_INSERT_COLUMNS`, without the last one. */
  readonly row: readonly SqlValue[];
  readonly candidates: CandidatesInTransit;
}

const TABLE = columnTable<Row, typeof SCORE_COLUMNS>(SCORE_COLUMNS);
const CANDIDATES_COLUMN = 'candidates_json';

/** Columns of the record. */
export const SCORE_COLUMN_NAMES: readonly string[] = [...TABLE.names, CANDIDATES_COLUMN];

/** With what rollups need of the candidates, so that nobody has to parse them again. */
export const SCORE_INSERT_COLUMNS: readonly string[] = [
  ...TABLE.names,
  'candidate_count',
  'chosen_best',
  CANDIDATES_COLUMN,
];

/** Throws a TypeError on a value that no column can hold. */
export function toScoreValues(record: ScoreRecord): ScoreValues {
  const { candidates, chosen } = record;
  const estimate = candidates.find(({ id }) => id === chosen)?.estimate ?? Number.NEGATIVE_INFINITY;
  const isBest = candidates.every((candidate) => candidate.estimate <= estimate);
  return {
    row: [...TABLE.encode(record), candidates.length, isBest ? 1 : 0],
    candidates: packCandidates(candidates),
  };
}

/** What its INSERT binds, in the order of `SCORE_INSERT_COLUMNS`. */
export function boundScore({ row, candidates }: ScoreValues): readonly SqlValue[] {
  return [...row, candidatesJson(candidates)];
}

/** For the limit of the queue. */
export function scoreCharacters({ row, candidates }: ScoreValues): number {
  return row.reduce<number>(
    (sum, value) => sum + (typeof value === 'string' ? value.length : 8),
    packedCharacters(candidates),
  );
}

export function fromScoreRow(row: Readonly<Record<string, unknown>>): ScoreRecord {
  return { ...TABLE.decode(row), candidates: candidatesOfJson(String(row[CANDIDATES_COLUMN])) };
}

/** A row as exports give it: one object per candidate, whatever the ledger keeps. */
export function exportedScoreRow(row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { ...row, [CANDIDATES_COLUMN]: JSON.stringify(candidatesOfJson(String(row[CANDIDATES_COLUMN]))) };
}

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
