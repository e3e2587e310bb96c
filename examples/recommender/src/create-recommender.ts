import { type GatewayClient, GatewayError, type Generation } from '../../../src/client/index.ts';
import type { PendingOutcome, TipOutcome, TipStore } from './tip-store.ts';

export interface RecommenderOptions {
  readonly gateway: GatewayClient;
  readonly store: TipStore;
  /** Epoch milliseconds. */
  readonly nowMs: () => number;
  readonly newId: () => string;
}

export interface TipRequest {
  readonly userId: string;
  readonly goal: string | null;
  readonly mood: string | null;
}

interface Tip {
  readonly tipId: string;
  readonly text: string;
  readonly promptVersion: string;
  readonly degraded: boolean;
}

export interface Reaction {
  readonly completed: boolean | null;
  readonly reaction: 'love' | 'like' | 'dismiss' | null;
}

export interface Recommender {
  /** Asks the gateway for a tip and remembers which prompt version wrote it. Fails with `GatewayError`. */
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

export function createRecommender(options: RecommenderOptions): Recommender {
  const { gateway, store, nowMs, newId } = options;
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
      await gateway.feedback(
        {
          generationId: outcome.generationId,
          metric: outcome.metric,
          value: outcome.value,
          outcomeId: outcome.outcomeId,
          occurredAt: new Date(outcome.occurredAtMs),
        },
        { signal: AbortSignal.timeout(REPORT_PATIENCE_MS) },
      );
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

  return {
    async recommend({ userId, goal, mood }, signal) {
      const tipId = newId();
      const generation = await gateway.generate(
        {
          prompt: 'tip',
          userId,
          externalId: tipId,
          variables: {
            ...(goal === null ? {} : { goal }),
            ...(mood === null ? {} : { mood }),
            recent_tips: store.recentTips(userId, RECENT_TIPS),
          },
          profileFeatures: { ...store.profileOf(userId, nowMs()) },
        },
        { signal },
      );
      const tip: Tip = {
        tipId,
        text: tipText(generation),
        promptVersion: generation.promptVersion,
        degraded: generation.degraded,
      };
      store.addTip({ ...tip, userId, generationId: generation.id, shownAtMs: nowMs() });
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
