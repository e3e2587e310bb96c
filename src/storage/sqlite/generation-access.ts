import type { GenerationListQuery } from '../../ledger/index.ts';
import type { SqlValue } from './column-codec.ts';

/** A statement that yields places of a list, newest first, and what it binds. */
export interface ListAccess {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, SqlValue>>;
}

type Filter =
  | 'prompt'
  | 'promptVersion'
  | 'status'
  | 'experiment'
  | 'arm'
  | 'label'
  | 'externalId'
  | 'unitKey';

const COLUMNS: Readonly<Record<Filter, string>> = {
  prompt: 'prompt',
  promptVersion: 'prompt_version',
  status: 'status',
  experiment: 'experiment',
  arm: 'arm',
  label: 'label',
  externalId: 'external_id',
  unitKey: 'unit_key',
};

interface Path {
  readonly index: string;
  /** Filters that the index answers. */
  readonly answers: readonly Filter[];
  /** Condition of a partial index. */
  readonly only?: string;
}

/** Most selective first. */
const PATHS: readonly Path[] = [
  { index: 'generations_by_failure', answers: ['status'], only: "status <> 'ok'" },
  { index: 'generations_by_experiment', answers: ['experiment'] },
  { index: 'generations_by_version', answers: ['prompt', 'promptVersion'] },
  { index: 'generations_by_prompt', answers: ['prompt'] },
  { index: 'generations_by_time', answers: [] },
];

/** Calls with one external id are few, and two indexes hold them. */
const BY_EXTERNAL_ID: readonly Path[] = [
  { index: 'generations_by_external_id', answers: ['externalId'], only: 'delivered = 1' },
  { index: 'generations_undelivered_by_external_id', answers: ['externalId'], only: 'delivered = 0' },
];

/** Ids that begin alike, at most: whoever sees more types another character. */
const MAX_FOUND_IDS = 200;
/** Sorts behind every character of an id. */
const AFTER_IDS = '\u{10FFFF}';

/** How a list is read: by the index that leaves the fewest calls to look at. */
export function generationAccess(query: GenerationListQuery): ListAccess {
  if (query.search !== null) return searched(query, query.search);
  if (query.externalId !== null) return merged(query, BY_EXTERNAL_ID);
  return byPath(
    query,
    PATHS.find((path) => isUsable(path, query)) ?? { index: 'generations_by_time', answers: [] },
  );
}

function isUsable({ answers, only }: Path, query: GenerationListQuery): boolean {
  if (only !== undefined && query.status === 'ok') return false;
  return answers.every((filter) => query[filter] !== null);
}

function byPath(query: GenerationListQuery, path: Path): ListAccess {
  return {
    sql: `${selection(query, path)} ORDER BY created_at_ms DESC, seq DESC`,
    parameters: parametersOf(query),
  };
}

function merged(query: GenerationListQuery, paths: readonly Path[]): ListAccess {
  return {
    sql: `${paths.map((path) => selection(query, path)).join('\nUNION ALL\n')} ORDER BY created_at_ms DESC, seq DESC`,
    parameters: parametersOf(query),
  };
}

/** The search answers few calls; what else was asked for applies to them. */
function searched(query: GenerationListQuery, search: string): ListAccess {
  const conditions = [...windowOf(query), ...afterOf(query)];
  const rest = FILTERS.filter((filter) => query[filter] !== null).map(condition);
  return {
    sql: `SELECT seq, created_at_ms, ${matches(rest)} AS matches FROM generations
      WHERE seq IN (
        SELECT seq FROM (
          SELECT seq FROM generations WHERE id >= @search AND id < @searchEnd ORDER BY id DESC LIMIT ${MAX_FOUND_IDS}
        )
        UNION SELECT seq FROM generations INDEXED BY generations_by_external_id
          WHERE external_id = @search AND delivered = 1
        UNION SELECT seq FROM generations INDEXED BY generations_undelivered_by_external_id
          WHERE external_id = @search AND delivered = 0
      )${conditions.map((text) => ` AND ${text}`).join('')}
      ORDER BY created_at_ms DESC, seq DESC`,
    parameters: { ...parametersOf(query), search, searchEnd: search + AFTER_IDS },
  };
}

// The keys are those of the type.
const FILTERS = Object.keys(COLUMNS) as readonly Filter[];

function selection(query: GenerationListQuery, { index, answers, only }: Path): string {
  const key = [
    ...answers.map(condition),
    ...(only === undefined ? [] : [only]),
    ...windowOf(query),
    ...afterOf(query),
  ];
  const rest = FILTERS.filter((filter) => query[filter] !== null && !answers.includes(filter)).map(condition);
  const where = key.length === 0 ? '' : ` WHERE ${key.join(' AND ')}`;
  return `SELECT seq, created_at_ms, ${matches(rest)} AS matches FROM generations INDEXED BY ${index}${where}`;
}

function matches(conditions: readonly string[]): string {
  return conditions.length === 0 ? '1' : `CASE WHEN ${conditions.join(' AND ')} THEN 1 ELSE 0 END`;
}

function condition(filter: Filter): string {
  return `${COLUMNS[filter]} = @${filter}`;
}

function windowOf({ fromMs, toMs }: GenerationListQuery): readonly string[] {
  return [
    ...(fromMs === null ? [] : ['created_at_ms >= @fromMs']),
    ...(toMs === null ? [] : ['created_at_ms < @toMs']),
  ];
}

/** The first condition bounds the index, the second cuts within one millisecond. */
function afterOf({ after }: GenerationListQuery): readonly string[] {
  if (after === null) return [];
  return ['created_at_ms <= @afterMs', '(created_at_ms < @afterMs OR seq < @afterSequence)'];
}

function parametersOf(query: GenerationListQuery): Readonly<Record<string, SqlValue>> {
  const { fromMs, toMs, after } = query;
  return {
    ...Object.fromEntries(FILTERS.map((filter) => [filter, query[filter]])),
    fromMs,
    toMs,
    afterMs: after?.createdAtMs ?? null,
    afterSequence: after?.sequence ?? null,
  };
}
