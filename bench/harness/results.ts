import type { MachineFacts } from './machine-facts.ts';
import type { GeneratorName, Measurement } from './measure.ts';
import { median } from './quantile.ts';
import type { Scenario, ScenarioName } from './scenario.ts';
import type { TargetName } from './target.ts';

/** What one run of the benchmark has found; written whole by `--json`. */
export interface BenchResults {
  readonly machine: MachineFacts;
  readonly generator: GeneratorName;
  readonly seconds: number;
  readonly rounds: number;
  readonly notInstalled: readonly TargetName[];
  readonly contenders: readonly ContenderFacts[];
  readonly series: readonly Series[];
}

export interface ContenderFacts {
  readonly name: TargetName;
  readonly group: Scenario['group'];
  readonly title: string;
  readonly logs: string;
  readonly startMs: number;
  /** What one caller waits for the commit, median, as `Server-Timing` tells it; null where that says nothing. */
  readonly commitMs: number | null;
  /** Rows of generations in its database at the end, and the calls it had made upstream; null where it has none. */
  readonly rows: { readonly generations: number; readonly upstreamCalls: number } | null;
}

/** One target in one scenario, round by round. */
export interface Series {
  readonly scenario: ScenarioName;
  readonly target: TargetName;
  readonly rounds: readonly Measurement[];
}

/** Medians of the rounds; counts are sums. */
export interface Summary {
  readonly scenario: Scenario;
  readonly target: TargetName;
  readonly requestsPerSecond: number;
  /** Median of the ratios within a round: a machine that slows down slows both. Null without a reference. */
  readonly timesReference: number | null;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly firstTokenP50Ms: number | null;
  readonly firstTokenP99Ms: number | null;
  readonly cpuUsPerRequest: number | null;
  /** Of the last round. */
  readonly rssMb: number | null;
  readonly errors: number;
  readonly firstError: string | null;
  readonly hiddenRetries: number;
  /** Shares of one core. */
  readonly generatorCores: number;
  readonly upstreamCores: number;
}

export function requestsPerSecond({ answered, seconds }: Measurement): number {
  return answered / seconds;
}

export function summaryOf(results: BenchResults, scenario: Scenario, target: TargetName): Summary | null {
  const rounds = roundsOf(results, scenario, target);
  const last = rounds.at(-1);
  if (last === undefined) return null;
  const middle = (of: (round: Measurement) => number): number => median(rounds.map(of));
  const middleOrNull = (of: (round: Measurement) => number | null): number | null => {
    const known = rounds.map(of).filter((value) => value !== null);
    return known.length === 0 ? null : median(known);
  };
  const sum = (of: (round: Measurement) => number): number =>
    rounds.reduce((total, round) => total + of(round), 0);
  return {
    scenario,
    target,
    requestsPerSecond: middle(requestsPerSecond),
    timesReference: ratioTo('reference', results, scenario, target),
    p50Ms: middle((round) => round.p50Ms),
    p99Ms: middle((round) => round.p99Ms),
    firstTokenP50Ms: middleOrNull((round) => round.firstTokenP50Ms),
    firstTokenP99Ms: middleOrNull((round) => round.firstTokenP99Ms),
    cpuUsPerRequest: middleOrNull((round) => round.cpuUsPerRequest),
    rssMb: last.rssMb,
    errors: sum((round) => round.errors),
    firstError: rounds.find((round) => round.firstError !== null)?.firstError ?? null,
    hiddenRetries: sum((round) => round.hiddenRetries),
    generatorCores: middle((round) => round.generatorCpuUs / (round.seconds * 1_000_000)),
    upstreamCores: middle((round) => round.upstreamCpuUs / (round.seconds * 1_000_000)),
  };
}

/** How many times the requests per second of `other`, as the median of the rounds; null when one of them is missing. */
export function ratioTo(
  other: TargetName,
  results: BenchResults,
  scenario: Scenario,
  target: TargetName,
): number | null {
  const others = roundsOf(results, scenario, other);
  const ratios = roundsOf(results, scenario, target).flatMap((round, index) => {
    const base = others[index];
    return base === undefined ? [] : [requestsPerSecond(round) / requestsPerSecond(base)];
  });
  return ratios.length === 0 ? null : median(ratios);
}

function roundsOf(results: BenchResults, scenario: Scenario, target: TargetName): readonly Measurement[] {
  return (
    results.series.find((series) => series.scenario === scenario.name && series.target === target)?.rounds ??
    []
  );
}
