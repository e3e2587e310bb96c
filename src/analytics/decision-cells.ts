import type { ExperimentReport } from './experiment-report.ts';
import type { RewardCell } from './off-policy-reader.ts';
import type { RewardSums } from './report-reader.ts';

/** An arm chosen with less was not chosen with that: its weight would be a number, and no evidence. */
const LEAST_PROPENSITY = 1e-12;

/** What an evaluation needs to know of an experiment; its report is one. */
export type EvaluatedExperiment = Pick<
  ExperimentReport,
  'experiment' | 'prompt' | 'metric' | 'missing' | 'scale' | 'attributionWindowHours' | 'generatedAt'
> & {
  readonly arms: readonly Pick<ExperimentReport['arms'][number], 'arm' | 'promptVersion'>[];
  readonly sampleRatio: Pick<ExperimentReport['sampleRatio'], 'alarm'>;
};

/** The decisions as cells over one list of arms, and what the target would do. */
export interface DecisionCells {
  readonly arms: readonly string[];
  readonly target: readonly number[];
  /** Of each policy revision that is known, by arm. */
  readonly propensitiesByRevision: ReadonlyMap<string, readonly number[]>;
  readonly cells: readonly {
    readonly revision: string;
    readonly chosen: number;
    readonly rewards: RewardSums;
  }[];
  readonly withoutPropensities: number;
}

/** `shares`: arm → probability under the target. */
export function decisionCells(
  cells: readonly RewardCell[],
  report: EvaluatedExperiment,
  shares: ReadonlyMap<string, number>,
): DecisionCells {
  const names = cells.flatMap((cell) => [cell.arm, ...Object.keys(cell.propensities ?? {})]);
  const arms = [...new Set([...report.arms.map(({ arm }) => arm), ...shares.keys(), ...names])];
  const propensitiesByRevision = new Map<string, readonly number[]>();
  for (const { policyRevision, propensities } of cells) {
    if (propensities === null || propensitiesByRevision.has(policyRevision)) continue;
    const byArm = new Map(Object.entries(propensities));
    propensitiesByRevision.set(
      policyRevision,
      arms.map((arm) => byArm.get(arm) ?? 0),
    );
  }
  const settled = cells.map((cell) => ({
    revision: cell.policyRevision,
    chosen: arms.indexOf(cell.arm),
    rewards: settledSums(cell, report.missing),
  }));
  const isKnown = ({ revision, chosen }: { revision: string; chosen: number }): boolean =>
    isPossible(propensitiesByRevision.get(revision), chosen);
  return {
    arms,
    target: arms.map((arm) => shares.get(arm) ?? 0),
    propensitiesByRevision,
    cells: settled.filter(isKnown),
    withoutPropensities: settled.reduce((sum, cell) => (isKnown(cell) ? sum : sum + cell.rewards.n), 0),
  };
}

/** By the rule of the report: see `settleRewards`. */
function settledSums(
  { outcomes, closedOutcomes, closedUnits }: RewardCell,
  missing: 'exclude' | 'zero',
): RewardSums {
  return missing === 'zero' ? { ...closedOutcomes, n: closedUnits } : outcomes;
}

/** Whether the choice can have been made with these propensities. */
export function isPossible(propensities: readonly number[] | undefined, chosen: number): boolean {
  return (propensities?.[chosen] ?? 0) >= LEAST_PROPENSITY;
}
