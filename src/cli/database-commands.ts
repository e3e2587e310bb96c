import type { Command } from 'commander';

import type { CliContext } from './cli-context.ts';
import { addExamples, configOption, jsonOption } from './command-options.ts';
import type { CommandRunner } from './command-runner.ts';
import {
  type DatabaseOptions,
  databaseBackup,
  databaseMigrate,
  databaseVerify,
} from './commands/database.ts';

/** `db migrate|backup|verify`. */
export function addDatabase(program: Command, context: CliContext, runner: CommandRunner): void {
  const group = program.command('db').description('migrate, back up or verify the database');
  const add = (name: string, description: string): Command =>
    group.command(name).description(description).addOption(configOption()).addOption(jsonOption());
  const migrate = add('migrate', 'bring the database to this release; a start does it, too').action(
    (options: DatabaseOptions) => runner.run(options.json === true, () => databaseMigrate(options, context)),
  );
  const backup = add('backup', 'write a consistent copy and check it; works beside a serving gateway')
    .argument('<file>', 'file to write; must not exist')
    .action((file: string, options: DatabaseOptions) =>
      runner.run(options.json === true, () => databaseBackup(file, options, context)),
    );
  const verify = add(
    'verify',
    'check every page, and every derived number against the rows, on a copy in the temporary folder',
  ).action((options: DatabaseOptions) =>
    runner.run(options.json === true, () => databaseVerify(options, context)),
  );
  const migrateExample = ['prompt-gateway db migrate', 'before a new release is started'] as const;
  const backupExample = [
    'prompt-gateway db backup backups/2026-11-23.db',
    'while the gateway serves',
  ] as const;
  const verifyExample = ['prompt-gateway db verify --json', 'for a nightly job'] as const;
  addExamples(group, [migrateExample, backupExample, verifyExample]);
  addExamples(migrate, [migrateExample]);
  addExamples(backup, [backupExample]);
  addExamples(verify, [
    verifyExample,
    ['TMPDIR=/big prompt-gateway db verify', 'the copy needs the same room'],
  ]);
}
