import { hourOf } from '../../kernel/index.ts';
import type { Connection } from './connection.ts';
import type { GenerationFacts } from './generation-facts.ts';

/**
 * Notes, within the transaction that makes it, every change that concerns an hour a sequence has claimed: the leader
 * then folds that hour anew. Both methods take the facts of a unit's first delivered call.
 */
export interface SequenceChanges {
  /** The unit is new: all metrics of its experiment have one decision more. */
  decisionArrived(facts: GenerationFacts): void;
  rewardChanged(facts: GenerationFacts, metric: string): void;
}

const MARK = `UPDATE sequence_heads
  SET sound_until_ms = min(sound_until_ms, @hourMs), corrections = corrections + 1
  WHERE experiment = @experiment AND experiment_revision = @revision AND claimed_until_ms > @hourMs`;

export function createSequenceChanges(database: Connection): SequenceChanges {
  const addDecision = database.prepare(
    `INSERT INTO experiment_decisions (experiment, experiment_revision, created_at_ms, generation_id)
     VALUES (@experiment, @revision, @createdAtMs, @generationId)`,
  );
  const markAll = database.prepare(MARK);
  const markMetric = database.prepare(`${MARK} AND metric = @metric`);
  const parameters = (facts: GenerationFacts) => ({
    experiment: facts.experiment,
    revision: facts.experiment_revision ?? '',
    hourMs: hourOf(facts.created_at_ms),
  });
  return {
    decisionArrived: (facts) => {
      const { experiment, revision, hourMs } = parameters(facts);
      addDecision.run({
        experiment,
        revision,
        createdAtMs: facts.created_at_ms,
        generationId: facts.id,
      });
      markAll.run({ experiment, revision, hourMs });
    },
    rewardChanged: (facts, metric) => {
      markMetric.run({ ...parameters(facts), metric });
    },
  };
}
