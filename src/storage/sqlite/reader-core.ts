import { statSync } from 'node:fs';

import type { VersionTotals, VersionTotalsQuery } from '../../analytics/index.ts';
import type { LedgerTable, RetentionHorizons, StoredGeneration } from '../../ledger/index.ts';
import { type ApiKeyReads, createApiKeyReads } from './api-key-rows.ts';
import type { Connection } from './connection.ts';
import { createExperimentReads, type ExperimentReads } from './experiment-reads.ts';
import { fromGenerationRow, GENERATION_COLUMN_NAMES } from './generation-columns.ts';
import { createGenerationLists, type GenerationLists } from './generation-list.ts';
import { createKeySpendReads, type KeySpendReads } from './key-spend.ts';
import { createLabelEventPages, type LabelEventPages } from './label-event-pages.ts';
import { OUTCOME_COLUMN_NAMES } from './outcome-columns.ts';
import { createRetentionStateReader, horizonsOf } from './retention-state.ts';
import { createRolloutEventPages, type RolloutEventPages } from './rollout-event-pages.ts';
import { exportedScoreRow, SCORE_COLUMN_NAMES } from './score-columns.ts';
import { createScoreReads, type ScoreReads } from './score-reads.ts';
import { createShadowReads, type ShadowReads } from './shadow-totals.ts';
import { storedOutcome } from './stored-outcome.ts';
import { createTimeTotals, type TimeTotalsReads } from './time-totals.ts';
import { createVersionTotals } from './version-totals.ts';

interface RowPage {
  readonly rows: readonly Record<string, unknown>[];
  readonly nextSequence: number | null;
}

export interface StorageFacts {
  /** Outcomes that name a generation nobody has recorded. */
  readonly orphanOutcomes: number;
  readonly fileBytes: number;
  readonly logBytes: number;
  /** Name of the newest migration. */
  readonly schema: string;
  readonly sqliteVersion: string;
}

/** What the reader can be asked, by name. Plain data both ways: it crosses a thread boundary. */
export interface ReaderCalls
  extends LabelEventPages,
    RolloutEventPages,
    ExperimentReads,
    ShadowReads,
    ScoreReads,
    ApiKeyReads,
    KeySpendReads,
    GenerationLists,
    TimeTotalsReads {
  readonly findGeneration: (parameters: { readonly id: string }) => StoredGeneration | null;
  readonly readRows: (parameters: {
    readonly table: LedgerTable;
    readonly afterSequence: number;
    readonly limit: number;
  }) => RowPage;
  readonly versionTotals: (query: VersionTotalsQuery) => readonly VersionTotals[];
  readonly retentionHorizons: (parameters: Readonly<Record<string, never>>) => RetentionHorizons;
  readonly storageFacts: (parameters: Readonly<Record<string, never>>) => StorageFacts;
}

/** A page of rows ends here at the latest: a report waits for one page of an export at most, a few milliseconds. */
const MAX_PAGE_ROWS = 1_000;
const MAX_PAGE_CHARACTERS = 1_048_576;

