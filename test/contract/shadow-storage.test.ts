import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { HOUR_MS } from '../../src/kernel/index.ts';
import { latencyBucket, type ShadowPair } from '../../src/ledger/index.ts';
import { openSqliteReader, type SqliteStorage } from '../../src/storage/sqlite/index.ts';
import { generationRecord, outcomeRecord } from '../helpers/ledger-records.ts';
import { openTemporarySqlite } from '../helpers/open-sqlite-for-test.ts';
import { shadowGeneration, shadowPair } from '../helpers/shadow-pairs.ts';

const ALL = { rule: null, prompt: null, fromMs: 0 };
const LATENCY = { rule: 'candidate', ruleRevision: 'sha256:rule', shadowHash: null };

describe.each([
  ['on the calling thread', false],
  ['on threads', true],
])('shadow runs in SQLite, %s', (_name, threads) => {
  let storage: SqliteStorage;
  const append = async (...pairs: readonly ShadowPair[]): Promise<void> => {
    for (const pair of pairs) {
      await storage.shadowLedger.appendShadowGeneration(shadowGeneration(pair), pair);
    }
  };
  const sums = async () => (await storage.shadowReader.shadowTotals(ALL))[0];

  beforeEach(async () => {
    storage = await openTemporarySqlite({ threads });
  });
  afterEach(() => storage.close());

  test('add up by what failed where', async () => {
    const failed = { status: 'error', errorCode: 'provider_timeout', costNanoUsd: null } as const;
    await append(
      shadowPair(1),
      shadowPair(2, { shadow: failed }),
      shadowPair(3, { live: failed }),
      shadowPair(4, { live: failed, shadow: failed, charged: false }),
      shadowPair(5, { shadow: { degraded: true } }),
      shadowPair(6, { live: { degraded: true }, shadow: { degraded: true } }),
    );

    expect(await sums()).toMatchObject({
      rule: 'candidate',
      liveVersion: 'v1',
      shadowVersion: 'v2',
      shadowHash: 'sha256:v2',
      runs: 6,
      // Authored lines count as a failure only beside a model's answer.
      liveFailed: 2,
      shadowFailed: 3,
      liveOnlyFailed: 1,
      shadowOnlyFailed: 2,
      liveDegraded: 1,
      shadowDegraded: 2,
      latencyPairs: 2,
      costPairs: 3,
      spentUnknown: 1,
    });
  });

  test('add up latency, cost, tokens and schema failures over the pairs that know both', async () => {
    await append(
      shadowPair(1, { shadow: { totalMs: 200, costNanoUsd: 50_000, outputTokens: 10, schemaOk: false } }),
      shadowPair(2, {
        live: { schemaOk: true },
        shadow: { totalMs: 50, costNanoUsd: 130_000, schemaOk: false },
      }),
      shadowPair(3, {
        live: { schemaOk: false, costNanoUsd: null, inputTokens: null },
        shadow: { schemaOk: true },
      }),
    );

    const total = await sums();
    expect(total).toMatchObject({
      liveSchemaChecked: 2,
      liveSchemaFailed: 1,
      shadowSchemaChecked: 3,
      shadowSchemaFailed: 2,
      schemaPairs: 2,
      liveOnlySchemaFailed: 1,
      shadowOnlySchemaFailed: 1,
      latencyPairs: 3,
      costPairs: 2,
      liveCostNanoUsd: 200_000,
      shadowCostNanoUsd: 180_000,
      costDifferenceSumSq: 50_000 ** 2 + 30_000 ** 2,
      tokenPairs: 2,
      shadowOutputTokens: 30,
      spentNanoUsd: 280_000,
    });
    expect(total?.logRatioSum).toBeCloseTo(Math.log(2) + Math.log(0.5), 12);
    expect(total?.logRatioSumSq).toBeCloseTo(2 * Math.log(2) ** 2, 12);
    const { live, shadow } = await storage.shadowReader.shadowLatency(LATENCY);
    expect(live).toEqual([[latencyBucket(100), 3]]);
    expect(shadow).toEqual([
      [latencyBucket(50), 1],
      [latencyBucket(100), 1],
      [latencyBucket(200), 1],
    ]);
  });

  test('are kept apart by rule, definition and text, and cut at whole hours', async () => {
    await append(
      shadowPair(1),
      shadowPair(2, { rule: 'other' }),
      shadowPair(3, { ruleRevision: 'sha256:new' }),
      shadowPair(4, { shadow: { hash: 'sha256:edited' } }),
      shadowPair(5, { createdAtMs: shadowPair(5).createdAtMs + HOUR_MS }),
      shadowPair(6, { prompt: null, changes: 'policy' }),
    );

    const all = await storage.shadowReader.shadowTotals(ALL);
    const ofRule = await storage.shadowReader.shadowTotals({ ...ALL, rule: 'candidate', prompt: 'tip' });
    const scores = await storage.shadowReader.shadowTotals({ ...ALL, prompt: '' });
    const late = await storage.shadowReader.shadowTotals({ ...ALL, fromMs: Date.UTC(2026, 10, 23, 11) });

    expect(all.map(({ runs }) => runs).sort()).toEqual([1, 1, 1, 1, 2]);
    expect(ofRule.reduce((sum, { runs }) => sum + runs, 0)).toBe(4);
    expect(scores.map(({ changes, runs }) => [changes, runs])).toEqual([['policy', 1]]);
    expect(late.map(({ rule, runs }) => [rule, runs])).toEqual([['candidate', 1]]);
    expect(await storage.shadowReader.shadowSpend(Date.UTC(2026, 10, 23, 11))).toEqual([
      { rule: 'candidate', costNanoUsd: 100_000, unknownCost: 0 },
    ]);
  });

  test('are written once, however often they are sent, and rebuilt from their pairs', async () => {
    const pairs = Array.from({ length: 25 }, (_, number) =>
      shadowPair(number, {
        createdAtMs: shadowPair(0).createdAtMs + number * 600_000,
        shadow: { totalMs: 80 + number * 7.3, costNanoUsd: number % 4 === 0 ? null : number * 1_111 },
      }),
    );
    await append(...pairs);
    const before = await storage.shadowReader.shadowTotals(ALL);
    const latency = await storage.shadowReader.shadowLatency(LATENCY);

    await append(...pairs.slice(0, 3));
    expect(await storage.shadowReader.shadowTotals(ALL)).toEqual(before);

    await storage.ledger.rebuildRollups();
    expect(await storage.shadowReader.shadowTotals(ALL)).toEqual(before);
    expect(await storage.shadowReader.shadowLatency(LATENCY)).toEqual(latency);
    expect(before[0]?.runs).toBe(25);
  });

  test('stay out of version reports, experiments, assignments and rewards', async () => {
    const live = generationRecord({ id: 'gen_live_1', externalId: 'tip-1' });
    await storage.ledger.appendGeneration(live, null);
    const pair = shadowPair(1);
    const experiment = {
      experiment: 'tone',
      experimentRevision: 'sha256:one',
      arm: 'warm',
      propensity: 0.5,
      propensities: { warm: 0.5, control: 0.5 },
      assignedPolicyRevision: 'tone-1',
      currentPolicyRevision: 'tone-1',
    };
    await storage.shadowLedger.appendShadowGeneration(
      shadowGeneration(pair, { externalId: 'tip-1', ...experiment }),
      pair,
    );
    const outcome = outcomeRecord({ outcomeId: 'out_1' }, { externalId: 'tip-1' });
    const ofShadow = outcomeRecord({ outcomeId: 'out_2' }, { generationId: pair.shadow.id });
    await storage.ledger.appendOutcomes({
      apiKeyId: 'key-a',
      entries: [
        { kind: 'outcome', outcome },
        { kind: 'outcome', outcome: ofShadow },
      ],
    });

    const closedBeforeMs = Date.UTC(2030, 0, 1);
    const versions = await storage.reportReader.versionTotals({
      prompt: 'tip',
      metric: 'completed',
      fromMs: null,
      toMs: null,
      closedBeforeMs,
    });
    const arms = await storage.experimentReader.armTotals({
      experiment: 'tone',
      metric: 'completed',
      closedBeforeMs,
    });

    expect(versions).toHaveLength(1);
    expect(versions[0]).toMatchObject({
      promptVersion: 'v1',
      generations: 1,
      costNanoUsd: 120_000,
      outcomes: { n: 1, sum: 1 },
    });
    expect(arms).toEqual([]);
    expect(await storage.assignments.findAssignment('tone', 'user_id', 'unit-1')).toBeNull();
    const info = await storage.storageInfo();
    const { reader, close } = await openSqliteReader({ file: info.file });
    const rows = (await reader.readRows('generations', 0, 10)).rows;
    await close();
    expect(rows.map((row) => [row['id'], row['shadow_of']])).toEqual([
      ['gen_live_1', null],
      ['gen_shadow_1', 'gen_live_1'],
    ]);
  });
});
