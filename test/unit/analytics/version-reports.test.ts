import { describe, expect, test } from '@jest/globals';
import { type VersionReportRequest, versionReportCsv } from '../../../src/analytics/index.ts';
import { HOUR_MS } from '../../../src/kernel/index.ts';
import { latencyBucket } from '../../../src/ledger/index.ts';
import { betaBinomialDifference, betaBinomialInterval } from '../../../src/statistics/index.ts';
import { configOf, NOW_MS, rowOf, runReport, totalsOf, zeroOrOne } from './report-world.ts';

describe('which metric', () => {
  const metrics = { reaction: { type: 'boolean' }, completed: { type: 'boolean' } };

  test('takes the one asked for, then the primary one of the prompt, then the first', async () => {
    const configured = configOf({ metrics, prompts: { settings: { tip: { primary_metric: 'completed' } } } });

    expect((await runReport({ config: configured }, { metric: 'reaction' })).report.metric).toBe('reaction');
    expect((await runReport({ config: configured })).report.metric).toBe('completed');
    expect((await runReport({ config: configOf({ metrics }) })).report.metric).toBe('reaction');
  });

  test.each([
    ['boolean', { type: 'boolean' }, true],
    ['float', { type: 'float', min: 1, max: 5 }, 5],
    ['categorical', { type: 'categorical', values: { love: 1, dismiss: 0 } }, 'love'],
  ])('gives a value that outcomes of a %s one may have', async (_type, metric, value) => {
    const { report } = await runReport({ config: configOf({ metrics: { stars: metric } }) });

    expect(report.exampleValue).toBe(value);
  });

  test('refuses an undeclared metric and names the declared ones', async () => {
    await expect(runReport({ config: configOf({ metrics }) }, { metric: 'complete' })).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringMatching(/Did you mean completed\? Known metrics: reaction, completed\./),
      faults: [{ path: 'metric' }],
    });
    await expect(runReport({ config: configOf({ metrics }) }, { metric: '__proto__' })).rejects.toMatchObject(
      {
        code: 'invalid_request',
      },
    );
  });
});

describe('which baseline', () => {
  const totals = [
    totalsOf('v1', { delivered: 10, outcomes: zeroOrOne(10, 2) }),
    totalsOf('v2', { delivered: 10, outcomes: zeroOrOne(10, 8) }),
  ];

  test('takes the one asked for, then the configured one, then v1, then the first version', async () => {
    const config = configOf({ prompts: { settings: { tip: { baseline: 'v2' } } } });

    expect((await runReport({ totals, config }, { baseline: 'v1' })).report.baseline).toBe('v1');
    expect((await runReport({ totals, config })).report.baseline).toBe('v2');
    expect((await runReport({ totals, versions: ['a0', 'v1'] })).report.baseline).toBe('v1');
    expect((await runReport({ versions: ['v3', 'v10', 'v2'] })).report.baseline).toBe('v2');
  });

  test('refuses an unknown one, never substitutes another', async () => {
    await expect(runReport({ totals }, { baseline: 'v9' })).rejects.toMatchObject({
      code: 'version_not_found',
      message: expect.stringContaining('Known versions: v1, v2.'),
    });
    const config = configOf({ prompts: { settings: { tip: { baseline: 'gone' } } } });
    await expect(runReport({ totals, config })).rejects.toMatchObject({
      code: 'version_not_found',
      message: expect.stringContaining('configured for the prompt tip'),
    });
  });

  test('has no lift over itself; the others state their difference to it', async () => {
    const { report } = await runReport({ totals }, { baseline: 'v2' });

    expect(rowOf(report, 'v2').lift).toBeNull();
    expect(rowOf(report, 'v1').lift?.difference).toBeCloseTo(-0.6, 12);
  });

  test('a prompt without any version has none', async () => {
    const { report } = await runReport({ versions: [] });

    expect(report).toMatchObject({ baseline: null, versions: [], comparisons: 0 });
  });
});

