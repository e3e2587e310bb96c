import type { GenerationRecord, ShadowPair, ShadowSide } from '../../src/ledger/index.ts';
import { generationRecord } from './ledger-records.ts';

type SidePatch = Partial<ShadowSide>;

function side(id: string, version: string, changes: SidePatch): ShadowSide {
  return {
    id,
    version,
    hash: `sha256:${version}`,
    route: 'default',
    model: 'model-a',
    status: 'ok',
    errorCode: null,
    degraded: false,
    schemaOk: null,
    totalMs: 100,
    costNanoUsd: 100_000,
    inputTokens: 30,
    outputTokens: 20,
    ...changes,
  };
}

/** A pair of a live call of v1 and its shadow on v2; a test states what matters to it. */
export function shadowPair(
  number: number,
  changes: Partial<Omit<ShadowPair, 'live' | 'shadow'>> & {
    readonly live?: SidePatch;
    readonly shadow?: SidePatch;
  } = {},
): ShadowPair {
  const { live = {}, shadow = {}, ...rest } = changes;
  return {
    rule: 'candidate',
    ruleRevision: 'sha256:rule',
    changes: 'version',
    prompt: 'tip',
    createdAtMs: Date.UTC(2026, 10, 23, 10, 30),
    charged: true,
    agrees: null,
    ...rest,
    live: side(`gen_live_${number}`, 'v1', live),
    shadow: side(`gen_shadow_${number}`, 'v2', shadow),
  };
}

/** The row of a pair's shadow call. */
export function shadowGeneration(
  pair: ShadowPair,
  changes: Partial<GenerationRecord> = {},
): GenerationRecord {
  return generationRecord({
    id: pair.shadow.id,
    shadowOf: pair.live.id,
    delivered: false,
    versionSource: null,
    createdAtMs: pair.createdAtMs,
    promptVersion: pair.shadow.version,
    status: pair.shadow.status,
    errorCode: pair.shadow.errorCode,
    costNanoUsd: pair.shadow.costNanoUsd,
    totalMs: pair.shadow.totalMs,
    ...changes,
  });
}
