import { describe, expect, test } from '@jest/globals';
import { loadMigrations } from '../../../src/storage/sqlite/migrations.ts';
import { DECISION_PAGE_SQL } from '../../../src/storage/sqlite/sequence-rows.ts';
import { generationRecord } from '../../helpers/ledger-records.ts';
import { appendGeneration, writerCoreInMemory } from '../../helpers/writer-core-in-memory.ts';

describe('a page of decisions', () => {
  test('is found along its key: it reads no row before it and sorts nothing', () => {
    const { database } = writerCoreInMemory();
    const parameters = {
      experiment: 'tips',
      experimentRevision: 'r',
      metric: 'completed',
      afterMs: 0,
      afterId: '',
      untilMs: 1,
      limit: 10,
    };

    const plan = database
      .prepare(`EXPLAIN QUERY PLAN ${DECISION_PAGE_SQL}`)
      .all(parameters)
      .map((row) => String((row as { readonly detail: string }).detail));

    expect(plan[0]).toMatch(
      /^SEARCH d USING PRIMARY KEY \(experiment=\? AND experiment_revision=\? AND \(created_at_ms,generation_id\)>/,
    );
    expect(plan.join('; ')).not.toMatch(/SCAN|TEMP B-TREE/);
  });

  test('is made of the units of an experiment: a repeated call and one of no experiment add nothing', () => {
    const { database, apply } = writerCoreInMemory();
    const unit = { experiment: 'tips', experimentRevision: 'r', arm: 'v1', unitKey: 'ann' };

    apply(
      appendGeneration(generationRecord({ id: 'gen_1', ...unit })),
      appendGeneration(generationRecord({ id: 'gen_2', ...unit })),
      appendGeneration(generationRecord({ id: 'gen_3' })),
      appendGeneration(generationRecord({ id: 'gen_4', ...unit, unitKey: 'bob', test: true })),
    );
    const before = database.prepare('SELECT * FROM experiment_decisions').all();
    apply({ kind: 'rebuild_rollups' });

    expect(before).toMatchObject([{ experiment: 'tips', generation_id: 'gen_1' }]);
    expect(database.prepare('SELECT * FROM experiment_decisions').all()).toEqual(before);
  });

  test('is filled by the migration from the units of an older ledger', () => {
    const { database, apply } = writerCoreInMemory();
    for (const name of ['ann', 'bob', 'cyd']) {
      const unit = { experiment: 'tips', experimentRevision: 'r', arm: 'v1', unitKey: name };
      apply(appendGeneration(generationRecord({ id: `gen_${name}`, ...unit })));
    }
    const written = database.prepare('SELECT * FROM experiment_decisions').all();
    const migration = loadMigrations().find(({ name }) => name === '0003_sequence_folds.sql');
    const [fill = ''] = migration?.sql.match(/INSERT INTO experiment_decisions[^;]*;/) ?? [];

    database.exec('DELETE FROM experiment_decisions');
    database.exec(fill);

    expect(written).toHaveLength(3);
    expect(database.prepare('SELECT * FROM experiment_decisions').all()).toEqual(written);
  });
});
