import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';

import { gatewayVersion } from '../version.ts';
import type { CliContext } from './cli-context.ts';
import {
  addExamples,
  alphaOption,
  configOption,
  jsonOption,
  realOption,
  wholeNumberOption,
} from './command-options.ts';
import { type CommandRunner, createCommandRunner } from './command-runner.ts';
import { type AnalyzeOptions, analyze } from './commands/analyze.ts';
import { type ConfigCheckOptions, configCheck } from './commands/config-check.ts';
import { type ConfigPrintOptions, configPrint } from './commands/config-print.ts';
import { type DemoOptions, demo } from './commands/demo.ts';
import { type DocsGenerateOptions, docsGenerate } from './commands/docs-generate.ts';
import { LEDGER_TABLES, type LedgerExportOptions, ledgerExport } from './commands/ledger-export.ts';
import { type OffPolicyCommandOptions, offPolicy } from './commands/off-policy.ts';
import { type PlanCommandOptions, plan } from './commands/plan.ts';
import { promptsList } from './commands/prompts-list.ts';
import { type PromptsLockOptions, promptsLock } from './commands/prompts-lock.ts';
import { promptsRetire, type VersionName } from './commands/prompts-retire.ts';
import { promptsTest } from './commands/prompts-test.ts';
import { type ServeOptions, serve } from './commands/serve.ts';
import { DEMO_POLICIES } from './demo/demo-settings.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { addKeys } from './keys-commands.ts';
import type { PromptsOptions } from './load-command-prompts.ts';
import { rewardScaleOption } from './reward-scale-option.ts';

/** Runs one command line (without `node` and the script) and returns its exit code. Never throws, never exits. */
export async function runCli(args: readonly string[], context: CliContext): Promise<ExitCode> {
  const runner = createCommandRunner(context);
  const program = createProgram(context, runner);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return runner.exitCode();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Commander has printed its message; help and version count as done.
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
}

function createProgram(context: CliContext, runner: CommandRunner): Command {
  const program = new Command('prompt-gateway')
    .description('LLM gateway with a prompt registry that learns which prompt works.')
    .version(gatewayVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
    })
    .showHelpAfterError('(add --help for the options and examples)');
  addExamples(program, [
    ['prompt-gateway demo', 'see in a minute how the gateway finds the better prompt'],
    ['prompt-gateway serve', 'serve with ./gateway.config.json'],
    ['prompt-gateway config check --json', 'check the configuration, for a pipeline'],
    ['prompt-gateway prompts test', 'run the cases of every prompt'],
  ]);
  addServe(program, context, runner);
  addDemo(program, context, runner);
  addConfig(program, context, runner);
  addPrompts(program, context, runner);
  addKeys(program, context, runner);
  addLedger(program, context, runner);
  addAnalysis(program, context, runner);
  addDocs(program, context, runner);
  return program;
}

