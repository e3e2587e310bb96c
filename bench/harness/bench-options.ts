import { parseArgs } from 'node:util';

import { type GeneratorName, installedGenerator } from './measure.ts';
import { SCENARIOS, type ScenarioName } from './scenario.ts';
import { TARGET_NAMES, type TargetName } from './target.ts';

export interface BenchOptions {
  readonly scenarios: readonly ScenarioName[];
  readonly targets: readonly TargetName[];
  readonly seconds: number;
  readonly rounds: number;
  readonly generator: GeneratorName;
  readonly jsonFile: string | null;
  readonly markdownFile: string | null;
  readonly isCheck: boolean;
  readonly isProfile: boolean;
}

/** Of the short form: what the floors are about, and every kind of call once. */
const CHECKED_SCENARIOS = ['c64', 'streams', 'score-c64', 'feedback-1', 'feedback-100'] as const;
const CHECKED_TARGETS = ['reference', 'gateway'] as const;

export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      scenario: { type: 'string' },
      target: { type: 'string' },
      seconds: { type: 'string' },
      rounds: { type: 'string' },
      generator: { type: 'string' },
      json: { type: 'string' },
      markdown: { type: 'string' },
      check: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
    },
  });
  const { check: isCheck, profile: isProfile } = values;
  const scenarioNames = SCENARIOS.map(({ name }) => name);
  const scenarios = namesOf('scenario', values.scenario, scenarioNames);
  const targets = namesOf('target', values.target, TARGET_NAMES);
  return {
    scenarios: scenarios ?? (isCheck ? CHECKED_SCENARIOS : isProfile ? ['c64'] : scenarioNames),
    targets: targets ?? (isCheck ? CHECKED_TARGETS : TARGET_NAMES),
    seconds: numberOf('seconds', values.seconds, isCheck ? 3 : 5),
    rounds: numberOf('rounds', values.rounds, 3),
    generator: namesOf('generator', values.generator, ['wrk', 'autocannon'])?.[0] ?? installedGenerator(),
    jsonFile: values.json ?? null,
    markdownFile: values.markdown ?? null,
    isCheck,
    isProfile,
  };
}

function namesOf<Name extends string>(
  option: string,
  given: string | undefined,
  known: readonly Name[],
): readonly Name[] | null {
  if (given === undefined) return null;
  return given.split(',').map((name) => {
    const found = known.find((candidate) => candidate === name);
    if (found !== undefined) return found;
    throw new Error(`--${option}: there is no ${name}; known: ${known.join(', ')}`);
  });
}

function numberOf(option: string, given: string | undefined, otherwise: number): number {
  const number = given === undefined ? otherwise : Number(given);
  if (Number.isInteger(number) && number >= 1) return number;
  throw new Error(`--${option}: expected a whole number from 1, got ${given}`);
}
