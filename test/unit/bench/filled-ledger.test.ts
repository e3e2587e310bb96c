import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';

import { fillLedger } from '../../../bench/harness/filled-ledger.ts';
import { compareWithRebuild } from '../../../src/storage/sqlite/rebuild-comparison.ts';
import { openDatabase } from '../../../src/storage/sqlite/sqlite-driver.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

test('the rollups of the filled ledger are those that its rows give', () => {
  const file = join(folder.path, 'filled.db');
  const filled = fillLedger(file, 20_000, Date.UTC(2026, 10, 23, 10, 30));
  const database = openDatabase(file);

  const { differences } = compareWithRebuild(database);
  const units = database.prepare('SELECT count(*) FROM experiment_units').pluck().get();
  database.close();

  expect(differences).toEqual([]);
  expect(filled.generations).toBe(20_000);
  expect(filled.outcomes).toBeGreaterThan(6_000);
  expect(units).toBeGreaterThan(10);
});
