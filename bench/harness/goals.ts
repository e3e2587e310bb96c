import { type BenchResults, type ContenderFacts, ratioTo, type Summary, summaryOf } from './results.ts';
import { SCENARIOS, type ScenarioName } from './scenario.ts';
import type { TargetName } from './target.ts';

export interface GoalFigure {
  readonly what: string;
  readonly goal: string;
  readonly figure: string;
  readonly isReached: boolean;
}

const MIN_TIMES_REFERENCE = 2.6;
const MIN_TIMES_LITELLM = 20;
const MIN_TIMES_PORTKEY = 2;
const MAX_ADDED_MS = 0.8;
const MAX_SLOW_P50_MS = 58;
const MAX_SLOW_P99_MS = 80;
const MIN_STREAMS_TIMES_REFERENCE = 1.8;
const MAX_ADDED_FIRST_TOKEN_MS = 1;
const MAX_SCORE_P99_MS = 50;
const MIN_SCORES_PER_SECOND = 2_000;
const MAX_SCORE_C1_P99_MS = 5;
const MIN_FEEDBACK_PER_SECOND = 2_500;
const MIN_OUTCOMES_PER_SECOND = 10_000;
const MAX_START_MS = 1_000;
const MAX_RSS_MB = 250;

/** The goals that this run says something about. */
export function goalFigures(results: BenchResults): readonly GoalFigure[] {
  const summary = (name: ScenarioName, target: TargetName = 'gateway'): Summary | null => {
    const scenario = SCENARIOS.find((known) => known.name === name);
    return scenario === undefined ? null : summaryOf(results, scenario, target);
  };
  const gateway = results.contenders.find(({ name, group }) => name === 'gateway' && group === 'generate');
  return [
    ...ratioGoals(results),
    ...addedGoals(summary, gateway),
    ...slowGoals(summary('slow')),
    ...streamGoals(summary('streams')),
    ...scoreGoals(summary('score-c64'), summary('score-c1')),
    ...feedbackGoals(summary('feedback-1'), summary('feedback-100')),
    ...processGoals(gateway, summary('c64')),
  ];
}

function ratioGoals(results: BenchResults): readonly GoalFigure[] {
  const scenario = SCENARIOS.find(({ name }) => name === 'c64');
  const goals = [
    ['reference', MIN_TIMES_REFERENCE],
    ['litellm', MIN_TIMES_LITELLM],
    ['portkey', MIN_TIMES_PORTKEY],
  ] as const;
  return goals.flatMap(([other, least]) => {
    const ratio = scenario === undefined ? null : ratioTo(other, results, scenario, 'gateway');
    if (ratio === null) return [];
    return [
      atLeast(
        `\`/generate\`, 64 callers, durably logged, against ${other}`,
        least,
        ratio,
        (n) => `${n.toFixed(2)} ×`,
      ),
    ];
  });
}

type SummaryOf = (name: ScenarioName, target?: TargetName) => Summary | null;

function addedGoals(summary: SummaryOf, gateway: ContenderFacts | undefined): readonly GoalFigure[] {
  const [own, fake] = [summary('c1'), summary('c1', 'fake')];
  const commitMs = gateway?.commitMs ?? null;
  const [ownStream, fakeStream] = [summary('stream-c1'), summary('stream-c1', 'fake')];
  const milliseconds = (n: number): string => `${n.toFixed(2)} ms`;
  return [
    ...(own === null || fake === null || commitMs === null
      ? []
      : [
          atMost(
            `one caller: p50 over the fake, without the commit's own wait (${commitMs.toFixed(2)} ms)`,
            MAX_ADDED_MS,
            own.p50Ms - fake.p50Ms - commitMs,
            milliseconds,
          ),
        ]),
    ...(ownStream?.firstTokenP50Ms == null || fakeStream?.firstTokenP50Ms == null
      ? []
      : [
          atMost(
            'one caller: time to the first token over the fake, p50',
            MAX_ADDED_FIRST_TOKEN_MS,
            ownStream.firstTokenP50Ms - fakeStream.firstTokenP50Ms,
            milliseconds,
          ),
        ]),
  ];
}

function slowGoals(slow: Summary | null): readonly GoalFigure[] {
  if (slow === null) return [];
  const what = 'provider takes 50 ms, 64 callers:';
  const milliseconds = (n: number): string => `${n.toFixed(1)} ms`;
  return [
    atMost(`${what} p50`, MAX_SLOW_P50_MS, slow.p50Ms, milliseconds),
    atMost(`${what} p99`, MAX_SLOW_P99_MS, slow.p99Ms, milliseconds),
  ];
}

function streamGoals(streams: Summary | null): readonly GoalFigure[] {
  if (streams === null || streams.timesReference === null) return [];
  const what = 'streams of 22 events, 16 callers, against reference';
  return [atLeast(what, MIN_STREAMS_TIMES_REFERENCE, streams.timesReference, (n) => `${n.toFixed(2)} ×`)];
}

function scoreGoals(many: Summary | null, one: Summary | null): readonly GoalFigure[] {
  const milliseconds = (n: number): string => `${n.toFixed(1)} ms`;
  return [
    ...(many === null
      ? []
      : [
          atLeast('`/score`, 64 callers', MIN_SCORES_PER_SECOND, many.requestsPerSecond, perSecond),
          atMost('`/score`, 64 callers: p99', MAX_SCORE_P99_MS, many.p99Ms, milliseconds),
        ]),
    ...(one === null
      ? []
      : [atMost('`/score`, one caller: p99', MAX_SCORE_C1_P99_MS, one.p99Ms, milliseconds)]),
  ];
}

function feedbackGoals(single: Summary | null, batch: Summary | null): readonly GoalFigure[] {
  return [
    ...(single === null
      ? []
      : [atLeast('`/feedback`, one outcome', MIN_FEEDBACK_PER_SECOND, single.requestsPerSecond, perSecond)]),
    ...(batch === null
      ? []
      : [
          atLeast(
            '`/feedback`, batches of 100: outcomes',
            MIN_OUTCOMES_PER_SECOND,
            batch.requestsPerSecond * batch.scenario.itemsPerRequest,
            perSecond,
          ),
        ]),
  ];
}

function processGoals(gateway: ContenderFacts | undefined, loaded: Summary | null): readonly GoalFigure[] {
  return [
    ...(gateway === undefined
      ? []
      : [
          atMost('start to first answer', MAX_START_MS, gateway.startMs, (n) => `${(n / 1000).toFixed(2)} s`),
        ]),
    ...(loaded?.rssMb == null
      ? []
      : [atMost('RSS after 64 callers', MAX_RSS_MB, loaded.rssMb, (n) => `${n.toFixed(0)} MB`)]),
  ];
}

function perSecond(value: number): string {
  return `${Math.round(value).toLocaleString('en')}/s`;
}

function atLeast(what: string, least: number, found: number, show: (value: number) => string): GoalFigure {
  return { what, goal: `≥ ${show(least)}`, figure: show(found), isReached: found >= least };
}

function atMost(what: string, most: number, found: number, show: (value: number) => string): GoalFigure {
  return { what, goal: `≤ ${show(most)}`, figure: show(found), isReached: found <= most };
}