function addServe(program: Command, context: CliContext, runner: CommandRunner): void {
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

function addDemo(program: Command, context: CliContext, runner: CommandRunner): void {
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

function addConfig(program: Command, context: CliContext, runner: CommandRunner): void {
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

function addPrompts(program: Command, context: CliContext, runner: CommandRunner): void {
  const group = program.command('prompts').description('list, test, lock or retire prompt versions');
  const add = (name: string, description: string): Command =>
    group.command(name).description(description).addOption(configOption()).addOption(jsonOption());
  const list = add('list', 'list every prompt and version with its state').action((options: PromptsOptions) =>
    runner.run(options.json === true, () => promptsList(options, context)),
  );
  const test = add('test', 'run the cases (prompts/<name>/cases.yaml)')
    .argument('[prompt]', 'only this prompt')
    .action((prompt: string | undefined, options: PromptsOptions) =>
      runner.run(options.json === true, () => promptsTest(prompt ?? null, options, context)),
    );
  const lock = add('lock', 'lock the versions that are not locked yet: from then on their text is final')
    .option('--check', 'change nothing; fail when a version is not locked')
    .action((options: PromptsLockOptions) =>
      runner.run(options.json === true, () => promptsLock(options, context)),
    );
  const retire = add('retire', 'retire a version: still readable and reported, no longer selectable')
    .argument('<prompt@version>', 'for example tip@v1', readVersionName)
    .action((name: VersionName, options: PromptsOptions) =>
      runner.run(options.json === true, () => promptsRetire(name, options, context)),
    );
  const testExample = ['prompt-gateway prompts test tip', 'run the cases of one prompt'] as const;
  const lockExample = ['prompt-gateway prompts lock', 'lock what was added'] as const;
  addExamples(group, [['prompt-gateway prompts list', 'what there is'], testExample, lockExample]);
  addExamples(list, [['prompt-gateway prompts list --json', 'with hashes, as JSON']]);
  addExamples(test, [['prompt-gateway prompts test', 'run all cases'], testExample]);
  addExamples(lock, [lockExample, ['prompt-gateway prompts lock --check', 'in a pipeline']]);
  addExamples(retire, [['prompt-gateway prompts retire tip@v1', 'nobody gets v1 any more']]);
}

function addLedger(program: Command, context: CliContext, runner: CommandRunner): void {
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

function addAnalysis(program: Command, context: CliContext, runner: CommandRunner): void {
  const analysis = program
    .command('analyze')
    .description('report by variant of a CSV file from elsewhere')
    .argument('<file>', 'columns variant, reward and optionally propensity; - for standard input')
    .option('--baseline <variant>', 'variant to compare with (default: the first in the file)')
    .addOption(rewardScaleOption('--metric-range <min,max>'))
    .addOption(alphaOption())
    .addOption(jsonOption())
    .action((file: string, options: AnalyzeOptions) =>
      runner.run(options.json === true, () => analyze(file, options, context)),
    );
  addExamples(analysis, [
    ['prompt-gateway analyze rewards.csv', 'compare with the first variant'],
    ['prompt-gateway analyze stars.csv --baseline v2 --metric-range 1,5', 'rewards from 1 to 5'],
  ]);
  const offPolicyCommand = program
    .command('off-policy')
    .description('what another policy would have earned, from a log of decisions')
    .argument(
      '<file>',
      'NDJSON: propensities, chosen, reward, target, optionally q_hat; - for standard input',
    )
    .addOption(rewardScaleOption('--reward-range <min,max>'))
    .addOption(realOption('--switch-tau <number>', 'greatest weight SWITCH corrects with', 10, 0, 1e9))
    .addOption(alphaOption())
    .addOption(jsonOption())
    .action((file: string, options: OffPolicyCommandOptions) =>
      runner.run(options.json === true, () => offPolicy(file, options, context)),
    );
  addExamples(offPolicyCommand, [
    ['prompt-gateway off-policy decisions.ndjson', 'all estimators, interval and gate'],
    ['zcat decisions.ndjson.gz | prompt-gateway off-policy - --json', 'from a pipe, for a pipeline'],
  ]);
  const planning = program
    .command('plan')
    .description('how many outcomes an experiment is likely to need, by simulation')
    .addOption(realOption('--baseline <mean>', 'mean reward of the baseline', undefined, 0, 1))
    .addOption(
      realOption('--lift <difference>', 'difference worth finding, 0.2 to 0.25: 0.05', undefined, -1, 1),
    )
    .addOption(wholeNumberOption('--arms <number>', 'arms, the baseline counted', 2, 2, 20))
    .addOption(new Option('--policy <name>', 'assignment').choices(['fixed', 'thompson']).default('fixed'))
    .addOption(
      realOption('--floor <propensity>', 'of each arm under thompson (default: 0.1 / arms)', null, 0, 0.5),
    )
    .addOption(alphaOption())
    .addOption(realOption('--power <share>', 'of experiments that find it', 0.8, 0.01, 0.99))
    .addOption(wholeNumberOption('--runs <number>', 'simulated experiments', 200, 20, 10_000))
    .addOption(wholeNumberOption('--max-outcomes <number>', 'of one experiment', 1_000_000, 10, 100_000_000))
    .addOption(wholeNumberOption('--seed <number>', 'seed of the simulation', 7, 0, 4_294_967_295))
    .addOption(jsonOption())
    .action((options: PlanCommandOptions) => runner.run(options.json === true, () => plan(options, context)));
  addExamples(planning, [
    ['prompt-gateway plan --baseline 0.2 --lift 0.05', 'two arms, equal shares'],
    [
      'prompt-gateway plan --baseline 0.2 --lift 0.05 --arms 3 --policy thompson',
      'what a bandit costs in certainty',
    ],
  ]);
}

function addDocs(program: Command, context: CliContext, runner: CommandRunner): void {
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

function readVersionName(text: string): VersionName {
  const [prompt = '', version = '', ...rest] = text.split('@');
  if (prompt !== '' && version !== '' && rest.length === 0) return { prompt, version };
  throw new InvalidArgumentError('expected PROMPT@VERSION, for example tip@v1.');
}
