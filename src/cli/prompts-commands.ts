import { type Command, InvalidArgumentError, Option } from 'commander';

import type { CliContext } from './cli-context.ts';
import { addExamples, configOption, jsonOption, wholeNumberOption } from './command-options.ts';
import type { CommandRunner } from './command-runner.ts';
import { type PromptsDiffOptions, promptsDiff } from './commands/prompts-diff.ts';
import { type PromptsImportOptions, promptsImport } from './commands/prompts-import.ts';
import { type PromptsLintOptions, promptsLint } from './commands/prompts-lint.ts';
import { promptsList } from './commands/prompts-list.ts';
import { type PromptsLockOptions, promptsLock } from './commands/prompts-lock.ts';
import { type PromptsNewOptions, promptsNew } from './commands/prompts-new.ts';
import { type GivenVariable, type PromptsRenderOptions, promptsRender } from './commands/prompts-render.ts';
import { promptsRetire, type VersionName } from './commands/prompts-retire.ts';
import { promptsTest } from './commands/prompts-test.ts';
import { type PromptsTestOptions, promptsTestLive } from './commands/prompts-test-live.ts';
import type { PromptsOptions } from './load-command-prompts.ts';
import { UsageError } from './usage-error.ts';

/** `prompts list|new|import|lint|render|diff|test|lock|retire`. */
export function addPrompts(program: Command, context: CliContext, runner: CommandRunner): void {
  const group = program
    .command('prompts')
    .description('write, check, look at, test and release prompt versions');
  const add = (name: string, description: string): Command =>
    group.command(name).description(description).addOption(configOption()).addOption(jsonOption());
  const list = add('list', 'list every prompt and version with its state').action((options: PromptsOptions) =>
    runner.run(options.json === true, () => promptsList(options, context)),
  );
  const test = add('test', 'run the cases (prompts/<name>/cases.yaml)')
    .argument('[prompt]', 'only this prompt')
    .addOption(
      new Option('--update', 'first write what drafts render now into their cases').conflicts('live'),
    )
    .option(
      '--live',
      'call a model with the cases of the prompt and show its answers side by side; this costs',
    )
    .option('--route <route>', 'with --live (default: the default route)')
    .addOption(versionsOption())
    .addOption(
      wholeNumberOption('--concurrency <number>', 'calls at once with --live (default: 4)', null, 1, 32),
    )
    .action((prompt: string | undefined, options: PromptsTestOptions) =>
      runner.run(options.json === true, () =>
        options.live === true
          ? promptsTestLive(prompt ?? null, options, context)
          : promptsTest(prompt ?? null, withoutLiveOptions(options), context),
      ),
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
  const diff = add('diff', 'what changes from one version to another, and in what the cases render')
    .argument('<prompt>', 'for example tip')
    .argument('[from]', 'version (default: the one before the newest)')
    .argument('[to]', 'version (default: the newest)')
    .action((prompt: string, from: string | undefined, to: string | undefined, options: PromptsDiffOptions) =>
      runner.run(options.json === true, () =>
        promptsDiff({ prompt, from: from ?? null, to: to ?? null }, options, context),
      ),
    );
  const lint = add('lint', 'name every fault of prompts, lock and cases: file, line, column, cause, remedy')
    .argument('[prompt]', 'only this prompt')
    .option('--strict', 'warnings fail, too')
    .action((prompt: string | undefined, options: PromptsLintOptions) =>
      runner.run(options.json === true, () => promptsLint(prompt ?? null, options, context)),
    );
  const lintExample = ['prompt-gateway prompts lint tip', 'check one prompt'] as const;
  const create = add('new', 'make a version and a case for it, from another version or from scratch')
    .argument('<prompt>', 'for example tip')
    .argument('<version>', 'for example v4')
    .option('--from <version>', 'version to copy (default: the newest)')
    .action((prompt: string, version: string, options: PromptsNewOptions) =>
      runner.run(options.json === true, () => promptsNew({ prompt, version }, options, context)),
    );
  const newExample = ['prompt-gateway prompts new tip v4 --from v3', 'start v4 as a copy of v3'] as const;
  const importing = add('import', 'take over foreign dotprompt files, and list what was changed')
    .argument('<path>', 'a .prompt file, or a folder of them')
    .option('--prompt <name>', 'for one file (default: by its name)')
    .option('--as <version>', 'for one file (default: its variant, else the next v1, v2, …)')
    .option('--dry-run', 'write nothing')
    .action((path: string, options: PromptsImportOptions) =>
      runner.run(options.json === true, () => promptsImport(path, options, context)),
    );
  const render = add('render', 'print the messages as they would be sent; no model is called')
    .argument('<prompt>', 'for example tip')
    .argument('<version>', 'for example v3')
    .addOption(variableOption())
    .option('--vars <file>', 'JSON object of variables; - for standard input')
    .option('--profile <file>', 'JSON object of profile features; - for standard input')
    .action((prompt: string, version: string, options: PromptsRenderOptions) =>
      runner.run(options.json === true, () => promptsRender({ prompt, version }, options, context)),
    );
  const renderExample = [
    'prompt-gateway prompts render tip v2 --var mood=tired',
    'other variables by their defaults',
  ] as const;
  const diffExample = ['prompt-gateway prompts diff tip v2 v3', 'compare two versions'] as const;
  const testExample = ['prompt-gateway prompts test tip', 'run the cases of one prompt'] as const;
  const lockExample = ['prompt-gateway prompts lock', 'lock what was added'] as const;
  addExamples(group, [['prompt-gateway prompts list', 'what there is'], testExample, lockExample]);
  addExamples(list, [['prompt-gateway prompts list --json', 'with hashes, as JSON']]);
  addExamples(test, [
    ['prompt-gateway prompts test', 'run all cases'],
    testExample,
    ['prompt-gateway prompts test tip --update', 'the text of a draft was changed on purpose'],
    [
      'prompt-gateway prompts test tip --live --route default --versions v2,v3',
      'what a model answers to both',
    ],
  ]);
  addExamples(lint, [
    lintExample,
    ['prompt-gateway prompts lint --strict --json', 'all of them, in a pipeline'],
  ]);
  addExamples(create, [newExample, ['prompt-gateway prompts new haiku v1', 'a new prompt']]);
  addExamples(importing, [
    ['prompt-gateway prompts import ../genkit/prompts --dry-run', 'what would be changed'],
    ['prompt-gateway prompts import greeting.prompt --prompt hello --as v2', 'one file, under another name'],
  ]);
  addExamples(render, [
    renderExample,
    [
      `prompt-gateway prompts render tip v3 --var 'recent_tips=["Walk."]' --profile profile.json`,
      'lists as JSON',
    ],
    [`echo '{"mood":"low"}' | prompt-gateway prompts render tip v1 --vars - --json`, 'from a pipe'],
  ]);
  addExamples(diff, [diffExample, ['prompt-gateway prompts diff tip', 'the newest against the one before']]);
  addExamples(lock, [lockExample, ['prompt-gateway prompts lock --check', 'in a pipeline']]);
  addExamples(retire, [['prompt-gateway prompts retire tip@v1', 'nobody gets v1 any more']]);
}

function readVersionName(text: string): VersionName {
  const [prompt = '', version = '', ...rest] = text.split('@');
  if (prompt !== '' && version !== '' && rest.length === 0) return { prompt, version };
  throw new InvalidArgumentError('expected PROMPT@VERSION, for example tip@v1.');
}

/** Only `--live` itself may start calls that cost. */
function withoutLiveOptions(options: PromptsTestOptions): PromptsTestOptions {
  const { route, versions, concurrency } = options;
  const given = Object.entries({ route, versions, concurrency }).find(([, value]) => value !== undefined);
  if (given === undefined) return options;
  throw new UsageError(`--${given[0]} belongs to --live, which calls a model and costs: add --live, too`);
}

/** More columns than that do not fit beside each other. */
const MAX_LIVE_VERSIONS = 3;

function versionsOption(): Option {
  return new Option('--versions <list>', 'with --live, such as v3,v4 (default: the two newest)').argParser(
    (text) => {
      const versions = [...new Set(text.split(',').map((version) => version.trim()))];
      if (!versions.includes('') && versions.length <= MAX_LIVE_VERSIONS) return versions;
      throw new InvalidArgumentError(`expected one to ${MAX_LIVE_VERSIONS} versions, for example v3,v4.`);
    },
  );
}

function variableOption(): Option {
  return new Option('--var <name=value>', 'a variable, over those of --vars; may be repeated').argParser(
    (text, earlier: readonly GivenVariable[] = []) => {
      const at = text.indexOf('=');
      if (at > 0) return [...earlier, { name: text.slice(0, at), text: text.slice(at + 1) }];
      throw new InvalidArgumentError('expected NAME=VALUE, for example mood=tired.');
    },
  );
}
