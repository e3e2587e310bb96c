import type { GenerationRecord } from '../../ledger/index.ts';
import { type ColumnMap, columnTable, type SqlValue } from './column-codec.ts';

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

const TABLE = columnTable<GenerationRecord, typeof GENERATION_COLUMNS>(GENERATION_COLUMNS);

/** Columns of the table without `seq` and without what the ledger adds. */
export const GENERATION_COLUMN_NAMES: readonly GenerationColumn[] = TABLE.names;

/** Throws a TypeError on a value that no column can hold. */
export const toGenerationValues: (record: GenerationRecord) => GenerationValues = TABLE.encode;

/** The named columns out of the values of a row. */
export function pickColumns(columns: readonly GenerationColumn[]): (values: GenerationValues) => object {
  const positions = columns.map((column) => [column, GENERATION_COLUMN_NAMES.indexOf(column)] as const);
  return (values) =>
    Object.fromEntries(positions.map(([column, position]) => [column, values[position] ?? null]));
}

export const fromGenerationRow: (row: Readonly<Record<string, unknown>>) => GenerationRecord = TABLE.decode;
