/**
 * `npm run docs:pictures`: draws the pictures of docs/statistics.md into docs/pictures, from seeded runs: the same
 * pictures on every machine. The experiments with a difference go through the gateway's own assignment, ledger and report.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { TRUE_PROBABILITIES } from '../src/cli/demo/simulated-users.ts';
import { seededRandom } from '../src/kernel/index.ts';
import { betaBinomialDifference, chooseByWeights, type RewardTotal } from '../src/statistics/index.ts';
import { type Axis, COLOURS, type Point, svgOf } from './line-chart.ts';
import { type Look, regretOf, shareOf, simulateExperiment } from './simulated-experiment.ts';

const FOLDER = resolve(import.meta.dirname, '../docs/pictures');

const RUNS = 1_000;
const AA_USERS = 1_000;
const AA_USERS_PER_LOOK = 10;
const AA_ARMS = 2;
const AA_MEAN = 0.3;
const ALPHA = 0.05;
/** Below this many users of an arm nobody would trust an interval for one look. */
const FEWEST_USERS = 10;

/** One whose verdict comes about when that of most seeds does. */
const SEED = 5;
const BEST = 'v3';
/** Shares settle early: the picture shows no more of them. */
const SHARES_USERS = 1_000;

const percent = (tick: number): string => `${Math.round(tick * 100)} %`;
const thousands = (tick: number): string => tick.toLocaleString('en');
const signed = (tick: number): string => `${tick > 0 ? '+' : ''}${tick.toFixed(1)}`;

/** Share of experiments without a difference that have ever shown one, by users so far. */
function everFooled(): { readonly once: readonly Point[]; readonly always: readonly Point[] } {
  const looks = AA_USERS / AA_USERS_PER_LOOK;
  const once = new Array<number>(looks).fill(0);
  const always = new Array<number>(looks).fill(0);
  for (let run = 1; run <= RUNS; run += 1) {
    const random = seededRandom(run);
    const totals = Array.from({ length: AA_ARMS }, () => ({ n: 0, sum: 0 }));
    let onceAt = looks;
    let alwaysAt = looks;
    for (let look = 0; look < looks; look += 1) {
      for (let user = 0; user < AA_USERS_PER_LOOK; user += 1) {
        const total =
          totals[
            chooseByWeights(
              random.next(),
              totals.map(() => 1 / AA_ARMS),
            ) ?? 0
          ];
        if (total === undefined) continue;
        total.n += 1;
        total.sum += random.next() < AA_MEAN ? 1 : 0;
      }
      // The sequences are wider than an interval for one look: where that one is silent, so are they.
      if (!totals.slice(1).some((arm) => differsAtOneLook(arm, totals[0]))) continue;
      if (totals.every(({ n }) => n >= FEWEST_USERS)) onceAt = Math.min(onceAt, look);
      if (totals.slice(1).some((arm) => differsAlways(arm, totals[0]))) alwaysAt = Math.min(alwaysAt, look);
    }
    for (let look = onceAt; look < looks; look += 1) once[look] = (once[look] ?? 0) + 1;
    for (let look = alwaysAt; look < looks; look += 1) always[look] = (always[look] ?? 0) + 1;
  }
  const shares = (counts: readonly number[]): readonly Point[] => [
    [0, 0],
    ...counts.map((count, look): Point => [(look + 1) * AA_USERS_PER_LOOK, count / RUNS]),
  ];
  return { once: shares(once), always: shares(always) };
}

function differsAtOneLook(arm: RewardTotal, baseline: RewardTotal | undefined): boolean {
  if (baseline === undefined) return false;
  const [p, q] = [arm.sum / arm.n, baseline.sum / baseline.n];
  return Math.abs(p - q) > 1.96 * Math.sqrt((p * (1 - p)) / arm.n + (q * (1 - q)) / baseline.n);
}

function differsAlways(arm: RewardTotal, baseline: RewardTotal | undefined): boolean {
  if (baseline === undefined || arm.n === 0 || baseline.n === 0) return false;
  const { lower, upper } = betaBinomialDifference({ arm, baseline, alpha: ALPHA / (AA_ARMS - 1) });
  return lower > 0 || upper < 0;
}

function peekingPicture(): string {
  const { once, always } = everFooled();
  const last = (points: readonly Point[]): number => points.at(-1)?.[1] ?? 0;
  console.log(
    `ever fooled within ${AA_USERS} users: one-look interval ${percent(last(once))}, report ${Math.round(last(always) * RUNS)} of ${RUNS}`,
  );
  return svgOf(
    [
      {
        title: 'Experiments without any difference that have ever announced one',
        x: usersAxis(AA_USERS, 200, 'users so far, with a look after every tenth'),
        y: {
          label: `of ${thousands(RUNS)} experiments`,
          min: 0,
          max: 0.6,
          ticks: [0, 0.2, 0.4, 0.6],
          format: percent,
        },
        marks: [{ axis: 'y', at: ALPHA, label: 'promised: at most 5 %', labelAt: 60 }],
        lines: [
          {
            label: `an interval made for one look: ${percent(last(once))}`,
            points: once,
            colour: COLOURS.orange,
            dashes: '7 3',
          },
          {
            label: `this report: ${Math.round(last(always) * RUNS)} of ${thousands(RUNS)}`,
            points: always,
            colour: COLOURS.blue,
          },
        ],
      },
    ],
    'Share of experiments without a difference that ever announced one, against the number of users',
  );
}

