export { openSqliteReader, type SqliteReader } from './open-sqlite-reader.ts';
export {
  openSqliteStorage,
  type SqliteStorage,
  type SqliteStorageOptions,
  type StorageInfo,
} from './open-sqlite-storage.ts';
export type { MetricDefinition, StorageSettings } from './storage-settings.ts';
