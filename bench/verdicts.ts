/**
 * `npm run bench:verdicts`: how often the demonstration's experiment (true rewards .2, .35 and .5) ends on the right
 * verdict about v3 against v1, over many seeds and with the report read all the time. Assignment, policy, ledger, rollups
 * and report are the gateway's own, below HTTP; only the model is not called.
 *
 * Options: --seeds N, --first-seed N, --users N, --policy fixed|thompson|top_two_thompson|epsilon_greedy, --floor SHARE,
 * --users-per-look N.
 */
import { parseArgs } from 'node:util';

import { DEMO_POLICIES, type DemoPolicy } from '../src/cli/demo/demo-settings.ts';
import { type Look, regretOf, shareOf, simulateExperiment } from './simulated-experiment.ts';

const BEST = 'v3';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    'first-seed': { type: 'string', default: '1' },
    users: { type: 'string', default: '5000' },
    policy: { type: 'string', default: 'fixed' },
    floor: { type: 'string' },
    'users-per-look': { type: 'string', default: '100' },
  },
});

function wholeNumber(name: 'seeds' | 'first-seed' | 'users' | 'users-per-look'): number {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number >= 1) return number;
  throw new Error(`--${name}: expected a whole number from 1, got ${values[name]}`);
}

interface SeedResult {
  readonly verdict: 'correct' | 'wrong' | 'undecided';
  /** Users at the first look with the right verdict. */
  readonly certainAt: number | null;
  /** Any look that named the wrong one, of any arm against v1: all others are truly better. */
  readonly wrongLooks: number;
  readonly share: number;
  readonly regret: number;
  readonly lower: number;
  readonly upper: number;
}

function policyOf(name: string): DemoPolicy {
  const found = DEMO_POLICIES.find((policy) => policy === name);
  if (found === undefined) throw new Error(`no policy ${name}; known: ${DEMO_POLICIES.join(', ')}`);
  return found;
}

function stateOf({ report }: Look): 'better' | 'worse' | 'no_difference_yet' {
  return report.verdict.comparisons.find(({ arm }) => arm === BEST)?.state ?? 'no_difference_yet';
}

async function runSeed(seed: number): Promise<SeedResult> {
  const looks: Look[] = [];
  await simulateExperiment(
    {
      seed,
      users: wholeNumber('users'),
      policy: policyOf(values.policy),
      floor: values.floor === undefined ? null : Number(values.floor),
      usersPerLook: wholeNumber('users-per-look'),
    },
    (look) => looks.push(look),
  );
  const last = looks.at(-1);
  if (last === undefined) throw new Error('no look at all');
  const state = stateOf(last);
  const difference = last.report.arms.find(({ arm }) => arm === BEST)?.difference;
  return {
    verdict: state === 'better' ? 'correct' : state === 'worse' ? 'wrong' : 'undecided',
    certainAt: looks.find((look) => stateOf(look) === 'better')?.users ?? null,
    wrongLooks: looks.filter(({ report }) =>
      report.verdict.comparisons.some((comparison) => comparison.state === 'worse'),
    ).length,
    share: shareOf(last.report, BEST),
    regret: regretOf(last.report),
    lower: difference?.lower ?? -1,
    upper: difference?.upper ?? 1,
  };
}

const first = wholeNumber('first-seed');
const results: SeedResult[] = [];
console.log(`policy ${values.policy}, ${values.users} users, a look after every ${values['users-per-look']}`);
for (let seed = first; seed < first + wholeNumber('seeds'); seed += 1) {
  const result = await runSeed(seed);
  results.push(result);
  console.log(
    `seed ${seed}: ${result.verdict} (${BEST} − v1: ${result.lower.toFixed(3)} to ${result.upper.toFixed(3)}), ` +
      `certain at ${result.certainAt ?? 'no'} users, share of ${BEST} ${(100 * result.share).toFixed(1)} %, regret ${result.regret.toFixed(0)}`,
  );
}
const count = (verdict: SeedResult['verdict']): number =>
  results.filter((result) => result.verdict === verdict).length;
const mean = (of: (result: SeedResult) => number): number =>
  results.reduce((sum, result) => sum + of(result), 0) / results.length;
const certainAt = results.map((result) => result.certainAt ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
console.log(
  `${count('correct')} correct, ${count('wrong')} wrong, ${count('undecided')} undecided; ` +
    `${results.filter(({ wrongLooks }) => wrongLooks > 0).length} seeds with a wrong verdict at any look; ` +
    `median certain at ${certainAt[Math.floor((certainAt.length - 1) / 2)]} users; ` +
    `mean share of ${BEST} ${(100 * mean(({ share }) => share)).toFixed(1)} %; mean regret ${mean(({ regret }) => regret).toFixed(0)} completed tips; ` +
    `mean width ${mean(({ lower, upper }) => upper - lower).toFixed(3)}`,
);
