import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';

import type { ApiKeyStore, KeySpendStore, SignInTokenStore } from '../../access/index.ts';
import type {
  ExperimentReader,
  OffPolicyReader,
  PolicyReader,
  ReportReader,
  SequenceStore,
  ShadowReader,
} from '../../analytics/index.ts';
import type {
  AssignmentStore,
  LabelEventStore,
  PolicySnapshotStore,
  RolloutEventStore,
} from '../../experiments/index.ts';
import type { Clock, Logger } from '../../kernel/index.ts';
import type { Ledger, LedgerReader, RetentionLedger, ShadowLedger } from '../../ledger/index.ts';
import type { ScorePolicyStore } from '../../ranking/index.ts';
import type { ShadowSpendSource } from '../../serving/index.ts';
import { apiKeyStore, keySpendStore, signInTokenStore } from './access-stores.ts';
import {
  type Connection,
  closeWriteConnection,
  type Durability,
  openReadConnection,
  openWriteConnection,
  prepareForWriting,
} from './connection.ts';
import {
  assignmentStore,
  experimentReader,
  offPolicyReader,
  policyReader,
  policySnapshotStore,
} from './experiment-stores.ts';
import { createIdempotencyKeys } from './idempotency-keys.ts';
import { createLabelEventStore } from './label-event-store.ts';
import { checkSchema, loadMigrations, migrate } from './migrations.ts';
import { ledgerReader, reportReader } from './open-sqlite-reader.ts';
import type { StorageFacts } from './reader-core.ts';
import { openInlineReader, openReaderThread, type ReaderPort } from './reader-port.ts';
import { retentionLedger } from './retention-ledger.ts';
import { createRolloutEventStore } from './rollout-event-store.ts';
import { createScorePolicyStore } from './score-policy-store.ts';
import { sequenceStore } from './sequence-store.ts';
import { acquireServingLock } from './serving-lock.ts';
import { shadowLedger, shadowReader } from './shadow-stores.ts';
import { openFailure } from './sqlite-failure.ts';
import { createSqliteLedger } from './sqlite-ledger.ts';
import { type StorageSettings, syncSettings, unitHashKey } from './storage-settings.ts';
import { createWriterCalls } from './writer-calls.ts';
import { openInlineWriter, openWriterThread, type WriterPort } from './writer-port.ts';

export interface SqliteStorageOptions {
  /** Created with its folder when it does not exist. */
  readonly file: string;
  readonly durability: Durability;
  readonly maxQueuedWrites: number;
  /** Of the file and its log: the oldest rows go before it is reached. Default: no limit. */
  readonly maxBytes?: number | null;
  readonly settings: StorageSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  /** False: everything on the calling thread, one transaction per write. For tests and small tools. */
  readonly threads: boolean;
}

export interface SqliteStorage {
  readonly ledger: Ledger;
  readonly labelEvents: LabelEventStore;
  readonly rolloutEvents: RolloutEventStore;
  readonly ledgerReader: LedgerReader;
  readonly reportReader: ReportReader;
  readonly experimentReader: ExperimentReader;
  readonly offPolicyReader: OffPolicyReader;
  readonly policyReader: PolicyReader;
  readonly assignments: AssignmentStore;
  readonly policySnapshots: PolicySnapshotStore;
  readonly apiKeys: ApiKeyStore;
  readonly keySpend: KeySpendStore;
  readonly signInTokens: SignInTokenStore;
  readonly sequences: SequenceStore;
  readonly scorePolicies: ScorePolicyStore;
  readonly shadowLedger: ShadowLedger;
  readonly retention: RetentionLedger;
  readonly shadowReader: ShadowReader & ShadowSpendSource;
  /** 64 hex digits, the same for as long as the file lives. */
  readonly unitHashKey: string;
  /** Sizes and counts for operators. */
  storageInfo(): Promise<StorageInfo>;
  /** Commits what is queued, closes the file, frees the serving lock. May be called twice. */
  close(): Promise<void>;
}

interface StorageInfo extends StorageFacts {
  readonly file: string;
  readonly durability: Durability;
}

/** Readable by the gateway's user alone: the file holds generated texts and profile features. */
const FILE_MODE = 0o600;

/**
 * Opens the ledger for serving: lock, checks, migrations, then a writer and a reader. Fails with `storage_invalid`, one
 * line that says what to do, when the file is served by another process, damaged, foreign, newer, or not writable.
 */