describe('which versions', () => {
  test('lists registered ones without traffic and unregistered ones with traffic, in natural order', async () => {
    const { report } = await runReport({
      versions: ['v10', 'v2', { version: 'v1', retired: true }],
      totals: [totalsOf('v3', { delivered: 4 }), totalsOf('v2', { delivered: 7 })],
    });

    expect(
      report.versions.map((row) => [row.promptVersion, row.known, row.retired, row.generations]),
    ).toEqual([
      ['v1', true, true, 0],
      ['v2', true, false, 7],
      ['v3', false, false, 4],
      ['v10', true, false, 0],
    ]);
    expect(report.warnings).toEqual([
      expect.objectContaining({ code: 'unknown_version', promptVersion: 'v3' }),
    ]);
  });

  test('refuses an unknown prompt', async () => {
    await expect(runReport({}, { prompt: 'tipp' })).rejects.toMatchObject({ code: 'prompt_not_found' });
  });
});

describe('the interval', () => {
  test('is the confidence sequence of count and sum', async () => {
    const { report } = await runReport({
      totals: [totalsOf('v1', { delivered: 40, outcomes: zeroOrOne(30, 6) })],
    });

    const { lower, upper } = betaBinomialInterval({ n: 30, sum: 6, alpha: 0.05 });
    expect(rowOf(report, 'v1')).toMatchObject({
      generations: 40,
      outcomes: 30,
      mature: 30,
      pending: 0,
      sum: 6,
      mean: 0.2,
      lower,
      upper,
      confidence: 0.95,
      method: 'beta-binomial confidence sequence',
    });
  });

  test('without outcomes spans the metric, and the mean is null', async () => {
    const config = configOf({ metrics: { minutes: { type: 'float', min: 5, max: 65 } } });

    const { report } = await runReport({ config, totals: [totalsOf('v1', { delivered: 3 })] });

    expect(rowOf(report, 'v1')).toMatchObject({ mean: null, lower: 5, upper: 65, mature: 0 });
    expect(rowOf(report, 'v2')).toMatchObject({
      mean: null,
      lift: { difference: null, lower: -60, upper: 60 },
    });
  });

  test('splits alpha over the compared versions, retired ones without traffic apart', async () => {
    const { report } = await runReport({
      versions: ['v1', 'v2', 'v3', { version: 'v0', retired: true }],
      totals: [
        totalsOf('v1', { delivered: 100, outcomes: zeroOrOne(100, 20) }),
        totalsOf('v2', { delivered: 100, outcomes: zeroOrOne(100, 60) }),
      ],
    });

    expect(report.comparisons).toBe(2);
    expect(rowOf(report, 'v2').lift).toEqual({
      difference: expect.closeTo(0.4, 12),
      ...betaBinomialDifference({
        arm: { n: 100, sum: 60 },
        baseline: { n: 100, sum: 20 },
        alpha: 0.05 / 2,
      }),
      confidence: 0.95,
    });
  });

  test('of a float metric is the one on [0, 1], stretched', async () => {
    const config = configOf({ metrics: { minutes: { type: 'float', min: -10, max: 30 } } });
    // Two rewards of 0 and two of 20: 0.25 and 0.75 on [0, 1].
    const outcomes = { n: 4, sum: 40, sumOfSquares: 800 };

    const { report } = await runReport({ config, totals: [totalsOf('v1', { delivered: 4, outcomes })] });

    const unit = betaBinomialInterval({ n: 4, sum: 2, alpha: 0.05 });
    const row = rowOf(report, 'v1');
    expect(row.mean).toBe(10);
    expect(row.lower).toBeCloseTo(-10 + 40 * unit.lower, 10);
    expect(row.upper).toBeCloseTo(-10 + 40 * unit.upper, 10);
    expect(report.scale).toEqual({ min: -10, max: 30 });
  });

  test('of categories beyond [0, 1] uses their declared range, within it [0, 1]', async () => {
    const wide = configOf({ metrics: { stars: { type: 'categorical', values: { one: 1, five: 5 } } } });
    const narrow = configOf({ metrics: { tap: { type: 'categorical', values: { like: 0.7, meh: 0.2 } } } });

    expect((await runReport({ config: wide })).report.scale).toEqual({ min: 1, max: 5 });
    expect((await runReport({ config: narrow })).report.scale).toEqual({ min: 0, max: 1 });
  });

  test('of a metric with one possible value is that value', async () => {
    const config = configOf({ metrics: { fixed: { type: 'categorical', values: { only: 3 } } } });
    const outcomes = { n: 2, sum: 6, sumOfSquares: 18 };

    const { report } = await runReport({ config, totals: [totalsOf('v1', { delivered: 2, outcomes })] });

    expect(rowOf(report, 'v1')).toMatchObject({ mean: 3, lower: 3, upper: 3 });
  });

  test.each([
    ['the sum', { n: 2, sum: 7, sumOfSquares: 24.5 }],
    // 1.5 and 0.1: a sum within [0, 2], which only the squares betray.
    ['the squares', { n: 2, sum: 1.6, sumOfSquares: 2.26 }],
  ])('is not claimed for rewards off the scale, seen by %s', async (_what, outcomes) => {
    const { report } = await runReport({ totals: [totalsOf('v1', { delivered: 2, outcomes })] });

    const row = rowOf(report, 'v1');
    expect(row.lower).toBe(0);
    expect(row.upper).toBe(Math.max(1, outcomes.sum / 2));
    expect(report.warnings).toEqual([
      expect.objectContaining({ code: 'reward_out_of_range', promptVersion: 'v1' }),
    ]);
  });
});

