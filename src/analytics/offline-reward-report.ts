import { AppError, listNames, nearestName } from '../kernel/index.ts';
import type { Interval } from '../statistics/index.ts';
import { type MetricScale, rescaledTotal } from './metric-scale.ts';
import { createOfflineFaults } from './offline-faults.ts';
import { createRewardRowReader, type RewardRow } from './offline-reward-rows.ts';
import { reportSummary } from './report-summary.ts';
import { liftOver, meanInterval, type SettledRewards } from './settled-rewards.ts';
import type { Lift } from './version-report.ts';

/** More are no variants but a column of ids; memory stays bounded. */
const MOST_VARIANTS = 200;

/** Propensities that differ by less within one variant were equal before they were written down. */
const SAME_PROPENSITY = 1e-6;

/** Standard errors that the mean of the weights may be off 1. */
const MOST_DEVIATIONS = 4;

const METHOD = 'beta-binomial confidence sequence';

export interface RewardLog {
  /** As faults show it. */
  readonly name: string;
  readonly text: AsyncIterable<string>;
}

export interface RewardReportOptions {
  readonly scale: MetricScale;
  /** Share of logs of which any interval of a mean, or any of the lifts, may ever be wrong. */
  readonly alpha: number;
  /** Variant to compare with; null: the first one in the file. */
  readonly baseline: string | null;
}

/** By the propensities, over all rows: what the variant would have earned had everybody got it. */
export interface WeightedMean {
  readonly mean: number;
  /** Null with fewer than two rows. */
  readonly standardError: number | null;
  /** 1 where the propensities are true, up to its standard error. */
  readonly meanWeight: number;
}

export interface VariantRow {
  readonly variant: string;
  readonly n: number;
  readonly sum: number;
  readonly mean: number;
  readonly interval: Interval;
  /** Mean of this variant minus mean of the baseline; null for the baseline itself. */
  readonly lift: Lift | null;
  /** Null without propensities. */
  readonly ips: WeightedMean | null;
}

export interface RewardReport {
  readonly rows: number;
  readonly baseline: string;
  readonly scale: MetricScale;
  readonly confidence: number;
  readonly method: string;
  /** Variants compared with the baseline: alpha is split over them, all lifts hold together. */
  readonly comparisons: number;
  readonly summary: string;
  readonly warnings: readonly { readonly code: string; readonly variant: string; readonly message: string }[];
  /** In the order of the file. */
  readonly variants: readonly VariantRow[];
}

interface VariantSums {
  n: number;
  sum: number;
  sumOfSquares: number;
  weight: number;
  weightSquared: number;
  weightedReward: number;
  weightedRewardSquared: number;
  leastPropensity: number;
  mostPropensity: number;
}

/**
 * The report by variant of a CSV file (`variant`, `reward`, optionally `propensity`), read once in memory that grows with
 * the variants only. Fails with `invalid_request` and every fault (the first 20), or for an unknown baseline.
 */
export async function reportRewardLog(log: RewardLog, options: RewardReportOptions): Promise<RewardReport> {
  const faults = createOfflineFaults(log.name);
  const sumsByVariant = new Map<string, VariantSums>();
  let rows = 0;
  const reader = createRewardRowReader({
    scale: options.scale,
    faults,
    onRow: (row) => {
      const sums = sumsByVariant.get(row.variant) ?? noSums();
      if (sums.n === 0 && sumsByVariant.size === MOST_VARIANTS) {
        faults.add(
          row.lineNumber,
          `more than ${MOST_VARIANTS} variants: is ${JSON.stringify(row.variant.slice(0, 40))} one?`,
        );
        return;
      }
      addRow(sums, row);
      sumsByVariant.set(row.variant, sums);
      rows += 1;
    },
  });
  for await (const text of log.text) {
    reader.push(text);
    if (faults.isFull()) break;
  }
  if (!faults.isFull()) reader.end();
  if (rows === 0 && faults.isEmpty()) faults.add(1, 'no row below the first line');
  faults.throwIfAny();
  return reportOf(sumsByVariant, rows, options);
}

function noSums(): VariantSums {
  return {
    n: 0,
    sum: 0,
    sumOfSquares: 0,
    weight: 0,
    weightSquared: 0,
    weightedReward: 0,
    weightedRewardSquared: 0,
    leastPropensity: Number.POSITIVE_INFINITY,
    mostPropensity: 0,
  };
}

