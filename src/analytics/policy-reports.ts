import { type Clock, HOUR_MS, hourOf } from '../kernel/index.ts';
import type { ScorePolicy } from '../ranking/index.ts';
import { nextTurn, throwIfLeft } from './evaluation-queue.ts';
import { metricScale } from './metric-scale.ts';
import { evaluateChoices, type OffPolicyChoicesInput } from './off-policy-choices.ts';
import type { OffPolicyReport } from './off-policy-report.ts';
import type { PolicyCell, PolicyChoice, PolicyReader, PolicyTotals } from './policy-reader.ts';
import type { PolicyFigures, PolicyReport, RecentDecisions } from './policy-report.ts';
import { settledReward } from './settled-reward.ts';
import { parseTargetChoice } from './target-policy.ts';
import { createValueSequences } from './value-sequences.ts';

/** Newest rows that the report reads beside the rollups: some tenths of a second. */
const RECENT_DECISIONS = 20_000;
const RECENT_PAGE_ROWS = 500;

/** Enough for a chart, and a bounded answer. */
const MAX_LISTED_REVISIONS = 100;
const MAX_LISTED_STEPS = 100;
const DAY_HOURS = 24;

export interface PolicyReportsOptions extends Pick<OffPolicyChoicesInput, 'reader' | 'queue' | 'policies'> {
  readonly clock: Clock;
}

export interface PolicyReports {
  /**
   * What a ranking policy did and earned. With `target` also what another one would have earned by the same decisions.
   * Fails with `policy_not_found` naming the known ones, `invalid_request` for a target that cannot be meant,
   * `overloaded`, `client_closed`, and with the codes of the reader.
   */
  policyReport(name: string, target: string | null, signal: AbortSignal): Promise<PolicyReport>;
}

export function createPolicyReports(options: PolicyReportsOptions): PolicyReports {
  const { reader, policies, clock } = options;
  return {
    policyReport: async (name, target, signal) => {
      const policy = policies.find(name);
      const choice = target === null ? null : parseTargetChoice(target);
      // Named here, so that an unknown one is refused before anything is read.
      const learner = choice?.kind === 'policy' ? policies.find(choice.policy) : null;
      const nowMs = clock.nowMs();
      const { declaration, metric } = policy;
      const closedBeforeMs = hourOf(nowMs - declaration.attribution_window_hours * HOUR_MS);
      const totals = await reader.policyTotals({ policy: name, metric, closedBeforeMs });
      const figures = figuresOf(totals.hours, policy);
      const openDecisions = declaration.missing === 'zero' ? figures.pending : 0;
      const recent = await recentDecisions({ policy, reader, closedBeforeMs, openDecisions, signal });
      const offPolicy: OffPolicyReport | null =
        choice === null || target === null
          ? null
          : await evaluateChoices({
              ...options,
              policy,
              asked: target,
              choice,
              learner,
              closedBeforeMs,
              openDecisions,
              signal,
            });
      return {
        policy: name,
        kind: policy.kind,
        policyDefinition: policy.revision,
        metric,
        optimize: declaration.optimize,
        missing: declaration.missing,
        attributionWindowHours: declaration.attribution_window_hours,
        scale: metricScale(declaration),
        generatedAt: new Date(nowMs).toISOString(),
        ...figures,
        recent,
        overTime: overTime(totals, policy),
        policyRevisions: totals.revisions
          .slice(-MAX_LISTED_REVISIONS)
          .map(({ policyRevision, policyDefinition, firstHourMs, ...cell }) => ({
            policyRevision,
            policyDefinition,
            firstHour: new Date(firstHourMs).toISOString(),
            ...figuresOf([cell], policy),
          })),
        ...(offPolicy === null ? {} : { offPolicy }),
      };
    },
  };
}

/** By hour while that fits into one chart, else by day. */
function overTime({ hours }: PolicyTotals, policy: ScorePolicy): PolicyReport['overTime'] {
  const first = hours[0]?.hourMs ?? 0;
  const last = hours.at(-1)?.hourMs ?? 0;
  const stepHours = (last - first) / HOUR_MS < MAX_LISTED_STEPS ? 1 : DAY_HOURS;
  const stepMs = stepHours * HOUR_MS;
  const cellsByStep = new Map<number, PolicyCell[]>();
  for (const hour of hours) {
    const step = Math.floor(hour.hourMs / stepMs) * stepMs;
    const cells = cellsByStep.get(step);
    if (cells === undefined) cellsByStep.set(step, [hour]);
    else cells.push(hour);
  }
  return [...cellsByStep].slice(-MAX_LISTED_STEPS).map(([fromMs, cells]) => ({
    from: new Date(fromMs).toISOString(),
    hours: stepHours,
    ...figuresOf(cells, policy),
  }));
}

