import { type Command, InvalidArgumentError, Option } from 'commander';

import { SCOPES, type Scope } from '../access/index.ts';
import { listNames } from '../kernel/index.ts';
import type { CliContext } from './cli-context.ts';
import { addExamples, configOption, jsonOption, realOption, wholeNumberOption } from './command-options.ts';
import type { CommandRunner } from './command-runner.ts';
import {
  type KeysCreateOptions,
  type KeysRevokeOptions,
  keysCreate,
  keysList,
  keysRevoke,
} from './commands/keys.ts';

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `keys create|list|revoke`. */
export function addKeys(program: Command, context: CliContext, runner: CommandRunner): void {
  const group = program.command('keys').description('who may use the gateway');
  const create = group
    .command('create')
    .description('make a key and print it, once; a serving gateway knows it within a second')
    .argument('<name>', 'for people: who or what uses it')
    .addOption(scopesOption())
    .addOption(lifetimeOption())
    .addOption(wholeNumberOption('--requests-per-minute <number>', 'calls of a model', null, 1, 1_000_000))
    .addOption(wholeNumberOption('--tokens-per-minute <number>', 'input and output', null, 1, 1_000_000_000))
    .addOption(realOption('--usd-per-day <number>', 'cost per UTC day', null, 0.000_001, 1_000_000))
    .addOption(configOption())
    .addOption(jsonOption())
    .action((name: string, options: KeysCreateOptions) =>
      runner.run(options.json === true, () => keysCreate(name, options, context)),
    );
  const list = group
    .command('list')
    .description('every key, without its secret')
    .addOption(configOption())
    .addOption(jsonOption())
    .action((options: KeysRevokeOptions) =>
      runner.run(options.json === true, () => keysList(options, context)),
    );
  const revoke = group
    .command('revoke')
    .description('end a key for good; refused everywhere within a second')
    .argument('<id>', 'the middle part of pgw_<id>_<secret>, or all of it')
    .requiredOption('--reason <text>', 'why, for the history')
    .addOption(configOption())
    .addOption(jsonOption())
    .action((id: string, options: KeysRevokeOptions) =>
      runner.run(options.json === true, () => keysRevoke(id, options, context)),
    );
  const createExample = [
    'prompt-gateway keys create recommender --scopes generate,feedback',
    'a key for a service',
  ] as const;
  const listExample = ['prompt-gateway keys list --json', 'for a pipeline'] as const;
  const revokeExample = [
    'prompt-gateway keys revoke abcdefgh2345 --reason "left the team"',
    'end one',
  ] as const;
  addExamples(group, [createExample, listExample, revokeExample]);
  addExamples(create, [
    createExample,
    ['prompt-gateway keys create intern --scopes read --expires 30d', 'ends by itself'],
    [
      'prompt-gateway keys create batch --scopes generate --requests-per-minute 60 --usd-per-day 5',
      'cannot cost more',
    ],
  ]);
  addExamples(list, [listExample]);
  addExamples(revoke, [revokeExample]);
}

function scopesOption(): Option {
  return new Option('--scopes <list>', `comma-separated: ${SCOPES.join(', ')}`)
    .argParser((text): readonly Scope[] =>
      text.split(',').map((name) => {
        const scope = SCOPES.find((known) => known === name.trim());
        if (scope !== undefined) return scope;
        throw new InvalidArgumentError(`there is no scope "${name}"; known: ${listNames(SCOPES)}.`);
      }),
    )
    .makeOptionMandatory();
}

function lifetimeOption(): Option {
  return new Option(
    '--expires <time>',
    'how long it works, such as 12h or 90d (default: for ever)',
  ).argParser((text) => {
    const [, amount = '', unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
    const lifetimeMs = Number(amount) * (UNIT_MS[unit] ?? 0);
    if (lifetimeMs > 0) return lifetimeMs;
    throw new InvalidArgumentError('expected a number with m, h or d, such as 90d.');
  });
}
