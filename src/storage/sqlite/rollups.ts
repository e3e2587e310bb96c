import { createCallCells } from './call-cells.ts';
import type { Connection } from './connection.ts';
import { createExperimentUnits } from './experiment-units.ts';
import { type GenerationFacts, seriesOf } from './generation-facts.ts';
import { createRewardCells } from './reward-cells.ts';
import { createRollupSeries } from './rollup-series.ts';
import { createSequenceChanges } from './sequence-changes.ts';

/**
 * Changes of the rollups, gathered over one transaction and written once per cell by `flush`: many rows of the same
 * version and hour cost one update of the hour, its day and its month.
 */
export interface Rollups {
  addGeneration(facts: GenerationFacts): void;
  /** A generation's reward for a metric changed; null: had none, has none. */
  changeReward(facts: GenerationFacts, metric: string, before: number | null, after: number | null): void;
  flush(): void;
  /** Drops what is gathered: must follow every rollback. */
  forget(): void;
}

export function createRollups(database: Connection): Rollups {
  const series = createRollupSeries(database);
  const units = createExperimentUnits(database);
  const sequences = createSequenceChanges(database);
  const calls = createCallCells(database);
  const rewards = createRewardCells(database);

  return {
    addGeneration: (facts) => {
      if (units.enter(facts)) sequences.decisionArrived(facts);
      calls.add(series.idOf(seriesOf(facts, units.isFirst(facts))), facts);
    },
    changeReward: (facts, metric, before, after) => {
      const isFirst = units.isFirst(facts);
      if (isFirst && before !== after) sequences.rewardChanged(facts, metric);
      const seriesId = series.idOf(seriesOf(facts, isFirst));
      rewards.change({ seriesId, createdAtMs: facts.created_at_ms, metric }, before, after);
    },
    flush: () => {
      calls.flush();
      rewards.flush();
    },
    forget: () => {
      calls.forget();
      rewards.forget();
      series.forget();
    },
  };
}
