import { type Command, Option } from 'commander';

import type { CliContext } from './cli-context.ts';
import { addExamples, configOption, jsonOption, wholeNumberOption } from './command-options.ts';
import type { CommandRunner } from './command-runner.ts';
import { type DemoOptions, demo } from './commands/demo.ts';
import { type ServeOptions, serve } from './commands/serve.ts';
import { DEMO_POLICIES } from './demo/demo-settings.ts';

/** `serve`. */
export function addServe(program: Command, context: CliContext, runner: CommandRunner): void {
  const command = program
    .command('serve')
    .description('serve until SIGTERM or SIGINT; running calls are finished first')
    .addOption(configOption())
    .action((options: ServeOptions) => runner.run(false, () => serve(options, context)));
  addExamples(command, [
    ['prompt-gateway serve', 'serve with ./gateway.config.json'],
    ['PORT=0 prompt-gateway serve --config staging.json', 'another file, any free port'],
  ]);
}

/** `demo`. */
export function addDemo(program: Command, context: CliContext, runner: CommandRunner): void {
  const command = program
    .command('demo')
    .description('simulate users against a gateway with a scripted model; needs no key and no network')
    .addOption(wholeNumberOption('--users <number>', 'users of the experiment', 5_000, 1, 20_000))
    .addOption(wholeNumberOption('--tips <number>', 'tips for each user of the comparison', 4, 1, 100))
    .addOption(
      new Option('--policy <kind>', 'how the experiment assigns').choices(DEMO_POLICIES).default('thompson'),
    )
    .addOption(wholeNumberOption('--seed <number>', 'seed of the simulation', 7, 0, 4_294_967_295))
    .option('--keep', 'keep the database and say where it is')
    .addOption(jsonOption())
    .action((options: DemoOptions) => runner.run(options.json === true, () => demo(options, context)));
  addExamples(command, [
    ['prompt-gateway demo', 'a comparison of versions, then a bandit on 5,000 users'],
    ['prompt-gateway demo --policy fixed --users 2000 --seed 3', 'an even split of other users'],
    ['prompt-gateway demo --keep', 'keep the database to look at it with `serve`'],
  ]);
}
