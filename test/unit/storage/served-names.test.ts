import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { watchServedNames } from '../../../src/storage/sqlite/served-names.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

describe('the names of a served file', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let file: string;
  let lostName: () => string | null;
  beforeEach(() => {
    folder = temporaryFolder();
    mkdirSync(join(folder.path, 'data'));
    file = join(folder.path, 'data/gateway.db');
    writeFileSync(file, 'ledger');
    lostName = watchServedNames(file);
  });
  afterEach(() => folder.remove());

  test('are in order while they lead to the same files, written or not, and before there is a log', () => {
    expect(lostName()).toBeNull();
    writeFileSync(file, 'longer ledger');
    writeFileSync(`${file}-wal`, 'log');
    expect(lostName()).toBeNull();
    writeFileSync(`${file}-wal`, '');

    expect(lostName()).toBeNull();
  });

  test.each([
    ['removed', () => rmSync(file)],
    [
      'replaced',
      () => {
        writeFileSync(`${file}.backup`, 'ledger');
        renameSync(`${file}.backup`, file);
      },
    ],
    ['without their folder', () => renameSync(join(folder.path, 'data'), join(folder.path, 'away'))],
  ])('are lost when they are %s', (_what, lose) => {
    lose();

    expect(lostName()).toContain(`${file} was removed, moved or replaced`);
  });

  test('are lost with the log alone', () => {
    writeFileSync(`${file}-wal`, 'log');
    lostName();
    rmSync(`${file}-wal`);

    expect(lostName()).toContain(`${file}-wal was removed`);
  });

  test('are found again when the file is put back', () => {
    renameSync(file, `${file}.away`);
    expect(lostName()).not.toBeNull();
    renameSync(`${file}.away`, file);

    expect(lostName()).toBeNull();
  });
});
