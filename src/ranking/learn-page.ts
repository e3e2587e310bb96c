import { ridgeModel } from '../statistics/index.ts';
import { encoderOf } from './feature-encoder.ts';
import type {
  LoggedChoice,
  RewardChange,
  ScorePolicy,
  ScoreTrainingMark,
  ScoreTrainingState,
  TrainingPage,
} from './ranking-types.ts';
import { shareOfReward } from './reward-share.ts';

export interface Learnt {
  readonly state: ScoreTrainingState;
  /** To be stored with the state; empty without discounting. */
  readonly marks: readonly ScoreTrainingMark[];
}

/** What a policy knows before it has read anything. */
export function freshState(policy: ScorePolicy): ScoreTrainingState {
  const { lambda, modelRevision } = policy;
  return {
    policy: policy.name,
    modelRevision,
    ridge: ridgeModel({ dimension: encoderOf(policy).dimension, lambda }).state(),
    rewards: 0,
    updates: 0,
    lastInterval: 0,
    changePosition: 0,
    closedPosition: 0,
    snapshotSequence: null,
  };
}

/**
 * The state after one more page of the ledger. A function of both alone: whoever reads the same pages gets the same
 * bits, and whoever reads the same rows in other pages the same numbers within rounding.
 *
 * A changed reward is taken back with the weight it has left and learnt anew; a withdrawn one is taken back. With
 * `missing: zero` a decision is learnt when its window has closed, with the reward it has by then or 0, and only its
 * later changes are changes: what is learnt from early answers alone would favour candidates that are answered fast.
 */
export function learnPage(policy: ScorePolicy, state: ScoreTrainingState, page: TrainingPage): Learnt {
  const { declaration, discount, updateIntervalMs } = policy;
  const encoder = encoderOf(policy);
  const isSilenceZero = declaration.missing === 'zero';
  const model = ridgeModel(state.ridge);
  const marks: ScoreTrainingMark[] = [];
  let { rewards, updates, lastInterval, changePosition, closedPosition } = state;
  let hasNews = false;

  const mark = (): void => {
    if (discount < 1) marks.push({ update: updates, changePosition, closedPosition });
  };
  /** News of a later interval than all before: what was known fades once, however long the silence was. */
  const beginUpdate = (atMs: number): void => {
    hasNews = true;
    const interval = Math.floor(atMs / updateIntervalMs);
    if (discount === 1 || interval <= lastInterval) return;
    if (updates > 0) mark();
    model.discount(discount);
    updates += 1;
    lastInterval = interval;
  };
  const inputOf = ({ input, features }: LoggedChoice): readonly number[] | null =>
    input?.length === encoder.dimension ? input : features === null ? null : encoder.inputsOf(features);

  /** Updates that the reward before this change has seen since it was learnt. */
  const ageOf = (change: RewardChange): number => {
    const { previousSequence, beforeUpdate, closedUpdate } = change;
    const isFromThisPage = previousSequence !== null && previousSequence > state.changePosition;
    const ended = marks.find((passed) => passed.changePosition >= (previousSequence ?? 0));
    const changedAt = isFromThisPage ? (ended?.update ?? updates) : (beforeUpdate ?? 0);
    // A change before the close was not learnt then, but with the close.
    return updates - Math.max(changedAt, isSilenceZero ? (closedUpdate ?? 0) : 0);
  };

  for (const change of page.changes) {
    const isLearnt = !isSilenceZero || change.choice.sequence <= state.closedPosition;
    const before = isSilenceZero ? (change.before ?? 0) : change.before;
    const after = isSilenceZero ? (change.after ?? 0) : change.after;
    const input = isLearnt && before !== after ? inputOf(change.choice) : null;
    if (input !== null) {
      beginUpdate(change.changedAtMs);
      if (before !== null) {
        model.remove(input, shareOfReward(before, declaration), discount ** ageOf(change));
        rewards -= 1;
      }
      if (after !== null) {
        model.add(input, shareOfReward(after, declaration));
        rewards += 1;
      }
    }
    changePosition = change.sequence;
  }
  for (const { choice, closedAtMs, reward } of page.closed) {
    const input = inputOf(choice);
    if (input !== null) {
      beginUpdate(closedAtMs);
      model.add(input, shareOfReward(reward ?? 0, declaration));
      rewards += 1;
    }
    closedPosition = choice.sequence;
  }
  mark();
  return {
    state: {
      ...state,
      ridge: hasNews ? model.state() : state.ridge,
      rewards,
      updates,
      lastInterval,
      changePosition,
      closedPosition,
      snapshotSequence: hasNews ? null : state.snapshotSequence,
    },
    marks,
  };
}
