import type { Command } from 'commander';

import type { CliContext } from './cli-context.ts';
import { addExamples, jsonOption } from './command-options.ts';
import type { CommandRunner } from './command-runner.ts';
import { type DocsGenerateOptions, docsGenerate } from './commands/docs-generate.ts';

/** `docs generate`, for developers of the gateway. */
export function addDocs(program: Command, context: CliContext, runner: CommandRunner): void {
  const group = program.command('docs', { hidden: true }).description('documents made from code');
  const command = group
    .command('generate')
    .description('write docs/config.md and docs/gateway.config.schema.json')
    .option('--check', 'change nothing; fail when a document is stale')
    .addOption(jsonOption())
    .action((options: DocsGenerateOptions) =>
      runner.run(options.json === true, () => docsGenerate(options, context)),
    );
  addExamples(group, [['prompt-gateway docs generate', 'after a change of the schema']]);
  addExamples(command, [['prompt-gateway docs generate --check', 'in a pipeline']]);
}
