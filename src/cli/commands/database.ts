import type { CliContext } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type ConfigOption, loadCommandConfig } from '../load-command-config.ts';
import { writeJson, writeLine } from '../write-output.ts';

export interface DatabaseOptions extends ConfigOption {
  readonly json?: boolean;
}

/** Brings the database to the schema of this release. Refuses with `storage_invalid` while a gateway serves it. */
export async function databaseMigrate(options: DatabaseOptions, context: CliContext): Promise<ExitCode> {
  const { databaseFile: file } = loadCommandConfig(options, context).loaded;
  const { migrateSqliteFile } = await import('../../storage/sqlite/index.ts');
  const applied = migrateSqliteFile({ file, clock: context.clock });
  if (options.json === true) await writeJson(context.stdout, { ok: true, file, applied });
  else if (applied.length === 0)
    await writeLine(context.stdout, `ok: ${file} has the schema of this release`);
  else for (const name of applied) await writeLine(context.stdout, `applied: ${name}`);
  return EXIT.ok;
}

/** Writes a consistent, checked copy; works beside a serving gateway. */
export async function databaseBackup(
  target: string,
  options: DatabaseOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { databaseFile: file } = loadCommandConfig(options, context).loaded;
  const { backupSqliteFile } = await import('../../storage/sqlite/index.ts');
  const { generations, outcomes, scores, bytes } = backupSqliteFile(file, target);
  if (options.json === true) {
    await writeJson(context.stdout, { ok: true, file, backup: target, bytes, generations, outcomes, scores });
  } else {
    await writeLine(
      context.stdout,
      `backed up and checked: ${target} (${bytes} bytes, ${generations} generations, ${outcomes} outcomes, ${scores} scores)`,
    );
  }
  return EXIT.ok;
}

/** Checks pages and indexes, and everything derived against the rows it comes from. Exit code 1 for any finding. */
export async function databaseVerify(options: DatabaseOptions, context: CliContext): Promise<ExitCode> {
  const { databaseFile: file } = loadCommandConfig(options, context).loaded;
  const { verifySqliteFile } = await import('../../storage/sqlite/index.ts');
  const { problems, differences, tablesCompared } = verifySqliteFile(file);
  const isOk = problems.length === 0 && differences.length === 0;
  if (options.json === true) {
    await writeJson(context.stdout, {
      ok: isOk,
      file,
      problems,
      tables_compared: tablesCompared,
      differences: differences.map(({ exampleUnexpected, exampleMissing, ...counts }) => ({
        ...counts,
        example_unexpected: exampleUnexpected,
        example_missing: exampleMissing,
      })),
    });
    return isOk ? EXIT.ok : EXIT.failed;
  }
  for (const problem of problems) await writeLine(context.stdout, `damaged: ${problem}`);
  for (const { table, unexpected, missing, exampleUnexpected, exampleMissing } of differences) {
    await writeLine(
      context.stdout,
      `differs: ${table}: ${unexpected} rows that the ledger does not give, ${missing} that it gives are missing`,
    );
    if (exampleUnexpected !== null) await writeLine(context.stdout, `  is:      ${exampleUnexpected}`);
    if (exampleMissing !== null) await writeLine(context.stdout, `  must be: ${exampleMissing}`);
  }
  await writeLine(context.stdout, verdict(file, { problems, differences, tablesCompared }));
  return isOk ? EXIT.ok : EXIT.failed;
}

function verdict(
  file: string,
  found: {
    readonly problems: readonly string[];
    readonly differences: readonly object[];
    readonly tablesCompared: number;
  },
): string {
  if (found.problems.length > 0) return `failed: ${file} is damaged: restore a backup`;
  if (found.differences.length === 0) {
    return `ok: ${file} is sound, and all ${found.tablesCompared} derived tables are what its rows give`;
  }
  return `failed: ${found.differences.length} of ${found.tablesCompared} derived tables differ from the rows; the rows are the truth`;
}
