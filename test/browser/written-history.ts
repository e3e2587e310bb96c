import { readFile, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';

import { forEachBounded } from '../../src/cli/demo/bounded-concurrency.ts';
import { createSimulatedUsers, drawMood, reactTo } from '../../src/cli/demo/simulated-users.ts';
import { createGatewayClient, type GatewayClient } from '../../src/client/index.ts';
import { startGateway } from '../../src/compose/index.ts';
import { loadConfig, loadEnvironment } from '../../src/config/index.ts';
import { seededRandom, silentLogger } from '../../src/kernel/index.ts';
import { leapingClock } from '../fakes/leaping-clock.ts';
import {
  type ScriptedUpstream,
  sendCompletion,
  sendError,
  startScriptedUpstream,
  type UpstreamCall,
} from '../helpers/scripted-upstream.ts';

const HOUR_MS = 3_600_000;
const DAY_HOURS = 24;
const STEP_HOURS = 4;
const SEED = 7;
const CONCURRENT_CALLS = 16;
/** Of users, the share that never reports anything. */
const SILENT_SHARE = 0.1;
/** Calls of one in this many fail upstream. */
const FAILING_EVERY = 40;
/** Lets what the leader does at each leap of the clock reach the disk. */
const SETTLE_MS = 5;
export const EXPERIMENT = 'tone';
/** Its model of the price table gives every call a cost. */
const MODEL = 'gpt-4o-mini';
const FAILING_MODEL = 'gpt-4o';

export interface HistorySize {
  readonly days: number;
  readonly callsPerDay: number;
}

/** Model of the history, and of what pages try out later. Answers each version in its own words. */
export function startTipModel(): Promise<ScriptedUpstream> {
  return startScriptedUpstream((call, response) => {
    if (call.body['model'] === FAILING_MODEL) sendError(response, 400, 'this model has been switched off');
    else sendTip(call, response);
  });
}

/** What makes a gateway call the model, and serve what `@live` points to. */
export function modelEnvironment(upstream: ScriptedUpstream): Readonly<Record<string, string>> {
  return {
    OPENAI_BASE_URL: upstream.url,
    OPENAI_API_KEY: 'scripted',
    OPENAI_MODEL: MODEL,
    DEFAULT_PROMPT_VERSION: 'tip=@live',
  };
}

/**
 * Writes `days` of traffic into the database of `folder`, ending now, through a gateway whose clock leaps: `@live` moves
 * from v1 to v2 and on to v3, while `@trial` leads to an experiment over all three.
 */
export async function writeHistory(
  folder: string,
  upstream: ScriptedUpstream,
  { days, callsPerDay }: HistorySize,
): Promise<void> {
  const path = join(folder, 'gateway.config.json');
  await writeConfig(path, { tip: { live: 'v1', ...TRIAL_LABELS.tip } });
  const environment = loadEnvironment({ ...modelEnvironment(upstream), PORT: '0', LOG_LEVEL: 'error' });
  const endMs = Date.now();
  const startMs = endMs - days * DAY_HOURS * HOUR_MS;
  const clock = leapingClock(startMs);
  const gateway = await startGateway({
    environment,
    loaded: loadConfig({ path, environment }),
    logger: silentLogger,
    clock,
    random: seededRandom(SEED),
  });
  try {
    const client = createGatewayClient({ baseUrl: gateway.url });
    const random = seededRandom(SEED);
    const steps = (days * DAY_HOURS) / STEP_HOURS;
    const callsPerStep = Math.round((callsPerDay * STEP_HOURS) / DAY_HOURS);
    const users = createSimulatedUsers(steps * callsPerStep, random);
    const moves = new Map([
      [Math.round(steps / 3), { version: 'v2', reason: 'warmer tone, asked for by support' }],
      [Math.round((steps * 2) / 3), { version: 'v3', reason: 'v3 leads the comparison' }],
    ]);
    for (let step = 0; step < steps; step += 1) {
      clock.leapTo(startMs + step * STEP_HOURS * HOUR_MS);
      await new Promise((done) => setTimeout(done, SETTLE_MS));
      const move = moves.get(step);
      if (move !== undefined) await moveLabel(gateway.url, move);
      const fromUser = step * callsPerStep;
      const callers = [...users.entries()].slice(fromUser, fromUser + callsPerStep);
      await forEachBounded(callers, CONCURRENT_CALLS, ([index, user]) =>
        oneCall(client, index, user, seededRandom(SEED + index)),
      );
    }
  } finally {
    await gateway.close();
  }
  // A first value that no longer counts would be warned of at the start.
  await writeConfig(path, TRIAL_LABELS);
}

async function oneCall(
  client: GatewayClient,
  index: number,
  user: ReturnType<typeof createSimulatedUsers>[number],
  random: ReturnType<typeof seededRandom>,
): Promise<void> {
  const isFailing = index % FAILING_EVERY === FAILING_EVERY - 1;
  const call = client.generate({
    prompt: 'tip',
    promptVersion: random.next() < 0.5 ? '@live' : '@trial',
    variables: { goal: user.goal, mood: drawMood(random) },
    profileFeatures: user.profileFeatures,
    userId: user.id,
    externalId: `tip-${index + 1}`,
    tags: [index % 3 === 0 ? 'web' : 'phone'],
    ...(isFailing ? { model: FAILING_MODEL } : {}),
  });
  if (isFailing) {
    await call.catch(() => {});
    return;
  }
  const answer = await call;
  const { completed, reaction } = reactTo(answer.promptVersion, random);
  if (random.next() < SILENT_SHARE) return;
  await client.feedback([
    { generationId: answer.id, metric: 'completed', value: completed },
    { generationId: answer.id, metric: 'reaction', value: reaction },
  ]);
}

async function moveLabel(url: string, move: { version: string; reason: string }): Promise<void> {
  const response = await fetch(`${url}/prompts/tip/labels/live`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(move),
  });
  if (!response.ok) throw new Error(await response.text());
}

