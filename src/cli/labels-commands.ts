import { type Command, Option } from 'commander';

import type { CliContext } from './cli-context.ts';
import { addExamples, jsonOption, wholeNumberOption } from './command-options.ts';
import type { CommandRunner } from './command-runner.ts';
import {
  type LabelsHistoryOptions,
  type LabelsMoveOptions,
  type LabelsSetOptions,
  labelsHistory,
  labelsList,
  labelsRollback,
  labelsSet,
} from './commands/labels.ts';
import type { GatewayOptions } from './gateway-calls.ts';

/** `labels list|set|history|rollback`, of a running gateway. */
export function addLabels(program: Command, context: CliContext, runner: CommandRunner): void {
  const group = program.command('labels').description('see and move the labels of a running gateway');
  const add = (name: string, description: string): Command =>
    group
      .command(name)
      .description(description)
      .addOption(
        new Option('--url <url>', 'of the gateway (default: PROMPT_GATEWAY_URL, then 127.0.0.1:8787)'),
      )
      .addOption(
        new Option('--key <key>', 'API key (default: PROMPT_GATEWAY_KEY, which no process list shows)'),
      )
      .addOption(jsonOption());
  const addMove = (name: string, description: string): Command =>
    add(name, description)
      .argument('<prompt>', 'for example tip')
      .argument('<label>', 'for example live', withoutAt)
      .requiredOption('--reason <text>', 'why, for the history')
      .addOption(sequenceOption())
      .option('--override-gate <reason>', 'move although the rollout gate is closed, and why');
  const list = add('list', 'where labels point')
    .argument('[prompt]', 'only of this prompt')
    .action((prompt: string | undefined, options: GatewayOptions) =>
      runner.run(options.json === true, () => labelsList(prompt ?? null, options, context)),
    );
  const set = addMove('set', 'move a label to a version or an experiment')
    .argument('[version]', 'for example v3')
    .option('--experiment <name>', 'experiment to point to, instead of a version')
    .action((prompt: string, label: string, version: string | undefined, options: LabelsSetOptions) =>
      runner.run(options.json === true, () =>
        labelsSet({ prompt, label, version: version ?? null }, options, context),
      ),
    );
  const history = add('history', 'the moves of a label, newest first')
    .argument('<prompt>', 'for example tip')
    .argument('<label>', 'for example live', withoutAt)
    .addOption(wholeNumberOption('--limit <number>', 'most moves to show', 20, 1, 500))
    .action((prompt: string, label: string, options: LabelsHistoryOptions) =>
      runner.run(options.json === true, () => labelsHistory({ prompt, label }, options, context)),
    );
  const rollback = addMove('rollback', 'move a label to where it pointed before').action(
    (prompt: string, label: string, options: LabelsMoveOptions) =>
      runner.run(options.json === true, () => labelsRollback({ prompt, label }, options, context)),
  );
  const listExample = ['prompt-gateway labels list', 'all of them'] as const;
  const setExample = [
    'prompt-gateway labels set tip live v3 --reason "v3 won the comparison"',
    'everybody who follows @live gets v3',
  ] as const;
  const rollbackExample = [
    'prompt-gateway labels rollback tip live --reason "more complaints"',
    'back to what it was',
  ] as const;
  addExamples(group, [listExample, setExample, rollbackExample]);
  addExamples(list, [
    listExample,
    ['prompt-gateway labels list tip --json', 'of one prompt, for a pipeline'],
  ]);
  addExamples(set, [
    setExample,
    [
      'prompt-gateway labels set tip live v3 --reason "…" --expect-sequence 4',
      'only if nobody has moved it since',
    ],
    ['prompt-gateway labels set tip trial --experiment tone --reason "…"', 'to an experiment'],
  ]);
  addExamples(history, [['prompt-gateway labels history tip live --limit 5', 'the last five moves']]);
  addExamples(rollback, [rollbackExample]);
}

/** People write labels as calls do. */
function withoutAt(label: string): string {
  return label.replace(/^@/, '');
}

function sequenceOption(): Option {
  return wholeNumberOption(
    '--expect-sequence <number>',
    'refuse unless the label is at this sequence; 0: it must be new',
    null,
    0,
    9_999_999_999,
  );
}
