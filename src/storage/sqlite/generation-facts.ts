import { type GenerationValues, pickColumns } from './generation-columns.ts';
import type { Series } from './rollup-series.ts';

/** The columns of a generation that joins and rollups need. */
export const FACT_COLUMNS = [
  'id',
  'created_at_ms',
  'finished_at_ms',
  'api_key_id',
  'external_id',
  'prompt',
  'prompt_version',
  'prompt_hash',
  'version_source',
  'experiment',
  'experiment_revision',
  'arm',
  'assigned_policy_revision',
  'unit_kind',
  'unit_key',
  'forced',
  'degraded',
  'fell_back',
  'replay',
  'test',
  'shadow_of',
  'delivered',
  'model',
  'status',
  'input_tokens',
  'output_tokens',
  'cached_input_tokens',
  'reasoning_tokens',
  'cost_nano_usd',
  'total_ms',
] as const;

export interface GenerationFacts {
  readonly id: string;
  readonly created_at_ms: number;
  readonly finished_at_ms: number;
  readonly api_key_id: string;
  readonly external_id: string | null;
  readonly prompt: string | null;
  readonly prompt_version: string | null;
  readonly prompt_hash: string | null;
  readonly version_source: string | null;
  readonly experiment: string | null;
  readonly experiment_revision: string | null;
  readonly arm: string | null;
  readonly assigned_policy_revision: string | null;
  readonly unit_kind: string | null;
  readonly unit_key: string | null;
  readonly forced: number;
  readonly degraded: number;
  readonly fell_back: number;
  readonly replay: number;
  readonly test: number;
  readonly shadow_of: string | null;
  readonly delivered: number;
  readonly model: string | null;
  readonly status: string;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly cached_input_tokens: number | null;
  readonly reasoning_tokens: number | null;
  readonly cost_nano_usd: number | null;
  readonly total_ms: number;
}

const pickFacts = pickColumns(FACT_COLUMNS);

/** Facts of a row that is about to be written. */
export function factsOfValues(values: GenerationValues): GenerationFacts {
  return asGenerationFacts(pickFacts(values));
}

/** Facts of a row that was read with `FACT_COLUMNS`. */
export function asGenerationFacts(row: object): GenerationFacts {
  // Row mapper: column names and types are those of the migration.
  return row as GenerationFacts;
}

export function seriesOf(facts: GenerationFacts, isFirstExposure: boolean): Series {
  return {
    prompt: facts.prompt ?? '',
    prompt_version: facts.prompt_version ?? '',
    prompt_hash: facts.prompt_hash ?? '',
    model: facts.model ?? '',
    version_source: facts.version_source ?? '',
    forced: facts.forced,
    degraded: facts.degraded,
    replay: facts.replay,
    shadow: facts.shadow_of === null ? 0 : 1,
    test: facts.test,
    experiment: facts.experiment ?? '',
    experiment_revision: facts.experiment_revision ?? '',
    arm: facts.arm ?? '',
    policy_revision: facts.assigned_policy_revision ?? '',
    first_exposure: isFirstExposure ? 1 : 0,
  };
}
