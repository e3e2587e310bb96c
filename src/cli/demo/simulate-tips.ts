import type { GatewayClient } from '../../client/index.ts';
import { AppError, type Random, seededRandom } from '../../kernel/index.ts';
import { forEachBounded } from './bounded-concurrency.ts';
import { DEMO_METRIC, DEMO_PROMPT } from './demo-settings.ts';
import type { ProgressLine } from './progress-line.ts';
import { drawMood, reactTo, type SimulatedUser } from './simulated-users.ts';

export interface TipSimulation {
  readonly client: GatewayClient;
  readonly users: readonly SimulatedUser[];
  readonly tipsPerUser: number;
  /** Absent: the client's rotation chooses. */
  readonly promptVersion?: string;
  readonly seed: number;
  /** Users at once. */
  readonly concurrency: number;
  readonly progress: ProgressLine;
  readonly signal: AbortSignal;
  /** After every tip that was reacted to; awaited by the user who got it. */
  readonly onTip?: (tipsDone: number) => Promise<void>;
}

/** Earlier tips a user shows the prompt, newest first. */
const RECENT_TIPS = 3;
/** A golden-ratio step (2^32 / φ) spreads the seeds of neighbouring users over the whole range. */
const SEED_STEP = 0x9e3779b1;

/** Every user asks for tips, one after the other, and reacts to each. Fails with `client_closed` when stopped. */
export async function simulateTips(simulation: TipSimulation): Promise<void> {
  const { users, seed, concurrency, progress, signal, onTip } = simulation;
  let done = 0;
  progress.update(0, '');
  try {
    await forEachBounded([...users.entries()], concurrency, async ([index, user]) => {
      // Each user has numbers of their own: the result does not depend on who is served first.
      const random = seededRandom(seed + index * SEED_STEP);
      await oneUser(simulation, user, random, async () => {
        done += 1;
        const tipsDone = done;
        progress.update(tipsDone, `user ${user.id}`);
        await onTip?.(tipsDone);
      });
    });
  } catch (error) {
    throw signal.aborted ? stopped() : error;
  } finally {
    progress.finish();
  }
}

async function oneUser(
  { client, tipsPerUser, promptVersion, signal }: TipSimulation,
  user: SimulatedUser,
  random: Random,
  onTip: () => Promise<void>,
): Promise<void> {
  const recentTips: string[] = [];
  for (let tip = 1; tip <= tipsPerUser; tip += 1) {
    if (signal.aborted) throw stopped();
    const answer = await client.generate(
      {
        prompt: DEMO_PROMPT,
        ...(promptVersion === undefined ? {} : { promptVersion }),
        variables: { goal: user.goal, mood: drawMood(random), recent_tips: recentTips.slice(0, RECENT_TIPS) },
        profileFeatures: user.profileFeatures,
        userId: user.id,
        externalId: `${user.id}-${promptVersion === undefined ? 'tip' : 'trial'}-${tip}`,
      },
      { signal },
    );
    recentTips.unshift(answer.text);
    const { completed, reaction } = reactTo(answer.promptVersion, random);
    await client.feedback(
      [
        { generationId: answer.id, metric: DEMO_METRIC, value: completed },
        { generationId: answer.id, metric: 'reaction', value: reaction },
      ],
      { signal },
    );
    await onTip();
  }
}

function stopped(): AppError {
  return new AppError('client_closed', 'stopped before the end');
}
