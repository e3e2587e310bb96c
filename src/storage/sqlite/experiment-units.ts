import type { Connection } from './connection.ts';
import type { GenerationFacts } from './generation-facts.ts';

/**
 * Which generations an experiment counts: of each unit the first delivered one, in order of insertion. Forced calls,
 * replays, shadow and test traffic are never it. A rebuild in order of insertion finds the same ones.
 */
export interface ExperimentUnits {
  /**
   * Claims the generation's unit for it, unless an earlier one has it; true: it did. Must precede {@link isFirst} of a new
   * row.
   */
  enter(facts: GenerationFacts): boolean;
  isFirst(facts: GenerationFacts): boolean;
}

export function createExperimentUnits(database: Connection): ExperimentUnits {
  const insert = database.prepare(
    `INSERT INTO experiment_units (experiment, unit_kind, unit_key, generation_id) VALUES (?, ?, ?, ?)
     ON CONFLICT (experiment, unit_kind, unit_key) DO NOTHING`,
  );
  const find = database
    .prepare(
      'SELECT generation_id FROM experiment_units WHERE experiment = ? AND unit_kind = ? AND unit_key = ?',
    )
    .pluck();
  return {
    enter: (facts) =>
      isExposure(facts) &&
      insert.run(facts.experiment, facts.unit_kind, facts.unit_key, facts.id).changes > 0,
    isFirst: (facts) =>
      isExposure(facts) && find.get(facts.experiment, facts.unit_kind, facts.unit_key) === facts.id,
  };
}

/** Most calls are part of no experiment and cost no look-up. */
function isExposure(facts: GenerationFacts): boolean {
  return (
    facts.experiment !== null &&
    facts.unit_kind !== null &&
    facts.unit_key !== null &&
    facts.delivered === 1 &&
    facts.forced === 0 &&
    facts.replay === 0 &&
    facts.test === 0 &&
    facts.shadow_of === null
  );
}
