import type { ArmEvidence, ExperimentEvidence } from './experiment-arms.ts';
import type {
  ArmDifference,
  ArmVerdict,
  ExperimentReport,
  ExperimentVerdict,
  ExperimentWarning,
} from './experiment-report.ts';
import { shownDecimals } from './shown-decimals.ts';

export interface VerdictInput
  extends Pick<
    ExperimentReport,
    'state' | 'start' | 'baseline' | 'metric' | 'optimize' | 'sampleRatio' | 'stopped'
  > {
  readonly evidence: ExperimentEvidence;
  /** ISO 8601: later decisions are not compared yet. Null: all of them are. */
  readonly comparedUntil: string | null;
  readonly warnings: readonly ExperimentWarning[];
}

/** With one of these no direct difference is computed. */
const NOT_FOLDABLE: ReadonlySet<ExperimentWarning['code']> = new Set([
  'unbalanced_rewards',
  'reward_out_of_range',
]);

/** An arm whose difference can be told; `gain` is positive where the arm is better, whichever way the metric goes. */
interface Comparison {
  readonly arm: string;
  readonly verdict: ArmVerdict;
  readonly gain: number;
  readonly lower: number;
  readonly upper: number;
}

/**
 * The result in plain words. Better or worse is said only of a difference whose interval leaves out 0, and nothing is
 * concluded while the sample-ratio alarm is on.
 */
export function experimentVerdict(input: VerdictInput): ExperimentVerdict {
  const verdict = verdictOf(input);
  return input.stopped === null ? verdict : { ...verdict, text: `${stoppedText(input)} ${verdict.text}` };
}

/** First of all that is said: users get something else than the rest speaks of. */
function stoppedText({ stopped, baseline }: VerdictInput): string {
  const by = stopped?.by === 'guardrail' ? 'its guardrail' : 'hand';
  return `Stopped by ${by} at ${stopped?.at}, every call gets ${baseline}: ${stopped?.reason.replace(/\.$/, '')}.`;
}

function verdictOf(input: VerdictInput): ExperimentVerdict {
  if (input.sampleRatio.alarm) {
    return nothing(
      'assignment_broken',
      'Assignment is broken: do not read the rewards. Units do not arrive in the arms as the logged propensities say; look for calls that fail, are lost or are repeated in one arm only.',
    );
  }
  if (input.state === 'not_started') {
    return nothing('not_started', `Not started: every call gets ${input.baseline} until ${input.start}.`);
  }
  const comparisons = input.evidence.arms.flatMap((arm) => comparisonOf(input, arm));
  if (comparisons.length === 0) return nothing('no_data', noData(input));

  const byGain = [...comparisons].sort((a, b) => b.gain - a.gain);
  const better = byGain.filter(({ verdict }) => verdict.state === 'better');
  const worse = byGain.filter(({ verdict }) => verdict.state === 'worse').reverse();
  const open = byGain.filter(({ verdict }) => verdict.state === 'no_difference_yet');
  const leading = better[0] ?? worse[0] ?? null;
  const sentences = [
    ...better.map((comparison) => certain(input, comparison)),
    ...worse.map((comparison) => certain(input, comparison)),
    ...(leading === null ? [uncertain(input, byGain)] : open.map((comparison) => stillOpen(comparison))),
    ...(input.comparedUntil === null ? [] : [`Compared: decisions before ${input.comparedUntil}.`]),
  ];
  return {
    state: leading?.verdict.state ?? 'no_difference_yet',
    text: sentences.join(' '),
    arm: leading?.arm ?? null,
    comparisons: comparisons.map(({ verdict }) => verdict),
  };
}

function nothing(state: ExperimentVerdict['state'], text: string): ExperimentVerdict {
  return { state, text, arm: null, comparisons: [] };
}

function comparisonOf(input: VerdictInput, { row, moreOutcomes: forecastOf }: ArmEvidence): Comparison[] {
  const { difference } = row;
  if (difference?.difference === null || difference?.difference === undefined) return [];
  const { gain, lower, upper } = gainOf(input, difference, difference.difference);
  const state = lower > 0 ? 'better' : upper < 0 ? 'worse' : 'no_difference_yet';
  const moreOutcomes = state === 'no_difference_yet' ? forecastOf() : 0;
  return [{ arm: row.arm, verdict: { arm: row.arm, state, moreOutcomes }, gain, lower, upper }];
}

function gainOf(
  { optimize }: VerdictInput,
  { lower, upper }: ArmDifference,
  difference: number,
): Pick<Comparison, 'gain' | 'lower' | 'upper'> {
  return optimize === 'max'
    ? { gain: difference, lower, upper }
    : { gain: -difference, lower: -upper, upper: -lower };
}

function noData({ evidence, baseline, metric, warnings }: VerdictInput): string {
  const mature = evidence.arms.filter(({ row }) => row.mature > 0).map(({ row }) => row.arm);
  if (mature.length === 0) return `No data: no outcome of ${metric} is mature yet.`;
  if (mature.includes(baseline) && mature.length > 1) {
    const isFaulty = warnings.some(({ code }) => NOT_FOLDABLE.has(code));
    return isFaulty
      ? 'No verdict: the warnings say why these rewards cannot be compared.'
      : 'No verdict yet: decisions are compared once their attribution window and its grace are over.';
  }
  return mature.includes(baseline)
    ? `No data to compare: of the arms only ${baseline} has mature outcomes of ${metric}.`
    : `No data to compare with: the baseline ${baseline} has no mature outcome of ${metric} yet.`;
}

/** `v3 is better than v1 by 0.03 to 0.11; safe to act.` */
function certain(input: VerdictInput, { arm, verdict, lower, upper }: Comparison): string {
  const isBetter = verdict.state === 'better';
  const [least, most] = shown(isBetter ? [lower, upper] : [-upper, -lower]);
  const direction = input.optimize === 'min' ? ' (less is better)' : '';
  return `${arm} is ${verdict.state} than ${input.baseline} by ${least} to ${most}${direction}; ${advice(input, arm, isBetter)}.`;
}

function advice({ warnings, baseline }: VerdictInput, arm: string, isBetter: boolean): string {
  const isWarned = warnings.some((warning) => [arm, baseline, null].includes(warning.arm));
  if (isWarned) return 'read the warnings before you act';
  return isBetter ? 'safe to act' : 'safe to drop it';
}

function uncertain({ baseline }: VerdictInput, byGain: readonly Comparison[]): string {
  const [furthest] = [...byGain].sort((a, b) => Math.abs(b.gain) - Math.abs(a.gain));
  if (furthest === undefined) return 'Not certain yet.';
  const { arm, gain, lower, upper, verdict } = furthest;
  const [size, from, to] = shown([Math.abs(gain), ...(gain < 0 ? [-upper, -lower] : [lower, upper])]);
  const position =
    gain === 0
      ? `${arm} is level with ${baseline}`
      : `${arm} is ${gain < 0 ? 'behind' : 'ahead of'} ${baseline} by ${size}`;
  return `Not certain yet: ${forecast(verdict)} (${position}, ${from} to ${to}).`;
}

function stillOpen({ arm, verdict }: Comparison): string {
  return `${arm} is not certain yet: ${forecast(verdict)}.`;
}

function forecast({ moreOutcomes }: ArmVerdict): string {
  return moreOutcomes === null
    ? 'too close to say how many more outcomes it takes'
    : `about ${moreOutcomes} more outcomes at this rate`;
}

function shown(values: readonly number[]): readonly string[] {
  const decimals = shownDecimals(values);
  return values.map((value) => value.toFixed(decimals));
}
