import { HOUR_MS } from '../kernel/index.ts';
import { type DecisionCells, type EvaluatedExperiment, isPossible } from './decision-cells.ts';
import { nextTurn, throwIfLeft } from './evaluation-queue.ts';
import type { DecisionPlace, OffPolicyReader, UnitDecision, UnitHour } from './off-policy-reader.ts';
import type { OffPolicyInterval } from './off-policy-report.ts';
import { settledReward } from './settled-reward.ts';
import { createValueSequences } from './value-sequences.ts';

/** Decisions that one evaluation reads at most: about a second. */
const MAX_DECISIONS = 200_000;

/** Rows of a page: reading it and folding it take a few milliseconds each. */
const PAGE_ROWS = 250;

/** Before the first reward of an arm its prediction is the middle of the scale, with the weight of one reward. */
const PRIOR_REWARDS = 1;

export interface UnitDecisionsInput {
  readonly reader: OffPolicyReader;
  readonly report: EvaluatedExperiment;
  readonly log: DecisionCells;
  readonly closedBeforeMs: number;
  readonly signal: AbortSignal;
  /** Default: {@link MAX_DECISIONS}. */
  readonly maxDecisions?: number;
}

/**
 * The intervals of the target's value and of what was earned, over the experiment's settled decisions in decision order,
 * the newest ones when there are too many. Reads pages, and gives way to everything else after each. Fails with
 * `client_closed` when the signal aborts.
 */
export async function foldUnitDecisions(
  input: UnitDecisionsInput,
): Promise<{ readonly interval: OffPolicyInterval | null; readonly earned: OffPolicyInterval | null }> {
  const { reader, report, log, closedBeforeMs, signal, maxDecisions = MAX_DECISIONS } = input;
  const { experiment, prompt, metric, missing, scale } = report;
  const hours = await reader.unitHours(experiment);
  // Hours that cannot hold a settled reward would only take the place of others.
  const settled = missing === 'zero' ? hours.filter(({ hourMs }) => hourMs < closedBeforeMs) : hours;
  const { spans, truncated } = newestSpans(settled, maxDecisions);
  const counted = truncated ? 0 : settled.reduce((sum, { units }) => sum + units, 0);
  const sequences = createValueSequences(scale);
  const predicted = createArmMeans(log.arms.length, (scale.min + scale.max) / 2);
  const armIndexes = new Map(log.arms.map((arm, index) => [arm, index]));

  const fold = (decision: UnitDecision): void => {
    const reward = settledReward(decision, missing, closedBeforeMs);
    const chosen = armIndexes.get(decision.arm);
    const propensities = log.propensitiesByRevision.get(decision.policyRevision);
    if (reward === null || chosen === undefined || propensities === undefined) return;
    if (!isPossible(propensities, chosen)) return;
    sequences.fold({ propensities, chosen, reward, target: log.target, qHat: predicted.means() });
    predicted.add(chosen, reward);
  };

  let folded = 0;
  for (const { fromMs, toMs } of spans) {
    let after: DecisionPlace | null = { createdAtMs: fromMs, sequence: 0 };
    // Only a single hour with more than the limit gets there.
    while (after !== null && folded < maxDecisions) {
      throwIfLeft(signal);
      const page = await reader.unitDecisions({
        experiment,
        prompt,
        metric,
        after,
        toMs,
        limit: PAGE_ROWS,
      });
      for (const decision of page.decisions) fold(decision);
      folded += page.decisions.length;
      after = page.next;
      await nextTurn();
    }
  }
  // Fewer than were counted: retention has deleted the oldest of them.
  const isPart = truncated || folded >= maxDecisions || folded < counted;
  const { target, onPolicy } = sequences.intervals(isPart);
  return { interval: target, earned: onPolicy };
}

interface Span {
  readonly fromMs: number;
  /** Exclusive. */
  readonly toMs: number;
}

/** Hours with units, neighbours joined, from the newest back until `maxUnits` would be passed; one hour at least. */
export function newestSpans(
  hours: readonly UnitHour[],
  maxUnits: number,
): { readonly spans: readonly Span[]; readonly truncated: boolean } {
  const spans: Span[] = [];
  let units = 0;
  for (const hour of hours.toReversed()) {
    units += hour.units;
    if (units > maxUnits && spans.length > 0) return { spans, truncated: true };
    const toMs = hour.hourMs + HOUR_MS;
    const next = spans[0];
    if (next?.fromMs === toMs) spans[0] = { fromMs: hour.hourMs, toMs: next.toMs };
    else spans.unshift({ fromMs: hour.hourMs, toMs });
  }
  return { spans, truncated: false };
}

/** Mean reward of each arm so far: a prediction that looks at earlier decisions only. */
function createArmMeans(count: number, middle: number) {
  const rewards = new Array<number>(count).fill(PRIOR_REWARDS);
  const sums = new Array<number>(count).fill(PRIOR_REWARDS * middle);
  const means = new Array<number>(count).fill(middle);
  return {
    means: (): readonly number[] => means,
    add: (arm: number, reward: number): void => {
      rewards[arm] = (rewards[arm] ?? 0) + 1;
      sums[arm] = (sums[arm] ?? 0) + reward;
      means[arm] = (sums[arm] ?? 0) / (rewards[arm] ?? 1);
    },
  };
}