export async function openSqliteStorage(options: SqliteStorageOptions): Promise<SqliteStorage> {
  const { durability, clock, logger } = options;
  const file = createFile(options.file);
  const lock = acquireServingLock(file);
  const closers: (() => Promise<void>)[] = [async () => lock.release()];
  const close = () => closeInReverse(closers.splice(0));
  try {
    const { database, key } = prepareFile(file, options);
    // Side by side: starting a thread takes longer than anything else here.
    const [writing, reading] = await Promise.allSettled([
      openWriter(database, file, options),
      openReader(file, options),
    ]);
    if (writing.status === 'fulfilled') closers.push(writing.value.close);
    if (reading.status === 'fulfilled') closers.push(reading.value.close);
    if (writing.status === 'rejected') throw writing.reason;
    if (reading.status === 'rejected') throw reading.reason;
    const reader = reading.value;
    const writer = createWriterCalls({ writer: writing.value, clock, logger });
    const ledger = createSqliteLedger({ writer, clock });
    // The reader goes before the writer: the last to close empties the write-ahead log.
    closers.splice(1, closers.length, ledger.close, reader.close);
    return {
      ledger,
      labelEvents: createLabelEventStore(writer, reader),
      rolloutEvents: createRolloutEventStore(writer, reader),
      ledgerReader: ledgerReader(reader),
      reportReader: reportReader(reader),
      experimentReader: experimentReader(reader),
      offPolicyReader: offPolicyReader(reader),
      policyReader: policyReader(reader),
      assignments: assignmentStore(reader),
      policySnapshots: policySnapshotStore(writer, reader),
      apiKeys: apiKeyStore(writer, reader),
      keySpend: keySpendStore(reader),
      signInTokens: signInTokenStore(writer),
      sequences: sequenceStore(writer, reader),
      scorePolicies: createScorePolicyStore(writer, reader),
      shadowLedger: shadowLedger(writer),
      retention: retentionLedger(writer),
      shadowReader: shadowReader(reader),
      unitHashKey: key,
      storageInfo: async () => ({ file, durability, ...(await reader.call('storageFacts', {})) }),
      close,
    };
  } catch (error) {
    await close();
    throw openFailure(file, error);
  }
}

async function openWriter(
  database: Connection,
  file: string,
  { threads, durability, maxQueuedWrites, maxBytes = null, clock, logger }: SqliteStorageOptions,
): Promise<WriterPort> {
  if (!threads) return openInlineWriter(database, maxBytes);
  closeWriteConnection(database);
  return openWriterThread({ data: { file, durability, maxBytes }, maxQueuedWrites, clock, logger });
}

async function openReader(
  file: string,
  { threads, clock, logger }: SqliteStorageOptions,
): Promise<ReaderPort> {
  if (!threads) return openInlineReader(openReadConnection(file), file);
  return openReaderThread({ file, clock, logger });
}

/** Closes all, whatever one of them does; fails with the first failure. */
async function closeInReverse(closers: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const closer of closers.toReversed()) await closer().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

/** The real path: two names of one file must meet at one lock. */
export function createFile(file: string): string {
  try {
    makeFolder(dirname(file));
    closeSync(openSync(file, 'a', FILE_MODE));
    return realpathSync(file);
  } catch (error) {
    throw openFailure(file, error);
  }
}

/** One level at a time: Node's own recursive mode never returns where the system answers ENOENT, as below `/proc`. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another process may have made it in between.
    if (!existsSync(folder)) throw error;
  }
}

function prepareFile(file: string, options: SqliteStorageOptions): { database: Connection; key: string } {
  const database = openWriteConnection(file);
  try {
    const migrations = loadMigrations();
    checkSchema(database, file, migrations);
    prepareForWriting(database, options.durability);
    const applied = migrate(database, file, migrations, options.clock.nowMs());
    if (applied > 0) options.logger.info({ file, applied }, 'the ledger was migrated');
    syncSettings(database, options.settings);
    // One serving process per file, and it is starting: whoever held a lease is gone.
    createIdempotencyKeys(database).releaseAll();
    return { database, key: unitHashKey(database, () => randomBytes(32).toString('hex')) };
  } catch (error) {
    database.close();
    throw error;
  }
}
