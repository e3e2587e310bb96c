import Table from 'cli-table3';
import { z } from 'zod';

import { TRUE_PROBABILITIES } from './simulated-users.ts';

/** What the demonstration reads of `GET /analytics/experiments/{name}`; further fields are left alone. */
const experimentSchema = z.object({
  experiment: z.string(),
  policy: z.string(),
  baseline: z.string(),
  metric: z.string(),
  verdict: z.object({ state: z.string(), text: z.string(), arm: z.string().nullable() }),
  sample_ratio: z.object({ p_value: z.number(), alarm: z.boolean() }),
  arms: z.array(
    z.object({
      arm: z.string(),
      propensity: z.number().nullable(),
      units: z.number(),
      mature: z.number(),
      mean: z.number().nullable(),
      lower: z.number(),
      upper: z.number(),
      difference: z
        .object({ difference: z.number().nullable(), lower: z.number(), upper: z.number() })
        .nullable(),
    }),
  ),
});

interface DemoArm {
  readonly arm: string;
  readonly users: number;
  readonly mean: number | null;
  readonly lower: number;
  readonly upper: number;
  readonly true_probability: number | null;
  readonly difference: {
    readonly difference: number | null;
    readonly lower: number;
    readonly upper: number;
  } | null;
}

/** What a reader saw while the experiment ran. */
export interface DemoLook {
  readonly users: number;
  /** Chance of the next new user to get each arm. */
  readonly shares: readonly { readonly arm: string; readonly share: number }[];
  /** The best arm's difference to the baseline. */
  readonly difference: { readonly arm: string; readonly lower: number; readonly upper: number } | null;
  readonly verdict: string;
}

export interface DemoExperiment {
  readonly experiment: string;
  readonly policy: string;
  readonly baseline: string;
  readonly users: number;
  readonly sample_ratio_p: number;
  readonly arms: readonly DemoArm[];
  readonly looks: readonly DemoLook[];
  readonly verdict: { readonly state: string; readonly text: string; readonly arm: string | null };
}

/** The arm the simulated users like best: the one whose difference is followed. */
const BEST = Object.entries(TRUE_PROBABILITIES).reduce((best, arm) => (arm[1] > best[1] ? arm : best))[0];

const BAR_CHARACTERS = 20;

/** Fails when the report has another shape. */
export function readLook(body: unknown): DemoLook {
  const report = experimentSchema.parse(body);
  const difference = report.arms.find(({ arm }) => arm === BEST)?.difference ?? null;
  return {
    users: report.arms.reduce((sum, { units }) => sum + units, 0),
    shares: report.arms.map(({ arm, propensity }) => ({ arm, share: propensity ?? 0 })),
    difference: difference === null ? null : { arm: BEST, lower: difference.lower, upper: difference.upper },
    verdict: report.verdict.state,
  };
}

/** The gateway's own report beside the truth only the simulation knows. */
export function experimentResult(body: unknown, looks: readonly DemoLook[]): DemoExperiment {
  const report = experimentSchema.parse(body);
  return {
    experiment: report.experiment,
    policy: report.policy,
    baseline: report.baseline,
    users: report.arms.reduce((sum, { units }) => sum + units, 0),
    sample_ratio_p: report.sample_ratio.p_value,
    arms: report.arms.map(({ arm, units, mean, lower, upper, difference }) => ({
      arm,
      users: units,
      mean,
      lower,
      upper,
      true_probability: TRUE_PROBABILITIES[arm] ?? null,
      difference,
    })),
    looks,
    verdict: report.verdict,
  };
}

/** Shares over time, what each arm earned, and the verdict last. */
export function experimentText(experiment: DemoExperiment): string {
  return [
    `Then @live was pointed at the experiment "${experiment.experiment}" (policy ${experiment.policy}): ${experiment.users} users, one tip each,`,
    'the report read over and over on the way. Share of new users that each version gets:',
    '',
    looksTable(experiment).toString(),
    '',
    armsTable(experiment).toString(),
    '',
    ...(experiment.policy === 'fixed'
      ? []
      : [
          'The policy moved users to what works while it learnt; the versions it left have wider intervals.',
          'With `--policy fixed` everybody is split evenly, and certainty comes sooner.',
          '',
        ]),
  ].join('\n');
}

function looksTable({ looks, baseline }: DemoExperiment): Table.Table {
  const arms = looks[0]?.shares.map(({ arm }) => arm) ?? [];
  const table = new Table({
    head: ['users', ...arms, '', `${BEST} − ${baseline}`, 'verdict'],
    colAligns: ['right', ...arms.map(() => 'right' as const), 'left', 'right', 'left'],
    style: { head: [], border: [], compact: true },
  });
  for (const { users, shares, difference, verdict } of looks) {
    table.push([
      String(users),
      ...shares.map(({ share }) => `${Math.round(share * 100)} %`),
      barOf(shares.find(({ arm }) => arm === BEST)?.share ?? 0),
      difference === null ? '-' : `${signed(difference.lower)} to ${signed(difference.upper)}`,
      verdict === 'no_difference_yet' ? 'not certain yet' : verdict.replaceAll('_', ' '),
    ]);
  }
  return table;
}

function armsTable({ arms, baseline }: DemoExperiment): Table.Table {
  const table = new Table({
    head: ['arm', 'users', 'mean', '95 % interval', 'true probability', `difference to ${baseline}`],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const { arm, users, mean, lower, upper, true_probability: truth, difference } of arms) {
    table.push([
      arm,
      String(users),
      mean === null ? '-' : mean.toFixed(3),
      `${lower.toFixed(3)} to ${upper.toFixed(3)}`,
      truth === null ? '-' : truth.toFixed(3),
      difference === null || difference.difference === null
        ? '-'
        : `${signed(difference.difference)} (${signed(difference.lower)} to ${signed(difference.upper)})`,
    ]);
  }
  return table;
}

function barOf(share: number): string {
  return '█'.repeat(Math.round(share * BAR_CHARACTERS)).padEnd(BAR_CHARACTERS, '░');
}

function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(3)}`;
}
