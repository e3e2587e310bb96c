import type { GenerationRecord } from '../../ledger/index.ts';
import {
  type ColumnKind,
  type ColumnMap,
  decodeColumn,
  encodeColumn,
  type SqlValue,
} from './column-codec.ts';

/** Every field of a generation with its column, in the order of the table. */
const GENERATION_COLUMNS = {
  id: ['id', 'plain'],
  createdAtMs: ['created_at_ms', 'plain'],
  finishedAtMs: ['finished_at_ms', 'plain'],
  surface: ['surface', 'plain'],
  apiKeyId: ['api_key_id', 'plain'],
  requestId: ['request_id', 'plain'],
  traceId: ['trace_id', 'plain'],
  externalId: ['external_id', 'plain'],
  prompt: ['prompt', 'plain'],
  promptVersion: ['prompt_version', 'plain'],
  promptHash: ['prompt_hash', 'plain'],
  versionSource: ['version_source', 'plain'],
  label: ['label', 'plain'],
  experiment: ['experiment', 'plain'],
  experimentRevision: ['experiment_revision', 'plain'],
  arm: ['arm', 'plain'],
  propensity: ['propensity', 'plain'],
  propensities: ['propensities_json', 'json'],
  assignedPolicyRevision: ['assigned_policy_revision', 'plain'],
  currentPolicyRevision: ['current_policy_revision', 'plain'],
  assignment: ['assignment_json', 'json'],
  unitKind: ['unit_kind', 'plain'],
  unitKey: ['unit_key', 'plain'],
  sessionKey: ['session_key', 'plain'],
  forced: ['forced', 'flag'],
  degraded: ['degraded', 'flag'],
  fellBack: ['fell_back', 'flag'],
  replay: ['replay', 'flag'],
  test: ['test', 'flag'],
  shadowOf: ['shadow_of', 'plain'],
  delivered: ['delivered', 'flag'],
  variables: ['variables_json', 'json'],
  profileFeatures: ['profile_features_json', 'json'],
  messages: ['messages_json', 'json'],
  metadata: ['metadata_json', 'json'],
  tags: ['tags_json', 'json'],
  streamed: ['streamed', 'flag'],
  route: ['route', 'plain'],
  provider: ['provider', 'plain'],
  modelRequested: ['model_requested', 'plain'],
  model: ['model', 'plain'],
  parameters: ['parameters_json', 'json'],
  attempts: ['attempts_json', 'json'],
  repairs: ['repairs', 'plain'],
  finishReason: ['finish_reason', 'plain'],
  finishReasonRaw: ['finish_reason_raw', 'plain'],
  status: ['status', 'plain'],
  errorCode: ['error_code', 'plain'],
  inputTokens: ['input_tokens', 'plain'],
  outputTokens: ['output_tokens', 'plain'],
  cachedInputTokens: ['cached_input_tokens', 'plain'],
  reasoningTokens: ['reasoning_tokens', 'plain'],
  usageRaw: ['usage_raw_json', 'json'],
  costNanoUsd: ['cost_nano_usd', 'plain'],
  costSource: ['cost_source', 'plain'],
  priceTableVersion: ['price_table_version', 'plain'],
  totalMs: ['total_ms', 'plain'],
  providerMs: ['provider_ms', 'plain'],
  overheadMs: ['overhead_ms', 'plain'],
  firstTokenMs: ['first_token_ms', 'plain'],
  text: ['text', 'plain'],
  output: ['output_json', 'json'],
  toolCalls: ['tool_calls_json', 'json'],
  configHash: ['config_hash', 'plain'],
  registryHash: ['registry_hash', 'plain'],
  gatewayVersion: ['gateway_version', 'plain'],
} as const satisfies ColumnMap<GenerationRecord>;

type GenerationColumn = (typeof GENERATION_COLUMNS)[keyof typeof GENERATION_COLUMNS][0];

/** A generation as bound to its INSERT, in the order of the columns: flat, so that it crosses a thread cheaply. */
export type GenerationValues = readonly SqlValue[];

// `satisfies` has checked that every field of the record is a key.
const FIELDS = Object.entries(GENERATION_COLUMNS) as readonly (readonly [
  keyof GenerationRecord,
  readonly [GenerationColumn, ColumnKind],
])[];

/** Columns of the table without `seq` and without what the ledger adds. */
export const GENERATION_COLUMN_NAMES: readonly GenerationColumn[] = FIELDS.map(([, [column]]) => column);

/** Throws a TypeError on a value that no column can hold (a cycle, a BigInt, a boolean where text belongs). */
export function toGenerationValues(record: GenerationRecord): GenerationValues {
  return FIELDS.map(([field, [, kind]]) => encodeColumn(record[field], kind));
}

/** The named columns out of the values of a row. */
export function pickColumns(columns: readonly GenerationColumn[]): (values: GenerationValues) => object {
  const positions = columns.map((column) => [column, GENERATION_COLUMN_NAMES.indexOf(column)] as const);
  return (values) =>
    Object.fromEntries(positions.map(([column, position]) => [column, values[position] ?? null]));
}

export function fromGenerationRow(row: Readonly<Record<string, unknown>>): GenerationRecord {
  const record: Record<string, unknown> = {};
  for (const [field, [column, kind]] of FIELDS) record[field] = decodeColumn(row[column], kind);
  // Row mapper: the columns hold what `toGenerationValues` wrote.
  return record as unknown as GenerationRecord;
}
