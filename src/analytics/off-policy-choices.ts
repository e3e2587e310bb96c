import { type Clock, HOUR_MS } from '../kernel/index.ts';
import { candidatesOfJson } from '../ledger/index.ts';
import {
  type LoggedFeatures,
  type PolicyReplay,
  replayPolicy,
  rewardOfShare,
  type ScorePolicies,
  type ScorePolicy,
} from '../ranking/index.ts';
import { foldLoggedDecision, offPolicyEvaluation, offPolicyReport } from '../statistics/index.ts';
import { isPossible } from './decision-cells.ts';
import { type EvaluationQueue, nextTurn, throwIfLeft } from './evaluation-queue.ts';
import { metricScale } from './metric-scale.ts';
import type { OffPolicyReason, OffPolicyReport } from './off-policy-report.ts';
import { choiceSubject, offPolicyText } from './off-policy-text.ts';
import type { PolicyDecision, PolicyReader } from './policy-reader.ts';
import { settledReward } from './settled-reward.ts';
import type { TargetChoice } from './target-policy.ts';
import { createValueSequences } from './value-sequences.ts';

/** Decisions that one evaluation reads at most: some seconds, the newest are kept. */
const MAX_DECISIONS = 200_000;

/** Encoding every candidate of a decision again takes several times as long. */
const MAX_REPLAYED_DECISIONS = 50_000;

/** Rows of a page; the reader ends it sooner when they are large. */
const PAGE_ROWS = 200;

/** How long the evaluation may hold the process at a time, milliseconds. */
const SLICE_MS = 4;

export interface OffPolicyChoicesInput {
  readonly reader: PolicyReader;
  readonly queue: EvaluationQueue;
  readonly policies: Pick<ScorePolicies, 'find'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly policy: ScorePolicy;
  /** As asked. */
  readonly asked: string;
  readonly choice: TargetChoice;
  /** The definition that `policy:<name>` names. */
  readonly learner: ScorePolicy | null;
  readonly closedBeforeMs: number;
  /** Newest decisions that cannot have a settled reward yet. */
  readonly openDecisions: number;
  readonly signal: AbortSignal;
}

/**
 * What the decisions of a ranking policy would have earned, had another rule chosen among the same candidates. Row by row
 * in the order they were recorded, because both propensities differ from one to the next.
 */
export function evaluateChoices(input: Omit<OffPolicyChoicesInput, 'policies'>): Promise<OffPolicyReport> {
  return input.queue.run(() => evaluate(input), input.signal);
}

async function evaluate(input: Omit<OffPolicyChoicesInput, 'policies'>): Promise<OffPolicyReport> {
  const { reader, policy, choice, closedBeforeMs, signal, clock } = input;
  const { declaration, metric, name } = policy;
  const scale = metricScale(declaration);
  const replay = input.learner === null ? null : replayPolicy(input.learner);
  const sequences = createValueSequences(scale);
  let evaluation = offPolicyEvaluation();
  let withoutPropensities = 0;
  let earned = 0;
  let isOnScale = true;

  const fold = (decision: PolicyDecision): void => {
    const reward = settledReward(decision, declaration.missing, closedBeforeMs);
    if (reward === null) return;
    const { propensities, chosen, estimates } = decision;
    if (!isPossible(propensities, chosen) || !isDistribution(propensities)) {
      withoutPropensities += 1;
      return;
    }
    const target = targetOf(choice, decision, replay);
    const qHat = estimates.map((estimate) => rewardOfShare(estimate, declaration));
    const row = { propensities, chosen, reward, target: target.shares, qHat };
    evaluation = foldLoggedDecision(evaluation, row);
    sequences.fold(row);
    earned += reward;
    isOnScale &&= reward >= scale.min && reward <= scale.max;
    target.learn(reward);
  };

  let after: number | null = await reader.newestDecisions(
    name,
    (replay === null ? MAX_DECISIONS : MAX_REPLAYED_DECISIONS) + input.openDecisions,
  );
  const truncated = after > 0;
  while (after !== null) {
    throwIfLeft(signal);
    const page = await reader.policyDecisions({
      policy: name,
      metric,
      afterSequence: after,
      limit: PAGE_ROWS,
      withFeatures: replay !== null,
    });
    let sliceEndsAtMs = clock.monotonicMs() + SLICE_MS;
    for (const decision of page.decisions) {
      fold(decision);
      if (clock.monotonicMs() < sliceEndsAtMs) continue;
      await nextTurn();
      throwIfLeft(signal);
      sliceEndsAtMs = clock.monotonicMs() + SLICE_MS;
    }
    after = isOpen(page.decisions.at(-1), input) ? null : page.nextSequence;
    await nextTurn();
  }

  const { n, gate, interval: _own, ...found } = offPolicyReport(evaluation);
  const { ips, snips, dm, dr, sndr, switchDr, drOs, ...support } = found;
  const intervals = sequences.intervals(truncated);
  const reasons: OffPolicyReason[] = [...(isOnScale ? [] : [OUT_OF_RANGE]), ...gate.reasons];
  const answer = {
    gate: { concludes: reasons.length === 0, reasons },
    interval: intervals.target,
    onPolicy: { mean: n === 0 ? null : earned / n, interval: intervals.onPolicy },
  };
  return {
    policy: input.asked,
    text: offPolicyText(choiceSubject(choice), answer),
    ...answer,
    decisions: n,
    decisionsWithoutPropensities: withoutPropensities,
    estimators: { ips, snips, dm, dr, sndr, switchDr, drOs },
    ...support,
  };
}

