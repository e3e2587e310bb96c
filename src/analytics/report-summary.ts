import type { SettledRewards } from './settled-rewards.ts';
import { outcomesToSettle } from './settling-forecast.ts';
import { shownDecimals } from './shown-decimals.ts';
import type { Lift, VersionReport, VersionReportRow } from './version-report.ts';

export interface SummaryInput {
  readonly metric: string;
  readonly optimize: 'max' | 'min';
  readonly baseline: string | null;
  readonly evidence: VersionReport['evidence'];
  readonly rows: readonly {
    readonly row: Pick<VersionReportRow, 'promptVersion' | 'mature' | 'lift'>;
    readonly settled: SettledRewards;
  }[];
  /** Alpha of one comparison. */
  readonly alpha: number;
}

interface Comparison {
  readonly promptVersion: string;
  readonly settled: SettledRewards;
  readonly lift: Lift & { readonly difference: number };
}

/**
 * The report in one sentence. It calls a difference certain only when its interval leaves out 0, and says of a chosen
 * window that it only describes it.
 */
export function reportSummary(input: SummaryInput): string {
  const { optimize, metric } = input;
  const isDescriptive = input.evidence === 'descriptive';
  const scope = isDescriptive ? 'In the chosen window, descriptive only: ' : '';
  const plain = (sentence: string): string =>
    isDescriptive ? `${scope}${sentence}` : `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}`;
  const comparisons = input.rows.flatMap(comparisonOf);
  if (comparisons.length === 0) return plain(nothingToCompare(input));
  const certain = comparisons.filter(({ lift }) => lift.lower > 0 || lift.upper < 0);
  if (certain.length === 0) return plain(uncertain(input, comparisons));
  const sentences = [...certain]
    .sort((a, b) => gain(b, optimize) - gain(a, optimize))
    .map(({ promptVersion, lift }) => `${promptVersion} ${verdict(lift, input)}${range(lift)}`);
  return `${scope}${sentences.join('; ')} (${metric}).`;
}

function comparisonOf({ row, settled }: SummaryInput['rows'][number]): Comparison[] {
  const { lift, promptVersion } = row;
  if (lift === null || lift.difference === null) return [];
  return [{ promptVersion, settled, lift: { ...lift, difference: lift.difference } }];
}

function nothingToCompare({ rows, baseline, metric }: SummaryInput): string {
  const mature = rows.filter(({ row }) => row.mature > 0).map(({ row }) => row.promptVersion);
  if (mature.length === 0) return `no outcome of ${metric} is mature yet.`;
  return mature.includes(baseline ?? '')
    ? `only ${baseline} has mature outcomes of ${metric} so far, there is nothing to compare it with.`
    : `the baseline ${baseline} has no mature outcome of ${metric} yet, there is nothing to compare with.`;
}

function gain({ lift }: Comparison, optimize: 'max' | 'min'): number {
  return optimize === 'max' ? lift.difference : -lift.difference;
}

function verdict(lift: Lift, { optimize, baseline }: SummaryInput): string {
  const isHigher = lift.lower > 0;
  if (optimize === 'max') return `earns ${isHigher ? 'more' : 'less'} than ${baseline}: `;
  return isHigher
    ? `is above ${baseline}, and less is better: `
    : `is below ${baseline}, and less is better: `;
}

function uncertain(input: SummaryInput, comparisons: readonly Comparison[]): string {
  const [leading] = [...comparisons].sort(
    (a, b) => Math.abs(b.lift.difference) - Math.abs(a.lift.difference),
  );
  if (leading === undefined) return 'no difference is certain yet.';
  const base = input.rows.find(({ row }) => row.promptVersion === input.baseline)?.settled.rescaled ?? null;
  const more = outcomesToSettle({ arm: leading.settled.rescaled, baseline: base, alpha: input.alpha });
  const forecast =
    more === null
      ? ''
      : `; if the means stay as they are, about ${more} more outcomes of the two would settle it`;
  return `no difference from ${input.baseline} is certain yet, the largest is ${leading.promptVersion} with ${range(leading.lift)} (${input.metric})${forecast}.`;
}

/** `+0.31 (+0.12 to +0.49)`, with as many decimals as the end nearest to 0 needs to show which side it is on. */
function range(lift: Lift & { readonly difference: number }): string {
  const values = [lift.difference, lift.lower, lift.upper];
  const decimals = shownDecimals(values);
  const [difference, lower, upper] = values.map(
    (value) => `${value > 0 ? '+' : ''}${value.toFixed(decimals)}`,
  );
  return `${difference} (${lower} to ${upper})`;
}