const TRIAL_LABELS = { tip: { trial: { experiment: EXPERIMENT } } };

/** The shipped configuration with an experiment. */
async function writeConfig(path: string, labels: object): Promise<void> {
  const shipped = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  const config = {
    ...shipped,
    labels,
    experiments: {
      [EXPERIMENT]: {
        prompt: 'tip',
        arms: { plain: { version: 'v1' }, warm: { version: 'v2' }, fitted: { version: 'v3' } },
        policy: { kind: 'thompson', floor: 0.1, update_interval_seconds: STEP_HOURS * 3_600 },
        metric: 'completed',
      },
    },
  };
  await writeFile(path, JSON.stringify(config, null, 2));
}

const TIPS: Readonly<Record<'plain' | 'warm', readonly string[]>> = {
  plain: [
    'Pick the one task that matters most today and give it the next 25 minutes.',
    'Write down the next step of what you keep putting off.',
  ],
  warm: [
    'That sounds like a heavy day, so halve it: five minutes of the task still count.',
    'Good mood, good moment: stretch yourself and finish the smallest open task first.',
  ],
};
const FITTED = [
  {
    tip: 'Set a timer for ten minutes and open the task you have postponed longest.',
    why: 'A short, bounded start costs little and usually goes on by itself.',
    minutes: 10,
  },
  {
    tip: 'At your best hour today, do the shortest open task first.',
    why: 'One finished task pulls the next one along.',
    minutes: 15,
  },
];

function sendTip({ body }: UpstreamCall, response: ServerResponse): void {
  const text = JSON.stringify(body['messages']);
  // A tip depends on what it was asked with, not on who was served first.
  const choice = text.length % 2;
  const tip =
    body['response_format'] === undefined
      ? TIPS[text.includes('coach') ? 'warm' : 'plain'][choice]
      : JSON.stringify(FITTED[choice]);
  const inputTokens = Math.ceil(text.length / 4);
  const outputTokens = Math.ceil((tip ?? '').length / 4);
  sendCompletion(response, tip ?? '', {
    model: MODEL,
    usage: {
      prompt_tokens: inputTokens,
      completion_tokens: outputTokens,
      total_tokens: inputTokens + outputTokens,
    },
  });
}