async function looksOf(policy: 'fixed' | 'thompson', users: number, usersPerLook: number): Promise<Look[]> {
  const looks: Look[] = [];
  await simulateExperiment({ seed: SEED, users, policy, floor: null, usersPerLook }, (look) =>
    looks.push(look),
  );
  return looks;
}

function differenceOf({ report }: Look) {
  return report.arms.find(({ arm }) => arm === BEST)?.difference ?? null;
}

function narrowingPicture(looks: readonly Look[]): string {
  const rows = looks.flatMap((look) => {
    const interval = differenceOf(look);
    return interval === null || interval.difference === null
      ? []
      : [{ users: look.users, ...interval, difference: interval.difference }];
  });
  const certain = rows.find(({ lower }) => lower > 0);
  console.log(`certain at ${certain?.users ?? 'no'} users`);
  const users = looks.at(-1)?.users ?? 0;
  return svgOf(
    [
      {
        title: 'One experiment: what is known of v3 − v1 (truth: +0.3)',
        x: usersAxis(users, 500, 'users so far'),
        y: {
          label: 'difference in completed tips',
          min: -0.6,
          max: 1,
          ticks: [-0.5, 0, 0.5, 1],
          format: signed,
        },
        bands: [{ rows: rows.map(({ users, lower, upper }) => [users, lower, upper]), colour: COLOURS.blue }],
        marks: [
          { axis: 'y', at: 0, label: 'no difference', labelAt: users * 0.82 },
          ...(certain === undefined
            ? []
            : [
                {
                  axis: 'x' as const,
                  at: certain.users,
                  label: `after ${certain.users} users: “v3 is better than v1; safe to act”`,
                  labelAt: 0.85,
                },
              ]),
        ],
        lines: [
          {
            label: 'observed difference',
            points: rows.map(({ users, difference }): Point => [users, difference]),
            colour: COLOURS.blue,
            labelAt: [users, 0.34],
          },
        ],
      },
    ],
    'Interval of the difference between two versions, narrowing with the number of users until it leaves out zero',
  );
}

function banditPicture(bandit: readonly Look[], fixed: readonly Look[]): string {
  const users = bandit.at(-1)?.users ?? 0;
  const sharesOf = (arm: string): readonly Point[] => [
    [0, 1 / Object.keys(TRUE_PROBABILITIES).length],
    ...bandit
      .filter((look) => look.users <= SHARES_USERS)
      .map((look): Point => [look.users, look.report.arms.find((row) => row.arm === arm)?.propensity ?? 0]),
  ];
  const widths = (looks: readonly Look[]): readonly Point[] =>
    looks.flatMap((look): Point[] => {
      const interval = differenceOf(look);
      return interval === null ? [] : [[look.users, interval.upper - interval.lower]];
    });
  for (const [name, looks] of [
    ['thompson', bandit],
    ['fixed', fixed],
  ] as const) {
    const report = looks.at(-1)?.report;
    if (report === undefined) continue;
    console.log(
      `${name}: share of ${BEST} ${percent(shareOf(report, BEST))}, regret ${regretOf(report).toFixed(0)}, width ${widths(looks).at(-1)?.[1].toFixed(3)}`,
    );
  }
  return svgOf(
    [
      {
        title: 'A bandit moves new users to what works …',
        x: usersAxis(SHARES_USERS, 100, 'users so far'),
        y: {
          label: 'chance of a new user',
          min: 0,
          max: 1,
          ticks: [0, 0.25, 0.5, 0.75, 1],
          format: percent,
        },
        lines: [
          { label: 'v3 (truth 0.50)', points: sharesOf('v3'), colour: COLOURS.blue },
          {
            label: 'v2 (0.35)',
            points: sharesOf('v2'),
            colour: COLOURS.orange,
            dashes: '7 3',
            labelAt: [SHARES_USERS * 0.8, 0.11],
          },
          { label: 'v1 (0.20)', points: sharesOf('v1'), colour: COLOURS.green, dashes: '2 3' },
        ],
      },
      {
        title: '… and pays with a wider interval of v3 − v1',
        x: usersAxis(users, 1_000, 'users so far'),
        y: {
          label: 'width of the interval',
          min: 0,
          max: 1,
          ticks: [0, 0.25, 0.5, 0.75, 1],
          format: (tick) => tick.toFixed(2),
        },
        lines: [
          {
            label: 'bandit',
            points: widths(bandit),
            colour: COLOURS.blue,
          },
          {
            label: 'even split',
            points: widths(fixed),
            colour: COLOURS.grey,
            dashes: '7 3',
            labelAt: [users, 0.04],
          },
        ],
      },
    ],
    'Shares of three versions under a bandit over time, and the width of the interval with a bandit and with an even split',
  );
}

function usersAxis(users: number, step: number, label: string): Axis {
  const ticks = Array.from({ length: Math.floor(users / step) + 1 }, (_, index) => index * step);
  return { label, min: 0, max: users, ticks, format: thousands };
}

mkdirSync(FOLDER, { recursive: true });
const save = (name: string, svg: string): void => writeFileSync(join(FOLDER, name), svg);
save('peeking.svg', peekingPicture());
const fixed = await looksOf('fixed', 5_000, 25);
save('narrowing.svg', narrowingPicture(fixed.filter(({ users }) => users <= 2_000)));
save('bandit.svg', banditPicture(await looksOf('thompson', 5_000, 25), fixed));