function addRow(sums: VariantSums, { reward, propensity }: RewardRow): void {
  sums.n += 1;
  sums.sum += reward;
  sums.sumOfSquares += reward * reward;
  if (propensity === null) return;
  const weight = 1 / propensity;
  sums.weight += weight;
  sums.weightSquared += weight * weight;
  sums.weightedReward += weight * reward;
  sums.weightedRewardSquared += (weight * reward) ** 2;
  sums.leastPropensity = Math.min(sums.leastPropensity, propensity);
  sums.mostPropensity = Math.max(sums.mostPropensity, propensity);
}

function reportOf(
  sumsByVariant: ReadonlyMap<string, VariantSums>,
  rows: number,
  { scale, alpha, baseline: wanted }: RewardReportOptions,
): RewardReport {
  const names = [...sumsByVariant.keys()];
  const baseline = chooseBaseline(wanted, names);
  const comparisons = names.length - 1;
  const alphaPerComparison = alpha / Math.max(1, comparisons);
  const confidence = 1 - alpha;
  const settled = new Map([...sumsByVariant].map(([name, sums]) => [name, settledOf(sums, scale)]));
  const baselineSettled = settled.get(baseline);
  const variants = [...sumsByVariant].map(([variant, sums]): VariantRow => {
    const own = settled.get(variant) ?? settledOf(sums, scale);
    const lift =
      baselineSettled === undefined || variant === baseline
        ? null
        : liftOver(baselineSettled, own, { scale, alpha: alphaPerComparison, confidence });
    const interval = meanInterval(own, scale, alpha);
    return {
      variant,
      n: sums.n,
      sum: sums.sum,
      mean: sums.sum / sums.n,
      interval,
      lift,
      ips: weightedMean(sums, rows),
    };
  });
  const summary = reportSummary({
    metric: 'reward',
    optimize: 'max',
    baseline,
    evidence: 'anytime-valid',
    alpha: alphaPerComparison,
    rows: variants.map(({ variant, n, lift }) => ({
      row: { promptVersion: variant, mature: n, lift },
      settled: settled.get(variant) ?? settledOf(noSums(), scale),
    })),
  });
  const warnings = [...sumsByVariant].flatMap(([variant, sums]) => warningsOf(variant, sums, rows));
  return { rows, baseline, scale, confidence, method: METHOD, comparisons, summary, warnings, variants };
}

function chooseBaseline(wanted: string | null, names: readonly string[]): string {
  const [first = ''] = names;
  if (wanted === null || names.includes(wanted)) return wanted ?? first;
  const near = nearestName(wanted, names);
  const hint = near === null ? '' : ` Did you mean ${near}?`;
  throw new AppError(
    'invalid_request',
    `The file has no variant ${JSON.stringify(wanted)}.${hint} It has: ${listNames(names)}.`,
  );
}

/** Every row of the file is settled; whether the outcome of a missing row would have come is the file's own business. */
function settledOf({ n, sum, sumOfSquares }: VariantSums, scale: MetricScale): SettledRewards {
  return { mature: n, pending: 0, sum, rescaled: rescaledTotal(n, { n, sum, sumOfSquares }, scale) };
}

/** Horvitz & Thompson (1952): rows of other variants count as 0 with weight 0. */
function weightedMean(sums: VariantSums, rows: number): WeightedMean | null {
  if (sums.weight === 0) return null;
  const mean = sums.weightedReward / rows;
  return {
    mean,
    standardError: standardErrorOf(mean, sums.weightedRewardSquared, rows),
    meanWeight: sums.weight / rows,
  };
}

function standardErrorOf(mean: number, sumOfSquares: number, rows: number): number | null {
  if (rows < 2) return null;
  return Math.sqrt(Math.max(0, sumOfSquares / rows - mean * mean) / (rows - 1));
}

function warningsOf(variant: string, sums: VariantSums, rows: number): RewardReport['warnings'] {
  if (sums.weight === 0) return [];
  const warnings: { code: string; variant: string; message: string }[] = [];
  if (sums.mostPropensity - sums.leastPropensity > SAME_PROPENSITY) {
    warnings.push({
      code: 'varying_propensity',
      variant,
      message: `the propensities of ${variant} vary from ${sums.leastPropensity} to ${sums.mostPropensity}: if they depend on the user or on time, its mean and lift show who was asked as well as what was shown. The weighted mean allows for it; \`off-policy\` has an interval.`,
    });
  }
  const meanWeight = sums.weight / rows;
  const error = standardErrorOf(meanWeight, sums.weightSquared, rows) ?? Number.POSITIVE_INFINITY;
  if (Math.abs(meanWeight - 1) > MOST_DEVIATIONS * error) {
    warnings.push({
      code: 'mean_weight_off',
      variant,
      message: `the mean weight of ${variant} is ${meanWeight.toFixed(3)} instead of 1: the propensities are not those the variants were chosen by, or rows are missing.`,
    });
  }
  return warnings;
}