describe('maturity', () => {
  const totals = [
    totalsOf('v1', {
      delivered: 100,
      closedDelivered: 60,
      outcomes: zeroOrOne(50, 20),
      closedOutcomes: zeroOrOne(35, 12),
    }),
  ];

  test('exclude: every observed outcome counts at once, silence waits for its window and drops out', async () => {
    const { report } = await runReport({ totals });

    // 40 delivered in open hours, 15 of them with an outcome.
    expect(rowOf(report, 'v1')).toMatchObject({ outcomes: 50, mature: 50, pending: 25, sum: 20, mean: 0.4 });
  });

  test('zero: only closed hours count, and silence counts as 0 there', async () => {
    const config = configOf({ metrics: { completed: { type: 'boolean', missing: 'zero' } } });

    const { report } = await runReport({ totals, config });

    expect(rowOf(report, 'v1')).toMatchObject({ outcomes: 50, mature: 60, pending: 40, sum: 12, mean: 0.2 });
  });

  test('zero: 0 belongs to the scale even when the declaration leaves it out', async () => {
    const metric = { type: 'float', min: 2, max: 10, missing: 'zero' };
    const config = configOf({ metrics: { minutes: metric } });
    const sums = { n: 1, sum: 10, sumOfSquares: 100 };

    const { report } = await runReport({
      config,
      totals: [totalsOf('v1', { delivered: 10, outcomes: sums })],
    });

    expect(report.scale).toEqual({ min: 0, max: 10 });
    expect(rowOf(report, 'v1').mean).toBe(1);
    expect(report.warnings).toEqual([]);
  });

  test('an hour is closed only when the window of its last call is', async () => {
    const metric = { type: 'boolean', attribution_window_hours: 1.5 };

    const { query } = await runReport({ config: configOf({ metrics: { completed: metric } }) });

    expect(new Date(query.closedBeforeMs).toISOString()).toBe('2026-11-23T11:00:00.000Z');
    const lastClosedHourEndsMs = query.closedBeforeMs;
    expect(lastClosedHourEndsMs + 1.5 * HOUR_MS).toBeLessThanOrEqual(NOW_MS);
  });
});