/** The read side without threads, over one read-only connection. */
export function createReaderCore(database: Connection, file: string): ReaderCalls {
  const versionTotals = createVersionTotals(database);
  const retentionState = createRetentionStateReader(database);
  const { labelEventsAfter, labelHistory } = createLabelEventPages(database);

  const generation = database.prepare(
    `SELECT ${GENERATION_COLUMN_NAMES.join(', ')}, commit_wait_ms FROM generations WHERE id = ?`,
  );
  const isLatestDelivered = `g.id = (
    SELECT l.id FROM generations l WHERE l.external_id = g.external_id AND l.delivered = 1
    ORDER BY l.created_at_ms DESC, l.id DESC LIMIT 1
  )`;
  const voided = `EXISTS (
    SELECT 1 FROM outcome_voids v WHERE v.api_key_id = o.api_key_id AND v.outcome_id = o.outcome_id
  )`;
  const outcomeColumns = OUTCOME_COLUMN_NAMES.map((column) => `o.${column} AS ${column}`).join(', ');
  const outcomesOf = database.prepare(
    `SELECT o.api_key_id, ${outcomeColumns}, ${voided} AS voided, c.outcome_id IS NOT NULL AS counts
     FROM generations g
     JOIN outcomes o ON o.generation_id = g.id
     LEFT JOIN counting_outcomes c ON c.generation_id = g.id AND c.metric = o.metric
       AND c.outcome_id = o.outcome_id AND c.api_key_id = o.api_key_id
     WHERE g.id = @id
     UNION ALL
     SELECT o.api_key_id, ${outcomeColumns}, ${voided} AS voided, c.outcome_id IS NOT NULL AS counts
     FROM generations g
     JOIN outcomes o ON o.external_id = g.external_id
     LEFT JOIN counting_outcomes c ON c.generation_id = g.id AND c.metric = o.metric
       AND c.outcome_id = o.outcome_id AND c.api_key_id = o.api_key_id
     WHERE g.id = @id AND ${isLatestDelivered}
     ORDER BY metric, occurred_at_ms, received_at_ms, outcome_id
     LIMIT ${MAX_PAGE_ROWS}`,
  );
  const pages = {
    generations: database.prepare(
      `SELECT seq, ${GENERATION_COLUMN_NAMES.join(', ')}, commit_wait_ms
       FROM generations WHERE seq > ? ORDER BY seq LIMIT ?`,
    ),
    outcomes: database.prepare(
      `SELECT o.seq, o.api_key_id, ${outcomeColumns}, ${voided} AS voided,
         (SELECT c.generation_id FROM counting_outcomes c
          WHERE c.generation_id = COALESCE(o.generation_id, (
            SELECT l.id FROM generations l WHERE l.external_id = o.external_id AND l.delivered = 1
            ORDER BY l.created_at_ms DESC, l.id DESC LIMIT 1
          )) AND c.metric = o.metric AND c.outcome_id = o.outcome_id AND c.api_key_id = o.api_key_id
         ) AS counts_for_generation_id,
         (SELECT c.score_id FROM counting_score_outcomes c
          WHERE c.score_id = o.score_id AND c.metric = o.metric AND c.outcome_id = o.outcome_id
            AND c.api_key_id = o.api_key_id
         ) AS counts_for_score_id
       FROM outcomes o WHERE o.seq > ? ORDER BY o.seq LIMIT ?`,
    ),
    scores: database.prepare(
      `SELECT seq, ${SCORE_COLUMN_NAMES.join(', ')}, commit_wait_ms FROM scores WHERE seq > ? ORDER BY seq LIMIT ?`,
    ),
  } satisfies Record<LedgerTable, unknown>;
  const orphans = database.prepare('SELECT count(*) FROM orphan_outcomes').pluck();
  const schema = database.prepare('SELECT max(name) FROM schema_migrations').pluck();
  const version = database.prepare('SELECT sqlite_version()').pluck();

  const findGeneration = database.transaction((id: string): StoredGeneration | null => {
    // Row mappers: the columns are those of the statements above.
    const row = generation.get(id) as Record<string, unknown> | undefined;
    if (row === undefined) return null;
    const outcomes = outcomesOf.all({ id }) as Record<string, unknown>[];
    return {
      ...fromGenerationRow(row),
      commitWaitMs: Number(row['commit_wait_ms']),
      outcomes: outcomes.map(storedOutcome),
    };
  });

  return {
    findGeneration: ({ id }) => findGeneration(id),
    readRows: ({ table, afterSequence, limit }) => {
      const rowLimit = Math.max(1, Math.min(limit, MAX_PAGE_ROWS));
      const rows: Record<string, unknown>[] = [];
      let characters = 0;
      for (const row of pages[table].iterate(afterSequence, rowLimit)) {
        // Row mapper: an object per row, as better-sqlite3 makes them.
        const stored = row as Record<string, unknown>;
        const columns = table === 'scores' ? exportedScoreRow(stored) : stored;
        rows.push(columns);
        for (const value of Object.values(columns))
          characters += typeof value === 'string' ? value.length : 8;
        if (characters >= MAX_PAGE_CHARACTERS) break;
      }
      const isLast = rows.length < rowLimit && characters < MAX_PAGE_CHARACTERS;
      return { rows, nextSequence: isLast ? null : Number(rows.at(-1)?.['seq']) };
    },
    versionTotals,
    ...createTimeTotals(database),
    ...createGenerationLists(database),
    ...createExperimentReads(database),
    ...createApiKeyReads(database),
    ...createKeySpendReads(database),
    ...createShadowReads(database),
    ...createScoreReads(database),
    labelEventsAfter,
    labelHistory,
    ...createRolloutEventPages(database),
    retentionHorizons: () => horizonsOf(retentionState()),
    storageFacts: () => ({
      orphanOutcomes: Number(orphans.get()),
      fileBytes: sizeBytes(file),
      logBytes: sizeBytes(`${file}-wal`),
      schema: String(schema.get()),
      sqliteVersion: String(version.get()),
    }),
  };
}

function sizeBytes(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
