import { describe, expect, test } from '@jest/globals';

import {
  ARM_CALLS_SQL,
  ARM_OUTCOMES_SQL,
  armStepOutcomesSql,
  armStepUnitsSql,
  REVISION_UNITS_SQL,
} from '../../../src/storage/sqlite/experiment-totals.ts';
import { cellParameters, windowCells } from '../../../src/storage/sqlite/window-cells.ts';
import { writerCoreInMemory } from '../../helpers/writer-core-in-memory.ts';

describe('the totals of an experiment', () => {
  test('come from its own series by indexes, never from raw rows', () => {
    const { database } = writerCoreInMemory();
    const cells = cellParameters(windowCells({ fromMs: null, toMs: null, closedBeforeMs: 0 }));
    const parameters = { experiment: '', metric: '', revision: '', stepMs: 1, ...cells };
    const all = [
      ARM_CALLS_SQL,
      ARM_OUTCOMES_SQL,
      armStepUnitsSql('hour'),
      armStepUnitsSql('day'),
      armStepOutcomesSql('hour'),
      armStepOutcomesSql('day'),
      REVISION_UNITS_SQL,
    ];
    for (const sql of all) {
      const plan = database
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all(parameters)
        .map((row) => String((row as { detail: unknown }).detail))
        .join('\n');

      expect(plan).toMatch(/SEARCH s USING INDEX rollup_series_by_experiment/);
      expect(plan).toMatch(/SEARCH r USING PRIMARY KEY/);
      expect(plan).not.toMatch(/SCAN (s|r|p)\b|generations|\boutcomes\b|assignments/);
    }
  });
});