describe('the window', () => {
  test('everything recorded is anytime-valid', async () => {
    const { report, query } = await runReport({});

    expect(query).toMatchObject({ prompt: 'tip', metric: 'completed', fromMs: null, toMs: null });
    expect(report).toMatchObject({ from: null, to: null, evidence: 'anytime-valid' });
  });

  test('a chosen one is snapped outward to hours, echoed, and descriptive', async () => {
    const { report, query } = await runReport(
      {},
      { from: '2026-11-20T10:59:59+02:00', to: '2026-11-21T00:00:00.001Z' },
    );

    expect(report).toMatchObject({
      from: '2026-11-20T08:00:00.000Z',
      to: '2026-11-21T01:00:00.000Z',
      evidence: 'descriptive',
    });
    expect(query).toMatchObject({
      fromMs: Date.parse('2026-11-20T08:00:00Z'),
      toMs: Date.parse('2026-11-21T01:00:00Z'),
    });
  });

  test('whole hours stay as they are, a date is midnight UTC', async () => {
    const { report } = await runReport({}, { from: '2026-11-20', to: '2026-11-20T10:00Z' });

    expect(report).toMatchObject({ from: '2026-11-20T00:00:00.000Z', to: '2026-11-20T10:00:00.000Z' });
  });

  test.each([
    ['yesterday', null, 'from'],
    ['2026-11-20T10:00:00', null, 'from'],
    ['2026-02-30', null, 'from'],
    [null, '2026-13-01', 'to'],
    [null, '2026-11-20T25:00:00Z', 'to'],
    [null, '', 'to'],
    ['2026-11-21', '2026-11-21', 'from'],
    ['2026-11-22', '2026-11-21', 'from'],
  ])('refuses from %p to %p', async (from, to, path) => {
    await expect(runReport({}, { from, to })).rejects.toMatchObject({
      code: 'invalid_request',
      faults: [{ path }],
    });
  });

  test('names both ends at once when both are wrong', async () => {
    await expect(runReport({}, { from: 'a', to: 'b' })).rejects.toMatchObject({
      faults: [{ path: 'from' }, { path: 'to' }],
    });
  });
});

describe('cost, tokens, latency and shares', () => {
  test('are read from the totals', async () => {
    const { report } = await runReport({
      totals: [
        totalsOf('v1', {
          generations: 20,
          delivered: 15,
          errors: 4,
          clientClosed: 1,
          degraded: 2,
          fallbacks: 5,
          forced: 3,
          inputTokens: 600,
          outputTokens: 300,
          costNanoUsd: 1_500_000,
          costKnown: 3,
          sources: { body: 3, env: 7, default: 10 },
          latency: [
            [latencyBucket(2_000), 1],
            [latencyBucket(100), 14],
          ],
        }),
      ],
    });

    const row = rowOf(report, 'v1');
    expect(row).toMatchObject({
      costUsd: 0.0015,
      costKnown: 3,
      meanCostUsd: 0.0005,
      inputTokens: 600,
      outputTokens: 300,
      errorShare: 0.2,
      clientClosedShare: 0.05,
      degradedShare: 0.1,
      fallbackShare: 0.25,
      forced: 3,
      sources: { body: 3, env: 7, default: 10 },
    });
    expect(Math.abs((row.latencyMs.p50 ?? 0) / 100 - 1)).toBeLessThan(0.046);
    expect(Math.abs((row.latencyMs.p95 ?? 0) / 2_000 - 1)).toBeLessThan(0.046);
  });

  test('unknown cost and unmeasured latency are null, never 0', async () => {
    const { report } = await runReport({ totals: [totalsOf('v1', { delivered: 2 })] });

    expect(rowOf(report, 'v1')).toMatchObject({
      costUsd: null,
      meanCostUsd: null,
      latencyMs: { p50: null, p95: null },
    });
  });

  test('a free call is known to cost 0', async () => {
    const { report } = await runReport({ totals: [totalsOf('v1', { delivered: 2, costKnown: 2 })] });

    expect(rowOf(report, 'v1')).toMatchObject({ costUsd: 0, meanCostUsd: 0 });
  });

  test.each([
    ['max', 4, 1_000_000, 0.001],
    ['max', 0, 1_000_000, null],
    ['max', 4, 0, null],
    ['min', 4, 1_000_000, null],
  ] as const)(
    'a reward to %s, %d of 8 earned, calls for %d nano-dollars: it costs %d',
    async (optimize, sum, costNanoUsd, expected) => {
      const totals = totalsOf('v1', {
        delivered: 8,
        outcomes: zeroOrOne(8, sum),
        costNanoUsd: costNanoUsd * 4,
        costKnown: costNanoUsd === 0 ? 0 : 8,
      });
      const config = configOf({ metrics: { completed: { type: 'boolean', optimize } } });
      const { report } = await runReport({ totals: [totals], config });

      expect(rowOf(report, 'v1').costPerRewardUsd).toBe(expected);
    },
  );
});

