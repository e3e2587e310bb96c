import { setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createGatewayClient, type GatewayClient } from '../../client/index.ts';
import { startGateway } from '../../compose.ts';
import { loadConfig, loadEnvironment } from '../../config/index.ts';
import { AppError, type Random, seededRandom, silentLogger } from '../../kernel/index.ts';
import type { PromptRegistry } from '../../prompts/index.ts';
import type { CliContext } from '../cli-context.ts';
import { PACKAGE_ROOT } from '../package-root.ts';
import { forEachBounded } from './bounded-concurrency.ts';
import { type DemoRun, readDemoReport } from './demo-report.ts';
import { createProgressLine } from './progress-line.ts';
import { createVersionRecogniser } from './recognise-version.ts';
import { type ScriptedUpstream, startScriptedUpstream } from './scripted-upstream.ts';
import {
  createSimulatedUsers,
  drawMood,
  reactTo,
  type SimulatedUser,
  TRUE_PROBABILITIES,
} from './simulated-users.ts';

export interface DemoSettings {
  readonly users: number;
  readonly tipsPerUser: number;
  readonly seed: number;
  /** Leave the database behind. */
  readonly isKept: boolean;
}

const PROMPT = 'tip';
/** Users at once: enough to keep a laptop busy, few enough to stay below any queue limit. */
const CONCURRENT_USERS = 24;
/** Earlier tips a user shows the prompt, newest first. */
const RECENT_TIPS = 3;
/** A golden-ratio step (2^32 / φ) spreads the seeds of neighbouring users over the whole range. */
const SEED_STEP = 0x9e3779b1;

/**
 * Gateway, database, scripted model and simulated users in one process, over real HTTP on loopback. Everything it
 * opens is closed, and its folder removed unless kept, however it ends.
 */
export async function runDemo(settings: DemoSettings, context: CliContext): Promise<DemoRun> {
  const startedMs = context.clock.monotonicMs();
  const folder = mkdtempSync(join(tmpdir(), 'prompt-gateway-demo-'));
  const database = join(folder, 'gateway.db');
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
    const recogniser = { recognise: (_rendered: string): string | null => null };
    const upstream = await startScriptedUpstream({
      clock: context.clock,
      random: seededRandom(settings.seed),
      recognise: (rendered) => recogniser.recognise(rendered),
    });
    opened.push(() => upstream.close());
    const environment = demoEnvironment(upstream, database);
    const loaded = loadConfig({ path: join(PACKAGE_ROOT, 'gateway.config.json'), environment });
    const gateway = await startGateway({ environment, loaded, logger: silentLogger });
    opened.push(() => gateway.close());
    recogniser.recognise = createVersionRecogniser(sourcesOf(gateway.prompts.current()));

    const client = createGatewayClient({
      baseUrl: gateway.url,
      tipPromptVersion: Object.keys(TRUE_PROBABILITIES).join(','),
    });
    await simulate(settings, client, context, stop.signal);
    const report = await readReport(gateway.url);
    isDone = true;
    return {
      users: settings.users,
      tips_per_user: settings.tipsPerUser,
      seed: settings.seed,
      generations: report.versions.reduce((sum, version) => sum + version.generations, 0),
      outcomes: report.versions.reduce((sum, version) => sum + version.outcomes, 0),
      elapsed_ms: Math.round(context.clock.monotonicMs() - startedMs),
      ...report,
      database: settings.isKept ? database : null,
    };
  } finally {
    for (const close of opened.reverse()) await close();
    if (!settings.isKept || !isDone) rmSync(folder, { recursive: true, force: true });
  }
}

/** Nothing of the real environment: no key leaves the machine, no proxy stands between, the result is repeatable. */
function demoEnvironment(upstream: ScriptedUpstream, database: string) {
  return loadEnvironment({
    HOST: '127.0.0.1',
    PORT: '0',
    DATABASE_URL: `sqlite:${database}`,
    LOG_LEVEL: 'error',
    OPENAI_BASE_URL: upstream.baseUrl,
    OPENAI_API_KEY: 'demo',
    OPENAI_MODEL: upstream.model,
  });
}

function sourcesOf(registry: PromptRegistry) {
  const { versions } = registry.family(PROMPT);
  const known = versions.map(({ version }) => version);
  const missing = Object.keys(TRUE_PROBABILITIES).filter((version) => !known.includes(version));
  if (missing.length > 0) {
    throw new AppError(
      'version_not_found',
      `the demonstration needs ${PROMPT} ${missing.join(', ')}; there is: ${known.join(', ')}`,
    );
  }
  return versions;
}

async function simulate(
  settings: DemoSettings,
  client: GatewayClient,
  context: CliContext,
  signal: AbortSignal,
): Promise<void> {
  const users = createSimulatedUsers(settings.users, seededRandom(settings.seed));
  const total = settings.users * settings.tipsPerUser;
  const progress = createProgressLine(context.stderr, total, 'simulating tips');
  let done = 0;
  progress.update(0, '');
  try {
    await forEachBounded([...users.entries()], CONCURRENT_USERS, async ([index, user]) => {
      // Each user has numbers of their own: the result does not depend on who is served first.
      const random = seededRandom(settings.seed + index * SEED_STEP);
      const onTip = (): void => {
        done += 1;
        progress.update(done, `user ${user.id}`);
      };
      await oneUser(client, user, settings.tipsPerUser, random, { signal, onTip });
    });
  } catch (error) {
    throw signal.aborted ? stopped() : error;
  } finally {
    progress.finish();
  }
}

/** One user's day: asks for tips, one after the other, and reacts to each. */
async function oneUser(
  client: GatewayClient,
  user: SimulatedUser,
  tips: number,
  random: Random,
  options: { readonly signal: AbortSignal; onTip(): void },
): Promise<void> {
  const { signal } = options;
  const recentTips: string[] = [];
  for (let tip = 1; tip <= tips; tip += 1) {
    if (signal.aborted) throw stopped();
    const answer = await client.generate(
      {
        prompt: PROMPT,
        variables: { goal: user.goal, mood: drawMood(random), recent_tips: recentTips.slice(0, RECENT_TIPS) },
        profileFeatures: user.profileFeatures,
        userId: user.id,
        externalId: `${user.id}-tip-${tip}`,
      },
      { signal },
    );
    recentTips.unshift(answer.text);
    const { completed, reaction } = reactTo(answer.promptVersion, random);
    await client.feedback(
      [
        { generationId: answer.id, metric: 'completed', value: completed },
        { generationId: answer.id, metric: 'reaction', value: reaction },
      ],
      { signal },
    );
    options.onTip();
  }
}

function stopped(): AppError {
  return new AppError('client_closed', 'stopped before the end');
}

async function readReport(url: string) {
  const response = await fetch(`${url}/analytics/prompts/${PROMPT}/versions?metric=completed&baseline=v1`);
  const body: unknown = await response.json();
  if (!response.ok)
    throw new AppError('internal', `the report answered ${response.status}: ${JSON.stringify(body)}`);
  return readDemoReport(body);
}
