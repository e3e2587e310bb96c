import type {
  GenerationListQuery,
  GenerationPage,
  GenerationPlace,
  GenerationSummary,
} from '../../ledger/index.ts';
import type { Connection } from './connection.ts';
import { generationAccess, type ListAccess } from './generation-access.ts';

/** A page never holds more. */
const MAX_PAGE_ROWS = 200;
/** Rows that one page looks at: a report waits some tens of milliseconds behind it at most. */
const MAX_SCANNED_ROWS = 20_000;
const TEXT_START_CHARACTERS = 160;

const SUMMARY_SQL = `
  SELECT id, created_at_ms, surface, external_id, prompt, prompt_version, prompt_hash, version_source, label,
    experiment, arm, status, error_code, route, provider, model, forced, degraded, fell_back, test, replay, shadow_of,
    streamed, json_array_length(attempts_json) AS attempts, input_tokens, output_tokens, cost_nano_usd, total_ms,
    substr(text, 1, ${TEXT_START_CHARACTERS}) AS text_start
  FROM generations WHERE seq = ?`;

interface PlaceRow {
  readonly seq: number;
  readonly created_at_ms: number;
  /** 1: belongs to the list. */
  readonly matches: number;
}

type SummaryRow = Omit<
  {
    readonly [Key in keyof GenerationSummary as SnakeCase<Key>]: GenerationSummary[Key] extends boolean
      ? number
      : GenerationSummary[Key];
  },
  'rewards'
>;

type SnakeCase<Name extends string> = Name extends `${infer Head}${infer Tail}`
  ? Head extends Lowercase<Head>
    ? `${Head}${SnakeCase<Tail>}`
    : `_${Lowercase<Head>}${SnakeCase<Tail>}`
  : '';

export interface GenerationLists {
  readonly listGenerations: (query: GenerationListQuery) => GenerationPage;
}

/** Lists of calls, newest first, each found by an index. */
export function createGenerationLists(
  database: Connection,
  maxScannedRows: number = MAX_SCANNED_ROWS,
): GenerationLists {
  const summary = database.prepare(SUMMARY_SQL);
  const rewards = database.prepare(
    'SELECT metric, reward FROM counting_outcomes WHERE generation_id = ? ORDER BY metric',
  );
  // As many texts as there are ways to combine filters that anybody uses: the driver compiles each once.
  const statements = new Map<string, ReturnType<Connection['prepare']>>();
  const prepared = (sql: string): ReturnType<Connection['prepare']> => {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const statement = database.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };

  const summaryOf = ({ seq }: PlaceRow): readonly GenerationSummary[] => {
    // Row mappers: the columns are those of the statements above.
    const row = summary.get(seq) as SummaryRow | undefined;
    if (row === undefined) return [];
    const found = rewards.all(row.id) as GenerationSummary['rewards'];
    return [toSummary(row, found)];
  };

  return {
    listGenerations: database.transaction((query: GenerationListQuery): GenerationPage => {
      const limit = Math.max(1, Math.min(query.limit, MAX_PAGE_ROWS));
      const access = generationAccess(query);
      const { places, next } = pageOf(placesOf(prepared(access.sql), access), limit, maxScannedRows);
      return { generations: places.flatMap(summaryOf), next };
    }),
  };
}

function placesOf(
  statement: ReturnType<Connection['prepare']>,
  access: ListAccess,
): IterableIterator<PlaceRow> {
  // Row mapper: the columns are those that every access selects.
  return statement.iterate(access.parameters) as IterableIterator<PlaceRow>;
}

/** One more than the page says whether there is a next one. */
function pageOf(
  rows: Iterable<PlaceRow>,
  limit: number,
  maxScannedRows: number,
): { readonly places: readonly PlaceRow[]; readonly next: GenerationPlace | null } {
  const places: PlaceRow[] = [];
  let last: PlaceRow | null = null;
  let scanned = 0;
  for (const row of rows) {
    if (row.matches === 1 && places.length === limit) return { places, next: placeOf(places.at(-1) ?? row) };
    if (scanned === maxScannedRows) return { places, next: placeOf(last ?? row) };
    scanned += 1;
    last = row;
    if (row.matches === 1) places.push(row);
  }
  return { places, next: null };
}

function placeOf({ created_at_ms, seq }: PlaceRow): GenerationPlace {
  return { createdAtMs: created_at_ms, sequence: seq };
}

function toSummary(row: SummaryRow, rewards: GenerationSummary['rewards']): GenerationSummary {
  return {
    id: row.id,
    createdAtMs: row.created_at_ms,
    surface: row.surface,
    externalId: row.external_id,
    prompt: row.prompt,
    promptVersion: row.prompt_version,
    promptHash: row.prompt_hash,
    versionSource: row.version_source,
    label: row.label,
    experiment: row.experiment,
    arm: row.arm,
    status: row.status,
    errorCode: row.error_code,
    route: row.route,
    provider: row.provider,
    model: row.model,
    forced: row.forced === 1,
    degraded: row.degraded === 1,
    fellBack: row.fell_back === 1,
    test: row.test === 1,
    replay: row.replay === 1,
    shadowOf: row.shadow_of,
    streamed: row.streamed === 1,
    attempts: row.attempts,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    costNanoUsd: row.cost_nano_usd,
    totalMs: row.total_ms,
    textStart: row.text_start,
    rewards,
  };
}
