import type { Command } from 'commander';

import type { CliContext } from './cli-context.ts';
import { addExamples, configOption, jsonOption } from './command-options.ts';
import type { CommandRunner } from './command-runner.ts';
import { type ConfigCheckOptions, configCheck } from './commands/config-check.ts';
import { type ConfigPrintOptions, configPrint } from './commands/config-print.ts';

/** `config check|print`. */
export function addConfig(program: Command, context: CliContext, runner: CommandRunner): void {
  const group = program.command('config').description('check or print the configuration');
  const check = group
    .command('check')
    .description('check the file and the environment: every fault at once, with its place')
    .addOption(configOption())
    .addOption(jsonOption())
    .action((options: ConfigCheckOptions) =>
      runner.run(options.json === true, () => configCheck(options, context)),
    );
  const print = group
    .command('print')
    .description('print every value in force and where it came from; secrets are not shown')
    .addOption(configOption())
    .addOption(jsonOption())
    .action((options: ConfigPrintOptions) =>
      runner.run(options.json === true, () => configPrint(options, context)),
    );
  const checkExample = ['prompt-gateway config check', 'check ./gateway.config.json'] as const;
  const printExample = [
    'prompt-gateway config print | grep environment',
    'what the environment changed',
  ] as const;
  addExamples(group, [checkExample, printExample]);
  addExamples(check, [
    checkExample,
    ['prompt-gateway config check --config staging.json --json', 'another file, for a pipeline'],
  ]);
  addExamples(print, [printExample, ['PORT=9000 prompt-gateway config print --json', 'as JSON']]);
}
