export { openSqliteKeys } from './open-sqlite-keys.ts';
export { openSqliteReader } from './open-sqlite-reader.ts';
export { openSqliteStorage, type SqliteStorage, type SqliteStorageOptions } from './open-sqlite-storage.ts';
export { backupSqliteFile, migrateSqliteFile, verifySqliteFile } from './sqlite-files.ts';
export type { StorageSettings } from './storage-settings.ts';
