import {
  type FeedbackEntry,
  type GatewayClient,
  GatewayError,
  type Generation,
} from '../../../src/client/index.ts';
import { TIP_IDEAS, type TipIdea } from './tip-ideas.ts';
import type { PendingOutcome, ProfileFeatures, TipOutcome, TipStore } from './tip-store.ts';

export interface RecommenderOptions {
  readonly gateway: GatewayClient;
  readonly store: TipStore;
  /** Epoch milliseconds. */
  readonly nowMs: () => number;
  readonly newId: () => string;
  /** Uniform in [0, 1): chooses when the gateway cannot. */
  readonly random: () => number;
}

export interface TipRequest {
  readonly userId: string;
  readonly goal: string | null;
  readonly mood: string | null;
}

interface Tip {
  readonly tipId: string;
  readonly text: string;
  /** What it is about. */
  readonly idea: string;
  /** False: the gateway could not rank, so the idea was drawn at random. */
  readonly ranked: boolean;
  readonly promptVersion: string;
  readonly degraded: boolean;
}

export interface Reaction {
  readonly completed: boolean | null;
  readonly reaction: 'love' | 'like' | 'dismiss' | null;
}

export interface Recommender {
  /**
   * Lets the gateway choose an idea and write the tip about it, and remembers which ranking and which prompt version did
   * so. Fails with `GatewayError`; a ranking that fails alone does not fail the tip.
   */
  recommend(request: TipRequest, signal: AbortSignal): Promise<Tip>;
  /**
   * Stores what the user did, then tries to report it. `unknown`: no such tip. `pending`: the gateway cannot be reached,
   * the outcome waits for {@link Recommender.reportOutcomes}.
   */
  react(tipId: string, reaction: Reaction): Promise<'reported' | 'pending' | 'unknown'>;
  /** Reports what is pending, oldest first; false when the gateway cannot take it and some is left. */
  reportOutcomes(): Promise<boolean>;
}

const RECENT_TIPS = 5;
/** Outcomes read at once: a long outage is worked off in slices. */
const REPORT_SLICE = 200;
/** A user who reacts waits for the report at most this long; then it is pending. */
const REPORT_PATIENCE_MS = 3_000;
/** A ranking takes milliseconds; a user does not wait for a slow one. */
const RANKING_PATIENCE_MS = 1_000;
/** The policy of the gateway's configuration. */
const POLICY = 'tips';
/** An idea is as good as new again after this time. */
const FORGOTTEN_AFTER_MS = 7 * 24 * 3_600_000;