/** Decisions are recorded as they are made, all but a little: after an hour of open ones nothing closed follows. */
function isOpen(
  last: Pick<PolicyDecision, 'createdAtMs'> | undefined,
  { policy, closedBeforeMs }: Pick<OffPolicyChoicesInput, 'policy' | 'closedBeforeMs'>,
): boolean {
  if (policy.declaration.missing !== 'zero' || last === undefined) return false;
  return last.createdAtMs >= closedBeforeMs + HOUR_MS;
}

interface Target {
  readonly shares: readonly number[];
  /** To be called once the shares have been used: the reward belongs to the decisions after this one. */
  learn(reward: number): void;
}

const LEARNS_NOTHING = (): void => {};

function targetOf(choice: TargetChoice, decision: PolicyDecision, replay: PolicyReplay | null): Target {
  const { estimates, chosen, createdAtMs } = decision;
  switch (choice.kind) {
    case 'uniform':
      return { shares: estimates.map(() => 1 / estimates.length), learn: LEARNS_NOTHING };
    case 'greedy':
      return {
        shares: only(estimates.indexOf(Math.max(...estimates)), estimates.length),
        learn: LEARNS_NOTHING,
      };
    case 'first':
      return { shares: only(0, estimates.length), learn: LEARNS_NOTHING };
    case 'policy':
      return {
        shares: replay?.propensities(loggedFeatures(decision), createdAtMs) ?? [],
        learn: (reward) => replay?.learn(chosen, reward),
      };
    default:
      return choice satisfies never;
  }
}

function only(index: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => (at === index ? 1 : 0));
}

/** Row mapper: what the writer put there, see `ScoreRecord`. */
function loggedFeatures({ features }: PolicyDecision): LoggedFeatures {
  return {
    candidates: candidatesOfJson(features?.candidatesJson ?? '[]').map((candidate) => candidate.features),
    profile: JSON.parse(features?.profileJson ?? 'null') as LoggedFeatures['profile'],
    context: JSON.parse(features?.contextJson ?? 'null') as LoggedFeatures['context'],
  };
}

/** What a row of another release may lack. */
function isDistribution(propensities: readonly number[]): boolean {
  let sum = 0;
  for (const propensity of propensities) {
    if (!(propensity >= 0)) return false;
    sum += propensity;
  }
  return Math.abs(sum - 1) <= 1e-6;
}

const OUT_OF_RANGE: OffPolicyReason = {
  fault: 'reward_out_of_range',
  message: 'Some rewards lie outside the range that the metric declares now.',
};
