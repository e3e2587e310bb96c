import { type Command, Option } from 'commander';

import type { CliContext } from './cli-context.ts';
import { addExamples, configOption } from './command-options.ts';
import type { CommandRunner } from './command-runner.ts';
import { LEDGER_TABLES, type LedgerExportOptions, ledgerExport } from './commands/ledger-export.ts';

/** `ledger export`. */
export function addLedger(program: Command, context: CliContext, runner: CommandRunner): void {
  const group = program.command('ledger').description('read the ledger');
  const command = group
    .command('export')
    .description('write a table as NDJSON, oldest first; works beside a serving gateway')
    .addOption(new Option('--table <table>', 'which table').choices([...LEDGER_TABLES]).makeOptionMandatory())
    .option('--out <file>', 'file to write; default: standard output')
    .addOption(configOption())
    .addOption(new Option('--json', 'print the summary as JSON'))
    .action((options: LedgerExportOptions) =>
      runner.run(options.json === true, () => ledgerExport(options, context)),
    );
  const examples = [
    ['prompt-gateway ledger export --table generations | head -1', 'look at one row'],
    ['prompt-gateway ledger export --table outcomes --out outcomes.ndjson', 'write a file'],
  ] as const;
  addExamples(group, examples);
  addExamples(command, examples);
}
