import { type Command, Option } from 'commander';

import type { CliContext } from './cli-context.ts';
import {
  addExamples,
  alphaOption,
  configOption,
  jsonOption,
  realOption,
  wholeNumberOption,
} from './command-options.ts';
import type { CommandRunner } from './command-runner.ts';
import { type AnalyzeOptions, analyze } from './commands/analyze.ts';
import { type OffPolicyCommandOptions, offPolicy } from './commands/off-policy.ts';
import { type PlanCommandOptions, plan } from './commands/plan.ts';
import { type ReportOptions, report } from './commands/report.ts';
import { rewardScaleOption } from './reward-scale-option.ts';

/** `report`, and `analyze`, `off-policy` and `plan`, which need neither configuration nor database. */
export function addAnalysis(program: Command, context: CliContext, runner: CommandRunner): void {
  addReport(program, context, runner);
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

function addReport(program: Command, context: CliContext, runner: CommandRunner): void {
  const command = program
    .command('report')
    .description('what each version of a prompt, or each arm of an experiment, has earned; needs no server')
    .argument('[prompt]', 'default: the default prompt of the configuration')
    .option('--metric <name>', 'default: the primary metric of the prompt')
    .option('--baseline <version>', 'version to compare with (default: as configured, else v1)')
    .option('--from <time>', 'ISO 8601; widened to whole UTC hours')
    .option('--to <time>', 'ISO 8601, excluded; widened to whole UTC hours')
    .option('--experiment <name>', 'report on this experiment instead')
    .option('--csv', 'print CSV')
    .addOption(configOption())
    .addOption(jsonOption())
    .action((prompt: string | undefined, options: ReportOptions) =>
      runner.run(options.json === true, () => report(prompt ?? null, options, context)),
    );
  addExamples(command, [
    ['prompt-gateway report tip', 'which version is better, and how sure that is'],
    ['prompt-gateway report tip --metric reaction --csv > tip.csv', 'another metric, for a spreadsheet'],
    ['prompt-gateway report --experiment tone --json', 'an experiment, for a pipeline'],
  ]);
}
