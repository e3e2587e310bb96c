import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

import type { BenchOptions } from './bench-options.ts';
import { readCpuProfile, type SelfTime, type ThreadProfile } from './cpu-profile.ts';
import { startFakeUpstream } from './fake-upstream.ts';
import { feedbackSeconds } from './feedback-load.ts';
import { openGroup } from './group.ts';
import { type Measurement, measure } from './measure.ts';
import { table } from './result-tables.ts';
import { requestsPerSecond } from './results.ts';
import { ROOT } from './root.ts';
import { SCENARIOS, type Scenario } from './scenario.ts';

const FOLDER = join(ROOT, '.cache/bench/profiles');
const WARM_UP_SECONDS = 2;
/** Microseconds between two samples: a request is longer than that, and the profiler costs little. */
const SAMPLING_INTERVAL_US = 500;
const SHOWN_PACKAGES = 15;
const SHOWN_FUNCTIONS = 25;

/** Where the gateway's CPU goes in the first of the scenarios, as Markdown. Leaves the profiles in `.cache/bench/profiles`. */
export async function profileScenario(options: BenchOptions): Promise<string> {
  const { scenarios, generator } = options;
  const scenario = SCENARIOS.find(({ name }) => name === scenarios[0]);
  if (scenario === undefined) throw new Error('no scenario to profile');
  const seconds = scenario.group === 'feedback' ? feedbackSeconds(options.seconds) : options.seconds;
  const folder = mkdtempSync(join(tmpdir(), 'prompt-gateway-profile-'));
  const upstream = await startFakeUpstream();
  try {
    const nodeArguments = ['--cpu-prof', `--cpu-prof-dir=${folder}`];
    const plan = {
      rounds: 1,
      seconds,
      nodeArguments: [...nodeArguments, `--cpu-prof-interval=${SAMPLING_INTERVAL_US}`],
    };
    const { contenders, close, removeFiles } = await openGroup(scenario.group, ['gateway'], upstream, plan);
    try {
      const [gateway] = contenders;
      if (gateway === undefined) throw new Error('no gateway to profile');
      const warmUp = { seconds: WARM_UP_SECONDS, generator };
      await measure(scenario, gateway.subjectOf(scenario, plan.rounds), upstream, warmUp);
      const fromUs = monotonicUs();
      const subject = gateway.subjectOf(scenario, 0);
      const measured = await measure(scenario, subject, upstream, { seconds, generator });
      const toUs = monotonicUs();
      await close();
      const threads = readdirSync(folder).map((file) => {
        const thread = readCpuProfile(join(folder, file), { fromUs, toUs });
        keep(join(folder, file), `${scenario.name}-${thread.thread}.cpuprofile`);
        return thread;
      });
      return sectionOf(scenario, measured, threads);
    } finally {
      await close();
      removeFiles();
    }
  } finally {
    await upstream.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The clock of the profiler, which is the same in all processes. */
function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

function keep(file: string, name: string): void {
  mkdirSync(FOLDER, { recursive: true });
  cpSync(file, join(FOLDER, name));
}

function sectionOf(scenario: Scenario, measured: Measurement, threads: readonly ThreadProfile[]): string {
  const { answered } = measured;
  const busy = threads.filter(({ busyUs }) => busyUs > 0).sort((a, b) => b.busyUs - a.busyUs);
  const perRequest = (us: number): string => (us / answered).toFixed(1);
  const cells = ({ name, us }: SelfTime, { busyUs }: ThreadProfile): readonly string[] => [
    name,
    perRequest(us),
    `${((100 * us) / busyUs).toFixed(1)} %`,
  ];
  const head =
    `${scenario.title}, ${requestsPerSecond(measured).toFixed(0)} req/s while being profiled; self-time per request, ` +
    `waiting left out. Profiles: \`${relative(ROOT, FOLDER)}/${scenario.name}-*.cpuprofile\`.`;
  const sections = busy.flatMap((thread) => [
    `Thread \`${thread.thread}\`: ${perRequest(thread.busyUs)} µs per request`,
    table(
      ['package', 'µs', 'share'],
      thread.packages.slice(0, SHOWN_PACKAGES).map((entry) => cells(entry, thread)),
    ),
    table(
      ['function', 'µs', 'share'],
      thread.functions.slice(0, SHOWN_FUNCTIONS).map((entry) => cells(entry, thread)),
    ),
  ]);
  return [head, ...sections].join('\n\n');
}