export function createRecommender(options: RecommenderOptions): Recommender {
  const { gateway, store, nowMs, newId, random } = options;
  let running: Promise<unknown> = Promise.resolve();
  let waiting: Promise<boolean> | null = null;

  const reportAll = async (): Promise<boolean> => {
    for (;;) {
      const pending = store.pendingOutcomes(REPORT_SLICE);
      if (pending.length === 0) return true;
      for (const outcome of pending) {
        if (!(await report(outcome))) return false;
      }
    }
  };

  /** False when the gateway cannot take it now. */
  const report = async (outcome: PendingOutcome): Promise<boolean> => {
    try {
      await gateway.feedback(feedbackOf(outcome), { signal: AbortSignal.timeout(REPORT_PATIENCE_MS) });
      store.settleOutcome(outcome.outcomeId, null);
      return true;
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      if (!isFinal(error)) return false;
      // Refused for good (an undeclared metric): it must not block the outcomes behind it.
      store.settleOutcome(outcome.outcomeId, error.code);
      return true;
    }
  };

  /** One pass at a time, and one more for everybody who asked meanwhile: an outage must not queue a pass per user. */
  const reportOutcomes = (): Promise<boolean> => {
    if (waiting !== null) return waiting;
    const pass = running.then(() => {
      waiting = null;
      return reportAll();
    });
    waiting = pass;
    running = pass.catch(() => {});
    return pass;
  };

  const choose = async (
    userId: string,
    tipId: string,
    profileFeatures: ProfileFeatures,
    signal: AbortSignal,
  ): Promise<Choice> => {
    const shownAtMs = store.lastShown(userId);
    try {
      const { id, chosen } = await gateway.score(
        {
          policy: POLICY,
          candidates: TIP_IDEAS.map((idea) => ({
            id: idea.id,
            features: {
              category: idea.category,
              effort: idea.effort,
              novelty: noveltyOf(shownAtMs.get(idea.id), nowMs()),
            },
          })),
          profileFeatures: { ...profileFeatures },
          userId,
          externalId: tipId,
        },
        { signal: AbortSignal.any([signal, AbortSignal.timeout(RANKING_PATIENCE_MS)]) },
      );
      // What was chosen is what is shown: anything else would teach the policy about a tip that nobody saw.
      const idea = TIP_IDEAS.find((one) => one.id === chosen);
      if (idea !== undefined) return { idea, scoreId: id };
    } catch (error) {
      if (signal.aborted || !(error instanceof GatewayError)) throw error;
    }
    return { idea: drawn(random()), scoreId: null };
  };

  return {
    async recommend({ userId, goal, mood }, signal) {
      const tipId = newId();
      const profileFeatures = store.profileOf(userId, nowMs());
      const { idea, scoreId } = await choose(userId, tipId, profileFeatures, signal);
      const generation = await gateway.generate(
        {
          prompt: 'tip',
          userId,
          externalId: tipId,
          variables: {
            goal: goal === null ? idea.about : `${goal}, by ${idea.about}`,
            ...(mood === null ? {} : { mood }),
            recent_tips: store.recentTips(userId, RECENT_TIPS),
          },
          profileFeatures: { ...profileFeatures },
        },
        { signal },
      );
      const tip: Tip = {
        tipId,
        text: tipText(generation),
        idea: idea.id,
        ranked: scoreId !== null,
        promptVersion: generation.promptVersion,
        degraded: generation.degraded,
      };
      store.addTip({ ...tip, userId, scoreId, generationId: generation.id, shownAtMs: nowMs() });
      return tip;
    },

    async react(tipId, { completed, reaction }) {
      const occurredAtMs = nowMs();
      const given: readonly Pick<TipOutcome, 'metric' | 'value'>[] = [
        ...(completed === null ? [] : [{ metric: 'completed' as const, value: completed }]),
        ...(reaction === null ? [] : [{ metric: 'reaction' as const, value: reaction }]),
      ];
      const outcomes = given.map((one) => ({ ...one, outcomeId: newId(), tipId, occurredAtMs }));
      if (!store.addOutcomes(tipId, outcomes)) return 'unknown';
      return (await reportOutcomes()) ? 'reported' : 'pending';
    },

    reportOutcomes,
  };
}

interface Choice {
  readonly idea: TipIdea;
  readonly scoreId: string | null;
}

/** 0 just after it was shown, 1 when it never was or is forgotten. */
function noveltyOf(shownAtMs: number | undefined, nowMs: number): number {
  if (shownAtMs === undefined) return 1;
  return Math.min(1, Math.max(0, nowMs - shownAtMs) / FORGOTTEN_AFTER_MS);
}

function drawn(random: number): TipIdea {
  const idea = TIP_IDEAS[Math.floor(random * TIP_IDEAS.length)];
  if (idea === undefined) throw new RangeError(`no idea for ${random}`);
  return idea;
}

/** One outcome for the text and one for the choice: the former tells versions apart, the latter trains the policy. */
function feedbackOf(outcome: PendingOutcome): FeedbackEntry | readonly FeedbackEntry[] {
  const { metric, value, outcomeId, generationId, scoreId } = outcome;
  const occurredAt = new Date(outcome.occurredAtMs);
  const ofText = { generationId, metric, value, outcomeId, occurredAt };
  if (scoreId === null) return ofText;
  return [ofText, { scoreId, metric, value, outcomeId: `${outcomeId}-choice`, occurredAt }];
}

/** Some versions answer with JSON that holds the tip beside its reason. */
function tipText({ output, text }: Generation): string {
  if (output !== null && typeof output === 'object' && 'tip' in output && typeof output.tip === 'string') {
    return output.tip;
  }
  return text;
}

/** The gateway has understood the outcome and will never take it. */
function isFinal({ status }: GatewayError): boolean {
  return status === 400 || status === 409 || status === 413 || status === 422;
}
