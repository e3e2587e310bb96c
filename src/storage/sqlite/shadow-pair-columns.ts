import type { ShadowPair } from '../../ledger/index.ts';
import type { SqlValue } from './column-codec.ts';

/** A pair as bound to its INSERT, in the order of {@link SHADOW_PAIR_COLUMNS}: flat, so that it crosses a thread. */
export type ShadowPairValues = readonly SqlValue[];

const SIDE_COLUMNS = [
  'version',
  'hash',
  'route',
  'model',
  'status',
  'error_code',
  'degraded',
  'schema_ok',
  'total_ms',
  'cost_nano_usd',
  'input_tokens',
  'output_tokens',
] as const;

/** Columns of the table without `seq`. */
export const SHADOW_PAIR_COLUMNS: readonly string[] = [
  'shadow_id',
  'live_id',
  'rule',
  'rule_revision',
  'changes',
  'prompt',
  'created_at_ms',
  'charged',
  'agrees',
  ...SIDE_COLUMNS.map((column) => `live_${column}`),
  ...SIDE_COLUMNS.map((column) => `shadow_${column}`),
];

export function toShadowPairValues(pair: ShadowPair): ShadowPairValues {
  return [
    pair.shadow.id,
    pair.live.id,
    pair.rule,
    pair.ruleRevision,
    pair.changes,
    pair.prompt,
    pair.createdAtMs,
    Number(pair.charged),
    flagOrNull(pair.agrees),
    ...sideValues(pair.live),
    ...sideValues(pair.shadow),
  ];
}

function sideValues(side: ShadowPair['live']): ShadowPairValues {
  return [
    side.version,
    side.hash,
    side.route,
    side.model,
    side.status,
    side.errorCode,
    Number(side.degraded),
    flagOrNull(side.schemaOk),
    side.totalMs,
    side.costNanoUsd,
    side.inputTokens,
    side.outputTokens,
  ];
}

function flagOrNull(flag: boolean | null): number | null {
  return flag === null ? null : Number(flag);
}

/** What rollups need of a pair; the columns of the table. */
export interface ShadowPairRow {
  readonly rule: string;
  readonly rule_revision: string;
  readonly changes: string;
  readonly prompt: string | null;
  readonly created_at_ms: number;
  readonly charged: number;
  readonly agrees: number | null;
  readonly live_version: string;
  readonly live_status: string;
  readonly live_degraded: number;
  readonly live_schema_ok: number | null;
  readonly live_total_ms: number;
  readonly live_cost_nano_usd: number | null;
  readonly live_input_tokens: number | null;
  readonly live_output_tokens: number | null;
  readonly shadow_version: string;
  readonly shadow_hash: string;
  readonly shadow_status: string;
  readonly shadow_degraded: number;
  readonly shadow_schema_ok: number | null;
  readonly shadow_total_ms: number;
  readonly shadow_cost_nano_usd: number | null;
  readonly shadow_input_tokens: number | null;
  readonly shadow_output_tokens: number | null;
}
