import { describe, expect, test } from '@jest/globals';
import {
  createShadowEvidence,
  createShadowReports,
  type ShadowSeriesTotals,
} from '../../../src/analytics/index.ts';
import { addedSums } from '../../../src/analytics/shadow-sums.ts';
import { configSchema } from '../../../src/config/index.ts';
import { latencyBucket } from '../../../src/ledger/index.ts';
import { loadShadowRules, type ShadowActivity } from '../../../src/serving/index.ts';
import { fixedClock } from '../../fakes/fixed-clock.ts';
import { scriptedRegistry, scriptedVersion } from '../../fakes/scripted-prompts.ts';

const registry = scriptedRegistry([
  scriptedVersion('tip', 'v1'),
  scriptedVersion('tip', 'v2'),
  scriptedVersion('tip', 'v3'),
]);
const config = configSchema.parse({
  providers: { offline: { kind: 'offline' } },
  routes: { default: { targets: [{ provider: 'offline' }] } },
  shadow: {
    candidate: { prompt: 'tip', version: 'v3' },
    cheaper: { prompt: 'tip', model: 'small' },
  },
});
const rules = loadShadowRules(config, registry);
const revisionOf = (name: string) => rules.find((rule) => rule.name === name)?.revision ?? '';

function series(changes: Partial<ShadowSeriesTotals>): ShadowSeriesTotals {
  return {
    ...addedSums([]),
    rule: 'candidate',
    ruleRevision: revisionOf('candidate'),
    changes: 'version',
    prompt: 'tip',
    liveVersion: 'v1',
    shadowVersion: 'v3',
    shadowHash: 'sha256:tip-v3',
    ...changes,
  };
}

/** 1,000 runs: 4 of the candidate failed, 5 live ones, 2 of them the same; 1.3 times as slow, 20 % cheaper. */
const SOUND = series({
  runs: 1_000,
  liveFailed: 5,
  shadowFailed: 4,
  liveOnlyFailed: 3,
  shadowOnlyFailed: 2,
  latencyPairs: 993,
  logRatioSum: 993 * Math.log(1.3),
  logRatioSumSq: 993 * (Math.log(1.3) ** 2 + 0.09),
  costPairs: 990,
  liveCostNanoUsd: 990 * 100_000,
  shadowCostNanoUsd: 990 * 80_000,
  costDifferenceSumSq: 990 * 20_000 ** 2,
  tokenPairs: 990,
  liveInputTokens: 990 * 30,
  shadowInputTokens: 990 * 25,
  liveOutputTokens: 990 * 18,
  shadowOutputTokens: 990 * 12,
});

function reportsOver(totals: readonly ShadowSeriesTotals[], activity: Partial<ShadowActivity> = {}) {
  const asked: unknown[] = [];
  const reports = createShadowReports({
    reader: {
      shadowTotals: async ({ rule }) => totals.filter((entry) => rule === null || entry.rule === rule),
      shadowLatency: async (query) => {
        asked.push(query);
        return { live: [[latencyBucket(100), 10]], shadow: [[latencyBucket(130), 10]] };
      },
    },
    rules: () => rules,
    activity: () => ({ running: 0, queued: 0, spentTodayNanoUsd: 0, dropped: {}, ...activity }),
    prompts: () => registry,
    clock: fixedClock(),
  });
  return { reports, asked };
}