/** Settled as in every report: see `settleRewards`. */
function figuresOf(cells: readonly PolicyCell[], { declaration }: ScorePolicy): PolicyFigures {
  const total = (read: (cell: PolicyCell) => number): number =>
    cells.reduce((sum, cell) => sum + read(cell), 0);
  const decisions = total((cell) => cell.decisions);
  const closed = total((cell) => cell.closedDecisions);
  const isSilenceZero = declaration.missing === 'zero';
  const mature = isSilenceZero ? closed : total((cell) => cell.outcomes.n);
  const openOutcomes = total((cell) => cell.outcomes.n - cell.closedOutcomes.n);
  const sum = total((cell) => (isSilenceZero ? cell.closedOutcomes : cell.outcomes).sum);
  const share = (part: number): number | null => (decisions === 0 ? null : part / decisions);
  return {
    decisions,
    mature,
    pending: Math.max(0, decisions - closed - (isSilenceZero ? 0 : openOutcomes)),
    sum,
    mean: mature === 0 ? null : sum / mature,
    chosenBestShare: share(total((cell) => cell.chosenBest)),
    meanChosenPropensity: share(total((cell) => cell.chosenPropensitySum)),
    meanCandidates: share(total((cell) => cell.candidates)),
  };
}

interface RecentInput {
  readonly policy: ScorePolicy;
  readonly reader: PolicyReader;
  readonly closedBeforeMs: number;
  /** Newest decisions that cannot have a settled reward yet. */
  readonly openDecisions: number;
  readonly signal: AbortSignal;
}

async function recentDecisions(input: RecentInput): Promise<RecentDecisions> {
  const { policy, reader, closedBeforeMs, openDecisions } = input;
  const { name, declaration } = policy;
  const sequences = createValueSequences(metricScale(declaration));
  const propensities: number[] = [];
  let sum = 0;
  let mature = 0;
  const addReward = (choice: PolicyChoice): void => {
    const reward = settledReward(choice, declaration.missing, closedBeforeMs);
    if (reward === null) return;
    mature += 1;
    sum += reward;
    // What was earned needs no weights.
    sequences.fold({ propensities: [1], chosen: 0, reward, target: [1] });
  };

  const newest = await reader.newestDecisions(name, RECENT_DECISIONS);
  await readChoices(input, newest, (choice) => {
    propensities.push(choice.chosenPropensity);
    if (openDecisions === 0) addReward(choice);
  });
  if (openDecisions > 0) {
    // The newest ones have no settled reward: what was earned is told by the newest ones that have.
    const settled = await reader.newestDecisions(name, RECENT_DECISIONS + openDecisions);
    await readChoices(input, settled, addReward, closedBeforeMs + HOUR_MS);
  }
  const interval = sequences.intervals(newest > 0).onPolicy;
  return {
    decisions: propensities.length,
    truncated: newest > 0,
    mature,
    mean: mature === 0 ? null : sum / mature,
    interval:
      interval === null
        ? null
        : {
            lower: interval.lower,
            upper: interval.upper,
            confidence: interval.confidence,
            method: interval.method,
          },
    chosenPropensity: quantilesOf(propensities),
  };
}

async function readChoices(
  { policy, reader, signal }: RecentInput,
  afterSequence: number,
  visit: (choice: PolicyChoice) => void,
  /** Decisions are recorded nearly in their order: one so late ends the reading. */
  untilMs = Number.POSITIVE_INFINITY,
): Promise<void> {
  let after: number | null = afterSequence;
  while (after !== null) {
    throwIfLeft(signal);
    const page = await reader.policyChoices({
      policy: policy.name,
      metric: policy.metric,
      afterSequence: after,
      limit: RECENT_PAGE_ROWS,
    });
    for (const choice of page.choices) visit(choice);
    const isPast = (page.choices.at(-1)?.createdAtMs ?? 0) >= untilMs;
    after = isPast ? null : page.nextSequence;
    await nextTurn();
  }
}

function quantilesOf(values: readonly number[]): RecentDecisions['chosenPropensity'] {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  return { p01: at(0.01), p10: at(0.1), p50: at(0.5), p90: at(0.9) };
}
