import { setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createGatewayClient } from '../../client/index.ts';
import { AppError, seededRandom } from '../../kernel/index.ts';
import type { CliContext } from '../cli-context.ts';
import { startDemoGateway } from './demo-gateway.ts';
import { type DemoRun, readDemoReport } from './demo-report.ts';
import {
  DEMO_EXPERIMENT,
  DEMO_METRIC,
  DEMO_PROMPT,
  type DemoSettings,
  MOST_COMPARED_USERS,
} from './demo-settings.ts';
import { type DemoExperiment, type DemoLook, experimentResult, readLook } from './experiment-result.ts';
import { createProgressLine } from './progress-line.ts';
import { simulateTips } from './simulate-tips.ts';
import { createSimulatedUsers, type SimulatedUser, TRUE_PROBABILITIES } from './simulated-users.ts';

/** Users at once: enough to keep a laptop busy, few enough to stay below any queue limit. */
const CONCURRENT_USERS = 24;
/** Users without a second tip wait for nobody: more of them at once. */
const CONCURRENT_TRIALS = 48;
/** When the verdict is read while the experiment runs, as shares of its users: a policy moves most at the start. */
const LOOKS = [0.01, 0.02, 0.04, 0.07, 0.1, 0.2, 0.4, 0.6, 0.8, 1];

interface Stage {
  readonly settings: DemoSettings;
  readonly url: string;
  readonly context: CliContext;
  readonly users: readonly SimulatedUser[];
  readonly signal: AbortSignal;
}

/**
 * Gateway, database, scripted model and simulated users in one process, over real HTTP on loopback: first a rotation of
 * versions by the caller, then an experiment behind the label `@live`. Everything it opens is closed, and its folder
 * removed unless kept, however it ends.
 */
export async function runDemo(settings: DemoSettings, context: CliContext): Promise<DemoRun> {
  const startedMs = context.clock.monotonicMs();
  const folder = mkdtempSync(join(tmpdir(), 'prompt-gateway-demo-'));
  const opened: (() => Promise<void>)[] = [];
  const stop = new AbortController();
  // Every running call listens to the one signal: more than the ten Node takes for a leak.
  setMaxListeners(0, stop.signal);
  context.untilStopped().then(
    () => stop.abort(),
    () => stop.abort(),
  );
  let isDone = false;
  try {
    const gateway = await startDemoGateway(settings, context, { folder, opened });
    const users = createSimulatedUsers(settings.users, seededRandom(settings.seed));
    const stage = { settings, url: gateway.url, context, users, signal: stop.signal };
    const comparison = await compareVersions(stage);
    const experiment = await runExperiment(stage);
    isDone = true;
    return {
      ...comparison,
      tips_per_user: settings.tipsPerUser,
      seed: settings.seed,
      experiment,
      elapsed_ms: Math.round(context.clock.monotonicMs() - startedMs),
      database: settings.isKept ? gateway.databaseFile : null,
      config: settings.isKept ? gateway.configFile : null,
    };
  } finally {
    for (const close of opened.reverse()) await close();
    if (!settings.isKept || !isDone) rmSync(folder, { recursive: true, force: true });
  }
}

/** Users whose client rotates the versions, as a service does that knows of no experiment. */
async function compareVersions({ settings, url, context, users, signal }: Stage) {
  const compared = users.slice(0, MOST_COMPARED_USERS);
  const client = createGatewayClient({
    baseUrl: url,
    tipPromptVersion: Object.keys(TRUE_PROBABILITIES).join(','),
  });
  await simulateTips({
    client,
    users: compared,
    tipsPerUser: settings.tipsPerUser,
    seed: settings.seed,
    concurrency: CONCURRENT_USERS,
    progress: createProgressLine(context.stderr, compared.length * settings.tipsPerUser, 'simulating tips'),
    signal,
  });
  const report = readDemoReport(
    await answerOf(`${url}/analytics/prompts/${DEMO_PROMPT}/versions?metric=${DEMO_METRIC}&baseline=v1`),
  );
  return {
    users: compared.length,
    generations: report.versions.reduce((sum, version) => sum + version.generations, 0),
    outcomes: report.versions.reduce((sum, version) => sum + version.outcomes, 0),
    ...report,
  };
}

/** Points `@live` at the experiment, sends every user through it, and reads the report over and over meanwhile. */
async function runExperiment({ settings, url, context, users, signal }: Stage): Promise<DemoExperiment> {
  await answerOf(`${url}/prompts/${DEMO_PROMPT}/labels/live`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ experiment: DEMO_EXPERIMENT, reason: 'find the best version' }),
  });
  const reportUrl = `${url}/analytics/experiments/${DEMO_EXPERIMENT}`;
  const looks: DemoLook[] = [];
  const lookAt = new Set(LOOKS.map((share) => Math.ceil(users.length * share)));
  await simulateTips({
    client: createGatewayClient({ baseUrl: url }),
    users,
    tipsPerUser: 1,
    promptVersion: '@live',
    // Other draws than those of the comparison.
    seed: settings.seed + 1,
    concurrency: CONCURRENT_TRIALS,
    progress: createProgressLine(context.stderr, users.length, 'simulating the experiment'),
    signal,
    onTip: async (tipsDone) => {
      if (lookAt.has(tipsDone) && tipsDone < users.length) looks.push(readLook(await answerOf(reportUrl)));
    },
  });
  const report = await answerOf(reportUrl);
  looks.push(readLook(report));
  return experimentResult(
    report,
    // Answers may overtake each other; of few users several looks see the same ones.
    [...new Map(looks.toSorted((a, b) => a.users - b.users).map((look) => [look.users, look])).values()],
  );
}

async function answerOf(url: string, options: RequestInit = {}): Promise<unknown> {
  const response = await fetch(url, options);
  const body: unknown = await response.json();
  if (!response.ok) {
    throw new AppError('internal', `${url} answered ${response.status}: ${JSON.stringify(body)}`);
  }
  return body;
}
