import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { GenerationRecord } from '../../../src/ledger/index.ts';
import type { WriterCommand } from '../../../src/storage/sqlite/writer-commands.ts';
import { generationRecord, outcomeRecord } from '../../helpers/ledger-records.ts';
import {
  appendGeneration,
  appendOutcomes,
  derivedState,
  voidOutcome,
  writerCoreInMemory,
} from '../../helpers/writer-core-in-memory.ts';

const IDS = ['gen_0', 'gen_1', 'gen_2', 'gen_3', 'gen_4', 'gen_5'] as const;

const generation = fc
  .record({
    experiment: fc.constantFrom(null, 'tone', 'length'),
    unitKey: fc.constantFrom('ann', 'bob'),
    unitKind: fc.constantFrom('user_id', 'session_id'),
    arm: fc.constantFrom('control', 'warm'),
    delivered: fc.boolean(),
    forced: fc.boolean(),
    test: fc.boolean(),
    replay: fc.boolean(),
    externalId: fc.constantFrom(null, 'tip-0'),
  })
  .map(
    (fields): Omit<GenerationRecord, 'id'> => ({
      ...generationRecord({ id: '' }),
      ...fields,
      experimentRevision: 'sha256:one',
      propensity: 0.5,
      propensities: { control: 0.5, warm: 0.5 },
      assignedPolicyRevision: 'tone-1',
      arm: fields.experiment === null ? null : fields.arm,
    }),
  );

const generations = fc
  .array(generation, { minLength: 1, maxLength: IDS.length })
  .map((records) => records.map((record, index) => ({ ...record, id: IDS[index] ?? '' })));

const outcomes = fc
  .array(
    fc.record({
      target: fc.oneof(
        fc.constantFrom(...IDS).map((generationId) => ({ generationId })),
        fc.constant({ externalId: 'tip-0' }),
      ),
      reward: fc.integer({ min: -1_000, max: 1_000 }).map((thousandths) => thousandths / 997),
    }),
    { maxLength: 8 },
  )
  .map((reports) =>
    reports.map(({ target, reward }, index) =>
      appendOutcomes('key-a', outcomeRecord({ outcomeId: `out_${index}`, reward, value: reward }, target)),
    ),
  );

/** What happened, in any order: outcomes before their generations, voids before their outcomes. */
const history = fc.record({ records: generations, reports: outcomes }).chain(({ records, reports }) => {
  const commands: readonly WriterCommand[] = [
    ...records.map(appendGeneration),
    ...reports,
    voidOutcome('key-a', 'out_0'),
  ];
  return fc.record({
    records: fc.constant(records),
    commands: fc.shuffledSubarray([...commands], { minLength: commands.length }),
    batchLength: fc.integer({ min: 1, max: 8 }),
  });
});

function ledgerAfter(commands: readonly WriterCommand[], batchLength: number) {
  const core = writerCoreInMemory();
  for (let begin = 0; begin < commands.length; begin += batchLength) {
    const replies = core.apply(...commands.slice(begin, begin + batchLength));
    expect(replies.filter((reply) => !reply.ok)).toEqual([]);
  }
  return core;
}

describe('the units of an experiment', () => {
  test('are the same after a rebuild, with their rewards, to the last bit', () => {
    fc.assert(
      fc.property(history, ({ commands, batchLength }) => {
        const core = ledgerAfter(commands, batchLength);
        const incremental = derivedState(core.database);

        core.apply({ kind: 'rebuild_rollups' });

        expect(JSON.stringify(derivedState(core.database))).toBe(JSON.stringify(incremental));
      }),
      { numRuns: 150 },
    );
  });

  test('are counted once each, by their first delivered call that may count', () => {
    fc.assert(
      fc.property(history, ({ records, commands, batchLength }) => {
        const { database } = ledgerAfter(commands, batchLength);

        const counted = database
          .prepare(
            `SELECT coalesce(sum(r.delivered), 0) FROM rollup_series s
             JOIN generation_rollups r ON r.series_id = s.id WHERE s.first_exposure = 1`,
          )
          .pluck()
          .get();
        const units = new Set(
          records
            .filter((row) => row.experiment !== null && row.delivered)
            .filter((row) => !row.forced && !row.test && !row.replay)
            .map((row) => `${row.experiment} ${row.unitKind} ${row.unitKey}`),
        );
        expect(counted).toBe(units.size);
      }),
      { numRuns: 150 },
    );
  });
});
