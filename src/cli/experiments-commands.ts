import type { Command } from 'commander';

import type { CliContext } from './cli-context.ts';
import { addExamples, configOption, jsonOption } from './command-options.ts';
import type { CommandRunner } from './command-runner.ts';
import { type ExperimentsCheckOptions, experimentsCheck } from './commands/experiments-check.ts';

/** `experiments check`. */
export function addExperiments(program: Command, context: CliContext, runner: CommandRunner): void {
  const group = program.command('experiments').description('check the definitions of experiments');
  const check = group
    .command('check')
    .description('check definitions against prompts, metrics and where labels point; needs no server')
    .addOption(configOption())
    .addOption(jsonOption())
    .action((options: ExperimentsCheckOptions) =>
      runner.run(options.json === true, () => experimentsCheck(options, context)),
    );
  const example = ['prompt-gateway experiments check', 'what they compare, and who leads to them'] as const;
  addExamples(group, [example]);
  addExamples(check, [example, ['prompt-gateway experiments check --json', 'for a pipeline']]);
}
