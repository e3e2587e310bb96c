import { existsSync } from 'node:fs';
import Database from 'better-sqlite3';

import type { FakeUpstream } from './fake-upstream.ts';
import { feedbackSeconds } from './feedback-load.ts';
import { type Contender, openGroup, type Plan } from './group.ts';
import { type GeneratorName, type Measurement, measure } from './measure.ts';
import { median } from './quantile.ts';
import { type ContenderFacts, requestsPerSecond, type Series } from './results.ts';
import type { GroupName, Scenario } from './scenario.ts';
import { databaseFileIn } from './start-target.ts';
import type { TargetName } from './target.ts';

/** Long enough for V8 to compile what is hot, short beside a measurement. */
const WARM_UP_SECONDS = 2;
const WARM_UP_CONNECTIONS = 32;

export interface GroupRun {
  readonly contenders: readonly ContenderFacts[];
  readonly series: readonly Series[];
}

/** Starts the servers of the group, measures them in alternation and stops them. `tell` gets a line per measurement. */
export async function runGroup(
  group: GroupName,
  given: {
    readonly scenarios: readonly Scenario[];
    readonly targets: readonly TargetName[];
    readonly upstream: FakeUpstream;
    readonly plan: Plan;
    readonly generator: GeneratorName;
  },
  tell: (line: string) => void,
): Promise<GroupRun> {
  const { scenarios, upstream, plan, generator } = given;
  const calls = new Map<Contender, number>();
  /** Only one server is asked at a time: what the provider counts meanwhile is that server's. */
  const counted = async <Result>(contender: Contender, work: () => Promise<Result>): Promise<Result> => {
    const before = (await upstream.counts()).calls;
    const result = await work();
    calls.set(contender, (calls.get(contender) ?? 0) + (await upstream.counts()).calls - before);
    return result;
  };
  await upstream.delayAnswers(0);
  const opened = await openGroup(group, given.targets, upstream, plan);
  const series = new Map<string, { scenario: Scenario; target: TargetName; rounds: Measurement[] }>();
  try {
    const { contenders } = opened;
    for (const reason of opened.leftOut) tell(`left out: ${reason}`);
    for (const contender of contenders) {
      for (const scenario of differentKinds(scenarios)) {
        // A round of its own: the requests of the others stay new.
        const subject = contender.subjectOf(scenario, plan.rounds);
        const warmUp = { ...scenario, connections: WARM_UP_CONNECTIONS, providerDelayMs: 0 };
        await counted(contender, () =>
          measure(warmUp, subject, upstream, { seconds: WARM_UP_SECONDS, generator }),
        );
      }
    }
    for (let round = 0; round < plan.rounds; round += 1) {
      for (const scenario of scenarios) {
        // Forwards, then backwards: a drift of the machine hits all alike.
        for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
          if (!takesPart(contender, scenario)) continue;
          const subject = contender.subjectOf(scenario, round);
          const options = {
            seconds: group === 'feedback' ? feedbackSeconds(plan.seconds) : plan.seconds,
            generator,
          };
          const measured = await counted(contender, () => measure(scenario, subject, upstream, options));
          const key = `${scenario.name} ${contender.name}`;
          const known = series.get(key) ?? { scenario, target: contender.name, rounds: [] };
          known.rounds.push(measured);
          series.set(key, known);
          tell(`round ${round + 1} ${key}: ${lineOf(measured)}`);
        }
      }
    }
    await upstream.delayAnswers(0);
    const commits = new Map<Contender, number | null>();
    if (scenarios.some(({ name }) => name === 'c1')) {
      for (const contender of contenders) {
        commits.set(contender, await counted(contender, () => medianCommitMs(contender, scenarios)));
      }
    }
    await opened.close();
    return {
      contenders: contenders.map((contender) => ({
        name: contender.name,
        group,
        title: contender.title,
        logs: contender.logs,
        startMs: contender.server.startMs,
        commitMs: commits.get(contender) ?? null,
        rows: rowsOf(contender, group, calls.get(contender) ?? 0),
      })),
      series: [...series.values()].map(({ scenario, target, rounds }) => ({
        scenario: scenario.name,
        target,
        rounds,
      })),
    };
  } finally {
    await opened.close();
    opened.removeFiles();
  }
}

/** What a log line costs shows where the processor is the limit; elsewhere it would only be the gateway once more. */
function takesPart({ name }: Contender, scenario: Scenario): boolean {
  return name !== 'gateway-info' || scenario.name === 'c64';
}

/** One scenario of each kind of request. */
function differentKinds(scenarios: readonly Scenario[]): readonly Scenario[] {
  const kinds = new Map(
    scenarios.map((scenario) => [`${scenario.isStreamed} ${scenario.itemsPerRequest}`, scenario]),
  );
  return [...kinds.values()];
}

function lineOf(measured: Measurement): string {
  const { p50Ms, p99Ms, errors, firstError, hiddenRetries } = measured;
  const rate = `${requestsPerSecond(measured).toFixed(0)} req/s, p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(1)} ms`;
  const faults = errors === 0 ? '' : `, ${errors} errors (${firstError})`;
  return `${rate}${faults}${hiddenRetries === 0 ? '' : `, ${hiddenRetries} hidden retries`}`;
}

const TIMED_CALLS = 200;

/** Of calls one after the other. */
async function medianCommitMs(contender: Contender, scenarios: readonly Scenario[]): Promise<number | null> {
  const scenario = scenarios.find(({ name }) => name === 'c1');
  if (scenario === undefined) return null;
  const { server, requests } = contender.subjectOf(scenario, 0);
  const init = { method: 'POST', headers: { ...requests.headers }, body: requests.bodies[0] ?? '' };
  const commitsMs: number[] = [];
  for (let call = 0; call < TIMED_CALLS; call += 1) {
    const response = await fetch(server.url + requests.path, init);
    await response.arrayBuffer();
    const commit = /db;dur=([\d.]+)/.exec(response.headers.get('server-timing') ?? '')?.[1];
    if (commit === undefined) return null;
    commitsMs.push(Number(commit));
  }
  return median(commitsMs);
}

/** The first request of a start is a call, too. */
const CALLS_OF_A_START = 1;

function rowsOf(contender: Contender, group: GroupName, calls: number): ContenderFacts['rows'] {
  const file = databaseFileIn(contender.folder);
  if (group !== 'generate' || !existsSync(file)) return null;
  const database = new Database(file, { readonly: true });
  try {
    const generations = Number(database.prepare('SELECT count(*) FROM generations').pluck().get());
    return { generations, upstreamCalls: calls + CALLS_OF_A_START };
  } finally {
    database.close();
  }
}
