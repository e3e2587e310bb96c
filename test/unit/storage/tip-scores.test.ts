import { beforeEach, describe, expect, test } from '@jest/globals';

import { HOUR_MS } from '../../../src/kernel/index.ts';
import { type StorageSettings, syncSettings } from '../../../src/storage/sqlite/storage-settings.ts';
import { generationRecord, outcomeRecord } from '../../helpers/ledger-records.ts';
import {
  appendGeneration,
  appendOutcomes,
  type WriterCoreInMemory,
  writerCoreInMemory,
} from '../../helpers/writer-core-in-memory.ts';

const metric = (name: string, missing: 'exclude' | 'zero'): StorageSettings['metrics'][number] => ({
  metric: name,
  type: 'boolean',
  optimize: 'max',
  windowMs: HOUR_MS,
  missing,
});
const LONG_AGO_MS = Date.UTC(2020, 0, 1);
// The view compares with the database's own clock: far enough ahead to be open for the life of this test.
const OPEN_MS = Date.UTC(2999, 0, 1);

describe('the tip_scores view', () => {
  let core: WriterCoreInMemory;
  const rewards = () =>
    core.database
      .prepare('SELECT generation_id, metric, reward FROM tip_scores ORDER BY generation_id')
      .all();

  beforeEach(() => {
    core = writerCoreInMemory();
    core.apply(
      appendGeneration(generationRecord({ id: 'gen_rewarded', createdAtMs: LONG_AGO_MS })),
      appendGeneration(generationRecord({ id: 'gen_silent', createdAtMs: LONG_AGO_MS })),
      appendGeneration(generationRecord({ id: 'gen_young', createdAtMs: OPEN_MS })),
      appendGeneration(generationRecord({ id: 'x_lost', delivered: false })),
      appendGeneration(generationRecord({ id: 'x_other', prompt: 'digest' })),
      appendGeneration(generationRecord({ id: 'x_replay', replay: true })),
      appendGeneration(generationRecord({ id: 'x_shadow', shadowOf: 'gen_silent' })),
      appendGeneration(generationRecord({ id: 'x_test', test: true })),
      appendOutcomes(
        'key-a',
        outcomeRecord({ outcomeId: 'out_1', occurredAtMs: LONG_AGO_MS }, { generationId: 'gen_rewarded' }),
      ),
    );
  });

  test('asks for the time in a way that every release of SQLite knows', () => {
    const [view] = core.database.prepare("SELECT sql FROM sqlite_master WHERE name = 'tip_scores'").all();

    // Before 3.42 `unixepoch('subsec')` is NULL, and every silent tip would lose its 0 without a word.
    expect(JSON.stringify(view)).toContain("julianday('now')");
    expect(JSON.stringify(view)).not.toContain('subsec');
  });

  test('shows the tips that users saw, with no reward where none was observed', () => {
    syncSettings(core.database, {
      metrics: [metric('completed', 'exclude')],
      primaryMetrics: { tip: 'completed' },
      defaultPrimaryMetric: 'reaction',
    });

    expect(rewards()).toEqual([
      { generation_id: 'gen_rewarded', metric: 'completed', reward: 1 },
      { generation_id: 'gen_silent', metric: 'completed', reward: null },
      { generation_id: 'gen_young', metric: 'completed', reward: null },
    ]);
  });

  test('counts a silent tip as 0 once its window has closed, where the metric says so', () => {
    syncSettings(core.database, {
      metrics: [metric('completed', 'zero')],
      primaryMetrics: {},
      defaultPrimaryMetric: 'completed',
    });

    expect(rewards()).toEqual([
      { generation_id: 'gen_rewarded', metric: 'completed', reward: 1 },
      { generation_id: 'gen_silent', metric: 'completed', reward: 0 },
      { generation_id: 'gen_young', metric: 'completed', reward: null },
    ]);
  });

  test('follows the configuration of the last start', () => {
    const settings = {
      metrics: [metric('completed', 'zero'), metric('reaction', 'exclude')],
      primaryMetrics: { tip: 'completed' },
      defaultPrimaryMetric: null,
    };
    syncSettings(core.database, settings);
    syncSettings(core.database, { ...settings, primaryMetrics: { tip: 'reaction' } });

    expect(rewards()).toMatchObject([{ metric: 'reaction' }, { metric: 'reaction' }, { metric: 'reaction' }]);
  });

  test('still shows the tips when no metric is declared', () => {
    syncSettings(core.database, { metrics: [], primaryMetrics: {}, defaultPrimaryMetric: null });

    expect(rewards()).toHaveLength(3);
  });
});
