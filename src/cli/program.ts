import { Command, CommanderError } from 'commander';

import { gatewayVersion } from '../version.ts';
import { addAnalysis } from './analysis-commands.ts';
import type { CliContext } from './cli-context.ts';
import { addExamples } from './command-options.ts';
import { type CommandRunner, createCommandRunner } from './command-runner.ts';
import { addConfig } from './config-commands.ts';
import { addDatabase } from './database-commands.ts';
import { addDocs } from './docs-commands.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { addExperiments } from './experiments-commands.ts';
import { addKeys } from './keys-commands.ts';
import { addLabels } from './labels-commands.ts';
import { addLedger } from './ledger-commands.ts';
import { addPrompts } from './prompts-commands.ts';
import { addDemo, addServe } from './serve-commands.ts';
import { writeJson } from './write-output.ts';

/** Runs one command line (without `node` and the script) and returns its exit code. Never throws, never exits. */
export async function runCli(args: readonly string[], context: CliContext): Promise<ExitCode> {
  const runner = createCommandRunner(context);
  const asJson = args.includes('--json');
  const program = createProgram(context, runner, asJson);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return runner.exitCode();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version count as done.
    if (error.exitCode === 0) return EXIT.ok;
    if (asJson) await writeJson(context.stdout, usageRefusal(error));
    return EXIT.usage;
  }
}

/** In the form of every other refusal; without `--json` commander has printed it by itself. */
function usageRefusal(error: CommanderError): object {
  const isGroup = error.code === 'commander.help';
  const message = isGroup
    ? 'a command is missing: --help lists them'
    : error.message.replace(/^error: /, '').replaceAll('\n', ' ');
  return { ok: false, code: 'invalid_request', message, faults: [] };
}

function createProgram(context: CliContext, runner: CommandRunner, asJson: boolean): Command {
  const program = new Command('prompt-gateway')
    .description('LLM gateway with a prompt registry that learns which prompt works.')
    .version(gatewayVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => {
        if (!asJson) context.stderr.write(text);
      },
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
  addExperiments(program, context, runner);
  addLabels(program, context, runner);
  addKeys(program, context, runner);
  addLedger(program, context, runner);
  addDatabase(program, context, runner);
  addAnalysis(program, context, runner);
  addDocs(program, context, runner);
  return program;
}
