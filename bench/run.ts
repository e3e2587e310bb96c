/**
 * `npm run bench`: the fake provider, the reference, the gateway (durable log on) and, where installed, other gateways
 * (`bench/peers/install.sh`), in alternation on loopback. Machines are noisy: read the ratios of one run.
 *
 * Options: --scenario NAMES, --target NAMES (comma-separated), --seconds N (per measurement), --rounds N, --generator
 * wrk|autocannon, --json FILE, --markdown FILE (the section between its markers, or a new file).
 * --check: the short form that fails below the floors. --profile: where the CPU of the gateway goes in one scenario.
 */
import { writeFileSync } from 'node:fs';

import { type BenchOptions, parseBenchOptions } from './harness/bench-options.ts';
import { writeSection } from './harness/document-section.ts';
import { startFakeUpstream } from './harness/fake-upstream.ts';
import { checkFloors } from './harness/floors.ts';
import { machineFacts } from './harness/machine-facts.ts';
import { profileScenario } from './harness/profile-scenario.ts';
import { resultTables } from './harness/result-tables.ts';
import type { BenchResults } from './harness/results.ts';
import { type GroupRun, runGroup } from './harness/run-group.ts';
import { SCENARIOS } from './harness/scenario.ts';
import { exitOnSignals } from './harness/server-process.ts';
import { isInstalled } from './harness/start-target.ts';

async function runBench(options: BenchOptions): Promise<BenchResults> {
  const { seconds, rounds, generator } = options;
  const notInstalled = options.targets.filter((target) => !isInstalled(target));
  const targets = options.targets.filter((target) => isInstalled(target));
  const scenarios = SCENARIOS.filter(({ name }) => options.scenarios.includes(name));
  const machine = machineFacts();
  const upstream = await startFakeUpstream();
  const runs: GroupRun[] = [];
  try {
    for (const group of new Set(scenarios.map((scenario) => scenario.group))) {
      const given = {
        scenarios: scenarios.filter((scenario) => scenario.group === group),
        targets,
        upstream,
        plan: { rounds, seconds },
        generator,
      };
      runs.push(await runGroup(group, given, console.log));
    }
  } finally {
    await upstream.stop();
  }
  return {
    machine,
    generator,
    seconds,
    rounds,
    notInstalled,
    contenders: runs.flatMap(({ contenders }) => contenders),
    series: runs.flatMap(({ series }) => series),
  };
}

exitOnSignals();
const options = parseBenchOptions(process.argv.slice(2));
if (options.isProfile) {
  const section = await profileScenario(options);
  console.log(`\n${section}`);
  if (options.markdownFile !== null) writeSection(options.markdownFile, 'profile', section);
} else {
  const results = await runBench(options);
  const section = resultTables(results);
  console.log(`\n${section}`);
  if (options.jsonFile !== null) writeFileSync(options.jsonFile, `${JSON.stringify(results, null, 2)}\n`);
  if (options.markdownFile !== null) writeSection(options.markdownFile, 'bench', section);
  if (options.isCheck && !checkFloors(results, console.log)) process.exitCode = 1;
}
