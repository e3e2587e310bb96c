import { once } from 'node:events';
import { createWriteStream, renameSync, rmSync } from 'node:fs';
import type { Writable } from 'node:stream';

import { AppError, errorMessage } from '../../kernel/index.ts';
import type { LedgerReader, LedgerTable } from '../../ledger/index.ts';
import type { CliContext } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type ConfigOption, loadCommandConfig } from '../load-command-config.ts';
import { writeJson, writeLine, writeText } from '../write-output.ts';

export const LEDGER_TABLES: readonly LedgerTable[] = ['generations', 'outcomes', 'scores'];

export interface LedgerExportOptions extends ConfigOption {
  readonly table: LedgerTable;
  /** File to write; standard output when absent. */
  readonly out?: string;
  readonly json?: boolean;
}

/** Rows per read: a few megabytes at most, and few enough round trips to the reader. */
const PAGE_ROWS = 500;

/** Writes one table of the ledger as NDJSON. Works beside a serving gateway. */
export async function ledgerExport(options: LedgerExportOptions, context: CliContext): Promise<ExitCode> {
  const { loaded } = loadCommandConfig(options, context);
  const { openSqliteReader } = await import('../../storage/sqlite/index.ts');
  const opened = await openSqliteReader({ file: loaded.databaseFile });
  try {
    if (options.out === undefined) {
      const rows = await exportRows(opened.reader, options.table, context.stdout);
      await summarise(options, rows, (await opened.retentionHorizons()).rowsMs, context.stderr);
    } else {
      const rows = await exportToFile(opened.reader, options.table, options.out);
      await summarise(options, rows, (await opened.retentionHorizons()).rowsMs, context.stdout);
    }
    return EXIT.ok;
  } finally {
    await opened.close();
  }
}

/** Writes all rows, one JSON object per line, in insertion order; stops when nobody reads any more. Returns how many. */
export async function exportRows(
  reader: LedgerReader,
  table: LedgerTable,
  destination: Writable,
): Promise<number> {
  let written = 0;
  let afterSequence = 0;
  while (!destination.destroyed) {
    const page = await reader.readRows(table, afterSequence, PAGE_ROWS);
    if (page.rows.length > 0) {
      await writeText(destination, page.rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    }
    written += page.rows.length;
    if (page.nextSequence === null) break;
    afterSequence = page.nextSequence;
  }
  return written;
}

/** Under another name until it is whole: a file that is there is never half an export. */
async function exportToFile(reader: LedgerReader, table: LedgerTable, file: string): Promise<number> {
  const unfinished = `${file}.part`;
  const stream = createWriteStream(unfinished);
  let failure: Error | null = null;
  stream.on('error', (error) => {
    failure = error;
  });
  try {
    const rows = await exportRows(reader, table, stream);
    if (failure === null) {
      stream.end();
      await once(stream, 'close');
    }
    if (failure !== null) throw failure;
    renameSync(unfinished, file);
    return rows;
  } catch (error) {
    stream.destroy();
    rmSync(unfinished, { force: true });
    if (error instanceof AppError) throw error;
    throw new AppError('invalid_request', `cannot write ${file}: ${errorMessage(error)}`, { cause: error });
  }
}

async function summarise(
  options: LedgerExportOptions,
  rows: number,
  keptFromMs: number | null,
  stream: Writable,
): Promise<void> {
  const { table, out } = options;
  const keptFrom = keptFromMs === null ? null : new Date(keptFromMs).toISOString();
  if (options.json === true)
    await writeJson(stream, { ok: true, table, rows, file: out ?? null, kept_from: keptFrom });
  else {
    const gone = keptFrom === null ? '' : `; retention has deleted what was created before ${keptFrom}`;
    await writeLine(stream, `exported ${rows} ${table}${out === undefined ? '' : ` to ${out}`}${gone}`);
  }
}
