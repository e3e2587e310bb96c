import { expect, test } from '@jest/globals';
import { driverPackage, openDatabase } from '../../../src/storage/sqlite/sqlite-driver.ts';

test.each([
  [9, 'better-sqlite3'],
  [10, 'better-sqlite3-13'],
  [11, 'better-sqlite3-13'],
])('Node-API %i is served by %s', (nodeApiVersion, expected) => {
  expect(driverPackage(nodeApiVersion)).toBe(expected);
});

test('the driver of this Node opens a database with the features the ledger needs', () => {
  const database = openDatabase(':memory:');
  database.exec('CREATE TABLE kept (id TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT');

  const insert = database.prepare(
    'INSERT INTO kept VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET n = n + 1 RETURNING n',
  );

  expect(insert.pluck().get('a')).toBe(1);
  expect(insert.pluck().get('a')).toBe(2);
  database.close();
});
