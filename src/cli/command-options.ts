import { type Command, InvalidArgumentError, Option } from 'commander';

import { EXIT_CODES_HELP } from './exit-codes.ts';

export function addExamples(
  command: Command,
  examples: readonly (readonly [line: string, purpose: string])[],
): void {
  const width = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, purpose]) => `  ${line.padEnd(width)}  # ${purpose}`);
  command.addHelpText('after', `\nExamples:\n${lines.join('\n')}\n${EXIT_CODES_HELP}`);
}

export function configOption(): Option {
  return new Option(
    '-c, --config <file>',
    'configuration file (default: GATEWAY_CONFIG, then ./gateway.config.json)',
  );
}

export function jsonOption(): Option {
  return new Option('--json', 'print JSON');
}

/** Null as fallback: it may be absent. */
export function wholeNumberOption(
  flags: string,
  description: string,
  fallback: number | null,
  lowest: number,
  highest: number,
): Option {
  const option = new Option(flags, description).argParser((text) => {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= lowest && value <= highest) return value;
    throw new InvalidArgumentError(`expected a whole number from ${lowest} to ${highest}.`);
  });
  return fallback === null ? option : option.default(fallback);
}

export function alphaOption(): Option {
  return realOption('--alpha <share>', 'of intervals that may ever be wrong', 0.05, 1e-6, 0.5);
}

/** `undefined` as fallback: the option is required; null: it may be absent. */
export function realOption(
  flags: string,
  description: string,
  fallback: number | undefined | null,
  lowest: number,
  highest: number,
): Option {
  const option = new Option(flags, description).argParser((text) => {
    const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
    if (value >= lowest && value <= highest) return value;
    throw new InvalidArgumentError(`expected a number from ${lowest} to ${highest}.`);
  });
  if (fallback === undefined) return option.makeOptionMandatory();
  return fallback === null ? option : option.default(fallback);
}