describe('the report of a shadow rule', () => {
  test('says in a sentence what can be said, with intervals that leave room for what cannot', async () => {
    const report = await reportsOver([SOUND]).reports.shadowReport('candidate');

    expect(report.errors.shadow).toMatchObject({ of: 1_000, count: 4, share: 0.004 });
    expect(report.errors.difference).toMatchObject({
      value: -0.001,
      method: 'beta_binomial_union_of_discordant_pairs',
    });
    expect(report.errors.difference.lower).toBeLessThan(-0.001);
    expect(report.errors.difference.upper).toBeGreaterThan(0);
    // The discordant pairs alone: narrower than the two rates' own intervals would be.
    expect(report.errors.difference.upper).toBeLessThan(
      report.errors.shadow.upper - report.errors.live.lower,
    );
    expect(report.latency.ratio?.value).toBeCloseTo(1.3, 9);
    expect(report.latency.ratio?.lower).toBeGreaterThan(1.2);
    expect(report.latency.live.p50Ms).toBeCloseTo(100, -1);
    expect(report.cost.ratio).toBeCloseTo(0.8, 12);
    expect(report.cost.difference?.value).toBeCloseTo(-0.000_02, 12);
    expect(report.tokens.shadow).toEqual({ input: 25, output: 12 });
    expect(report.schemaFailures).toBeNull();
    expect(report.summary).toMatch(
      /^v3 failed in 0\.4 % of 1,000 shadow runs, the live calls in 0\.5 %: after 1,000 runs at most \d\.\d percentage points more often; answers take 1\.30 times as long \(1\.\d\d to 1\.\d\d\); 20 % cheaper\.$/,
    );
  });

  test('calls a difference certain once its interval leaves out 0', async () => {
    const worse = { ...SOUND, shadowFailed: 104, shadowOnlyFailed: 102 };
    const better = { ...SOUND, liveFailed: 105, liveOnlyFailed: 103 };

    const bad = await reportsOver([worse]).reports.shadowReport('candidate');
    const good = await reportsOver([better]).reports.shadowReport('candidate');

    expect(bad.summary).toMatch(/it fails more often, by \d+\.\d to \d+\.\d percentage points/);
    expect(good.summary).toMatch(/it fails less often, by \d+\.\d to \d+\.\d percentage points/);
  });

  test('compares schema failures where a schema was checked', async () => {
    const checked = {
      ...SOUND,
      shadowSchemaChecked: 900,
      shadowSchemaFailed: 18,
      liveSchemaChecked: 900,
      liveSchemaFailed: 9,
      schemaPairs: 900,
      liveOnlySchemaFailed: 9,
      shadowOnlySchemaFailed: 18,
    };

    const { schemaFailures, summary } = await reportsOver([checked]).reports.shadowReport('candidate');

    expect(schemaFailures?.difference.value).toBeCloseTo(0.01, 12);
    expect(summary).toContain('2.0 % of its answers do not fit their schema, 1.0 % of the live ones');
  });

  test('promises no interval of latency from a handful of pairs', async () => {
    const few = { ...series({ runs: 5, latencyPairs: 5, logRatioSum: 1, logRatioSumSq: 1 }) };

    const { latency, summary } = await reportsOver([few]).reports.shadowReport('candidate');

    expect(latency.ratio).toMatchObject({ lower: null, upper: null });
    expect(summary).toContain('too few for an interval');
  });

  test('leaves out runs of an earlier definition and of another text of the version, and counts them', async () => {
    const { reports, asked } = reportsOver([
      SOUND,
      series({ runs: 30, ruleRevision: 'sha256:before' }),
      series({ runs: 7, shadowHash: 'sha256:edited' }),
    ]);

    const report = await reports.shadowReport('candidate');
    const list = await reports.list();

    expect(report).toMatchObject({ runs: 1_000, earlierRuns: 37 });
    expect(asked).toEqual([
      { rule: 'candidate', ruleRevision: revisionOf('candidate'), shadowHash: 'sha256:tip-v3' },
    ]);
    expect(list.map(({ shadow, runs }) => [shadow, runs])).toEqual([
      ['candidate', 1_000],
      ['cheaper', 0],
    ]);
  });

  test('says why there is no run', async () => {
    const dropped = { budget: 3, queue_full: 12 };
    const { reports } = reportsOver([], { dropped, spentTodayNanoUsd: 1_500_000_000 });

    const report = await reports.shadowReport('cheaper');

    expect(report.summary).toBe('No shadow run yet; sampled calls were dropped: queue_full 12, budget 3.');
    expect(report).toMatchObject({ spentTodayUsd: 1.5, version: null, model: 'small' });
  });
});

describe('the evidence for a rollout gate', () => {
  const evidenceOf = (...totals: readonly ShadowSeriesTotals[]) => {
    const asked: unknown[] = [];
    const evidence = createShadowEvidence({
      reader: {
        shadowTotals: async (query) => {
          asked.push(query);
          return totals;
        },
      },
      prompts: () => registry,
    });
    return { evidence, asked };
  };

  test('adds up every rule that changed the version alone, on the text as it is now', async () => {
    const { evidence, asked } = evidenceOf(
      SOUND,
      { ...SOUND, rule: 'other', runs: 10, shadowFailed: 10 },
      { ...SOUND, changes: 'route+version', runs: 500 },
      { ...SOUND, shadowHash: 'sha256:edited', runs: 600 },
      { ...SOUND, shadowVersion: 'v2', shadowHash: 'sha256:tip-v2', runs: 700 },
    );

    const totals = await evidence.totals({
      prompt: 'tip',
      version: 'v3',
      sinceMs: Date.UTC(2026, 10, 23, 10, 59),
    });

    expect(totals).toMatchObject({ runs: 1_010, errors: 14, liveErrors: 10 });
    expect(totals.latencyRatio).toBeCloseTo(1.3, 9);
    expect(totals.costRatio).toBeCloseTo(0.8, 9);
    expect(asked).toEqual([{ rule: null, prompt: 'tip', fromMs: Date.UTC(2026, 10, 23, 10) }]);
  });

  test('of a policy adds up the runs of one definition', async () => {
    const scores = { prompt: '', changes: 'policy', liveVersion: 'sha256:a', shadowHash: 'sha256:b' };
    const { evidence } = evidenceOf(
      series({ ...scores, shadowVersion: 'sha256:b', runs: 8, shadowFailed: 1 }),
      series({ ...scores, shadowVersion: 'sha256:c', runs: 4 }),
    );

    const totals = await evidence.totals({
      prompt: null,
      version: null,
      policyDefinition: 'sha256:b',
      sinceMs: 0,
    });

    expect(totals).toMatchObject({ runs: 8, errors: 1, latencyRatio: null, costRatio: null });
  });
});
