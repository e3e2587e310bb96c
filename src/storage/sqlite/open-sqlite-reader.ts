import { existsSync } from 'node:fs';

import type { ExperimentReader, ReportReader, SequenceStore } from '../../analytics/index.ts';
import type { LabelEventStore, PolicySnapshotStore, RolloutEventStore } from '../../experiments/index.ts';
import type { LedgerReader, RetentionHorizons } from '../../ledger/index.ts';
import { openReadConnection } from './connection.ts';
import { experimentReader } from './experiment-stores.ts';
import { checkSchema, loadMigrations } from './migrations.ts';
import { openInlineReader, type ReaderPort } from './reader-port.ts';
import { invalid, openFailure } from './sqlite-failure.ts';

interface SqliteReader {
  readonly reader: LedgerReader;
  /** From when on rows and their contents are there. */
  retentionHorizons(): Promise<RetentionHorizons>;
  readonly reportReader: ReportReader;
  readonly experimentReader: ExperimentReader;
  readonly policySnapshots: Pick<PolicySnapshotStore, 'latestSnapshot'>;
  readonly sequences: Pick<SequenceStore, 'sequenceHead'>;
  readonly labelEvents: Pick<LabelEventStore, 'eventsAfter'>;
  readonly rolloutEvents: Pick<RolloutEventStore, 'rolloutsAfter' | 'rolloutPage'>;
  close(): Promise<void>;
}

/**
 * Opens a ledger read-only, without threads and without the serving lock: works beside a serving process. Fails with
 * `storage_invalid` when there is no ledger at `file` or this release cannot read it.
 */
export async function openSqliteReader(options: { readonly file: string }): Promise<SqliteReader> {
  const { file } = options;
  if (!existsSync(file))
    throw invalid(file, 'does not exist: start the gateway once, or set DATABASE_URL to the file it serves');
  try {
    const database = openReadConnection(file);
    try {
      const migrations = loadMigrations();
      const applied = checkSchema(database, file, migrations);
      if (applied.length < migrations.length) {
        throw invalid(
          file,
          `has an older schema (lacks ${migrations[applied.length]?.name}): start the gateway once, which migrates it`,
        );
      }
      const port = openInlineReader(database, file);
      return {
        reader: ledgerReader(port),
        retentionHorizons: () => port.call('retentionHorizons', {}),
        reportReader: reportReader(port),
        experimentReader: experimentReader(port),
        policySnapshots: { latestSnapshot: (experiment) => port.call('latestSnapshot', { experiment }) },
        sequences: { sequenceHead: (key) => port.call('sequenceHead', key) },
        labelEvents: {
          eventsAfter: (sequence, limit) => port.call('labelEventsAfter', { sequence, limit }),
        },
        rolloutEvents: {
          rolloutsAfter: (sequence, limit) => port.call('rolloutsAfter', { sequence, limit }),
          rolloutPage: (query) => port.call('rolloutPage', query),
        },
        close: port.close,
      };
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (error) {
    throw openFailure(file, error);
  }
}

export function ledgerReader(port: ReaderPort): LedgerReader {
  return {
    findGeneration: (id) => port.call('findGeneration', { id }),
    listGenerations: (query) => port.call('listGenerations', query),
    findScore: (id) => port.call('findScore', { id }),
    readRows: (table, afterSequence, limit) => port.call('readRows', { table, afterSequence, limit }),
    close: port.close,
  };
}

export function reportReader(port: ReaderPort): ReportReader {
  return {
    versionTotals: (query) => port.call('versionTotals', query),
    timeTotals: (query) => port.call('timeTotals', query),
    filterChoices: (prompt) => port.call('filterChoices', { prompt }),
  };
}