describe('a part of the calls', () => {
  const ask = (filters: VersionReportRequest['filters']) =>
    runReport({ totals: [totalsOf('v1', { delivered: 1 })] }, filters === undefined ? {} : { filters });

  test.each([
    [{ model: 'm', source: null, segment: null }, { model: 'm' }],
    [{ model: null, source: 'env', segment: null }, { source: 'env' }],
    [{ model: null, source: null, segment: 'forced' }, { forced: true }],
    [{ model: null, source: null, segment: 'assigned' }, { forced: false }],
    [{ model: null, source: null, segment: 'model_answers' }, { degraded: false }],
    [{ model: null, source: null, segment: 'authored_lines' }, { degraded: true }],
    [
      { model: null, source: null, segment: 'experiment:tone.2' },
      { experiment: 'tone.2', arm: null },
    ],
    [
      { model: null, source: null, segment: 'arm:tone/warm' },
      { experiment: 'tone', arm: 'warm' },
    ],
  ] as const)('%j is descriptive, and only it is read', async (filters, expected) => {
    const { report, query } = await ask(filters);

    expect(report.evidence).toBe('descriptive');
    expect(report.filters).toEqual(filters);
    const everyCall = {
      model: null,
      source: null,
      forced: null,
      degraded: null,
      experiment: null,
      arm: null,
    };
    expect(query.filter).toEqual({ ...everyCall, ...expected });
    expect(versionReportCsv(report)).toContain(filters.segment ?? filters.model ?? filters.source);
  });

  test.each(['', 'vip', 'experiment:', 'arm:tone', 'arm:tone/', 'arm:/warm', 'arm:a/b/c', 'experiment:a/b'])(
    'there is no segment %j',
    async (segment) => {
      await expect(ask({ model: null, source: null, segment })).rejects.toMatchObject({
        code: 'invalid_request',
        faults: [{ path: 'segment' }],
      });
    },
  );
});

describe('warnings', () => {
  test('tell of several contents under one name and of forced calls', async () => {
    const { report } = await runReport({
      totals: [totalsOf('v2', { delivered: 9, forced: 4, hashes: ['sha256:a', 'sha256:b'] })],
    });

    expect(report.warnings.map(({ code, promptVersion }) => [code, promptVersion])).toEqual([
      ['mixed_content', 'v2'],
      ['forced_traffic', 'v2'],
    ]);
    expect(report.warnings[1]?.message).toContain('4 of 9 calls');
  });

  test('tell of authored lines once they are a notable share', async () => {
    const { report } = await runReport({
      totals: [
        totalsOf('v1', { delivered: 100, degraded: 4 }),
        totalsOf('v2', { delivered: 100, degraded: 40 }),
      ],
    });

    expect(report.warnings).toEqual([
      {
        code: 'degraded_traffic',
        promptVersion: 'v2',
        message: expect.stringContaining('40 % of the calls of v2'),
      },
    ]);
  });
});
