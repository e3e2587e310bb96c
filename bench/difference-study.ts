/**
 * Which interval of a difference should verdicts use? Simulates experiments and counts, for three candidates of the same
 * guarantee, how many runs have told the third arm from the first by a number of units, and how many runs were fooled.
 *
 * Usage: tsx bench/difference-study.ts [RUNS]
 */
import { seededRandom } from '../src/kernel/index.ts';
import {
  betaBinomialDifference,
  betaPosterior,
  bucketedPropensities,
  chooseByWeights,
  differenceInterval,
  differenceSequence,
  foldDifference,
  type Interval,
  thompsonPropensities,
  withFloor,
} from '../src/statistics/index.ts';

const DEFAULT_RUNS = 200;
const UNITS = [1_000, 2_000, 5_000];
/** A look, and new propensities of Thompson sampling, after so many units. */
const UNITS_PER_LOOK = 100;
const ALPHA = 0.05;
const BUCKETS = 10_000;

/** Means of the arms at a unit; the first arm is the baseline, the last the one that is asked about. */
interface World {
  readonly name: string;
  readonly meansAt: (unit: number) => readonly number[];
}

const constant = (...means: readonly number[]): World => ({ name: means.join(' / '), meansAt: () => means });

const WORLDS: readonly World[] = [
  constant(0.2, 0.35, 0.5),
  constant(0.3, 0.35, 0.4),
  constant(0.3, 0.4),
  constant(0.3, 0.3, 0.3),
  {
    name: '0.1 / 0.1, from unit 300 on 0.9 / 0.9',
    meansAt: (unit) => (unit < 300 ? [0.1, 0.1] : [0.9, 0.9]),
  },
];
const CANDIDATES = ['union bound', 'direct difference', 'both at half of alpha'] as const;

type Candidate = (typeof CANDIDATES)[number];

interface Verdict {
  /** Units at the first verdict of the right direction; infinite without. */
  readonly rightAt: number;
  readonly wrong: boolean;
}

function simulate(
  { meansAt }: World,
  kind: 'fixed' | 'thompson',
  seed: number,
): Readonly<Record<Candidate, Verdict>> {
  const random = seededRandom(seed);
  const atFirst = meansAt(1);
  const last = atFirst.length - 1;
  const truth = Math.sign((atFirst[last] ?? 0) - (atFirst[0] ?? 0));
  const even = Math.floor(BUCKETS / atFirst.length) / BUCKETS;
  const floor = kind === 'fixed' ? even : Math.floor((0.1 / atFirst.length) * BUCKETS) / BUCKETS;
  let propensities: readonly number[] = atFirst.map(() => 1 / atFirst.length);
  const totals = atFirst.map(() => ({ n: 0, sum: 0 }));
  let direct = differenceSequence({ arm: last, baseline: 0, minPropensity: floor });
  const alpha = ALPHA / last;
  const verdicts: Record<Candidate, Verdict> = {
    'union bound': { rightAt: Number.POSITIVE_INFINITY, wrong: false },
    'direct difference': { rightAt: Number.POSITIVE_INFINITY, wrong: false },
    'both at half of alpha': { rightAt: Number.POSITIVE_INFINITY, wrong: false },
  };
  for (let unit = 1; unit <= Math.max(...UNITS); unit += 1) {
    const qHat = totals.map(({ n, sum }) => (sum + 0.5) / (n + 1));
    const chosen = chooseByWeights(random.next(), propensities) ?? 0;
    const reward = random.next() < (meansAt(unit)[chosen] ?? 0) ? 1 : 0;
    direct = foldDifference(direct, { propensities, chosen, reward, qHat });
    const total = totals[chosen];
    if (total !== undefined) {
      total.n += 1;
      total.sum += reward;
    }
    if (unit % UNITS_PER_LOOK !== 0) continue;
    const unionAt = (level: number): Interval =>
      betaBinomialDifference({
        arm: totals[last] ?? { n: 0, sum: 0 },
        baseline: totals[0] ?? { n: 0, sum: 0 },
        alpha: level,
      });
    const half = unionAt(alpha / 2);
    const halfDirect = differenceInterval(direct, alpha / 2);
    const intervals: Record<Candidate, Interval> = {
      'union bound': unionAt(alpha),
      'direct difference': differenceInterval(direct, alpha),
      'both at half of alpha': {
        lower: Math.max(half.lower, halfDirect.lower),
        upper: Math.min(half.upper, halfDirect.upper),
      },
    };
    for (const candidate of CANDIDATES) {
      const { lower, upper } = intervals[candidate];
      const sign = lower > 0 ? 1 : upper < 0 ? -1 : 0;
      if (sign === 0) continue;
      const { rightAt, wrong } = verdicts[candidate];
      verdicts[candidate] =
        sign === truth ? { rightAt: Math.min(rightAt, unit), wrong } : { rightAt, wrong: true };
    }
    if (kind === 'thompson') {
      const best = thompsonPropensities(totals.map((arm) => betaPosterior(arm)));
      propensities = bucketedPropensities(withFloor(best, floor), floor);
    }
  }
  return verdicts;
}

function percent(count: number, of: number): string {
  return `${Math.round((100 * count) / of)} %`;
}

const runs = Number(process.argv[2] ?? DEFAULT_RUNS);
console.log(
  `| means | policy | interval | ${UNITS.map((units) => `by ${units} units`).join(' | ')} | fooled |`,
);
console.log(`|---|---|---|${UNITS.map(() => '---|').join('')}---|`);
for (const world of WORLDS) {
  for (const kind of ['fixed', 'thompson'] as const) {
    const all = Array.from({ length: runs }, (_, seed) => simulate(world, kind, seed));
    for (const candidate of CANDIDATES) {
      const shares = UNITS.map((units) =>
        percent(all.filter((run) => run[candidate].rightAt <= units).length, runs),
      );
      const fooled = percent(all.filter((run) => run[candidate].wrong).length, runs);
      console.log(`| ${world.name} | ${kind} | ${candidate} | ${shares.join(' | ')} | ${fooled} |`);
    }
  }
}
