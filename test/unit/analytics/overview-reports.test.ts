import { describe, expect, test } from '@jest/globals';
import { createVersionReports, type VersionTotalsQuery } from '../../../src/analytics/index.ts';
import {
  createOverviewReports,
  type OverviewReportsOptions,
} from '../../../src/analytics/overview-reports.ts';
import type { LabelEvent } from '../../../src/experiments/index.ts';
import { NO_GATE } from '../../../src/experiments/index.ts';
import { AppError, HOUR_MS } from '../../../src/kernel/index.ts';
import { manualClock } from '../../fakes/manual-clock.ts';
import { scriptedRegistry, scriptedVersion } from '../../fakes/scripted-prompts.ts';
import { configOf, totalsOf, zeroOrOne } from './report-world.ts';

const START_MS = Date.UTC(2026, 0, 5, 10, 30);

function labelTo(to: LabelEvent['to']): LabelEvent {
  return {
    sequence: 1,
    prompt: 'tip',
    label: 'live',
    createdAtMs: 0,
    from: null,
    to,
    toHash: null,
    reason: 'first',
    actor: 'config',
    seeded: true,
    gate: NO_GATE,
  };
}

const EXPERIMENT = {
  experiment: 'tone',
  prompt: 'tip',
  revision: 'sha256:a',
  state: 'running',
  start: null,
  stop: null,
  unit: 'user_id',
  metric: 'completed',
  policy: 'fixed',
  baseline: 'a',
  arms: [
    { arm: 'a', promptVersion: 'v1', weight: 1 },
    { arm: 'b', promptVersion: 'v2', weight: 1 },
  ],
} as const;

function world(given: Partial<OverviewReportsOptions> = {}) {
  const clock = manualClock(START_MS);
  const queries: VersionTotalsQuery[] = [];
  const versionTotals = async (query: VersionTotalsQuery) => {
    queries.push(query);
    if (query.prompt !== 'tip') return [];
    const outcomes = zeroOrOne(20, 10);
    return [
      totalsOf('v1', {
        generations: 40,
        delivered: 30,
        errors: 10,
        outcomes,
        costNanoUsd: 5_000,
        costKnown: 3,
      }),
    ];
  };
  const prompts = () =>
    scriptedRegistry([
      scriptedVersion('tip', 'v1'),
      scriptedVersion('tip', 'v2'),
      scriptedVersion('tip', 'v3'),
      scriptedVersion('digest', 'v1'),
    ]);
  const config = given.config ?? configOf({ metrics: { completed: { type: 'boolean' } } });
  const reader = {
    versionTotals,
    timeTotals: async () => [],
    filterChoices: async () => ({ models: [], experiments: [] }),
  };
  const overviews = createOverviewReports({
    reports: createVersionReports({ reader, prompts, config, clock }),
    reader,
    prompts,
    labels: { list: () => [] },
    defaultTarget: () => ({
      reference: 'v1',
      source: 'default',
      version: 'v1',
      experiment: null,
      problem: null,
    }),
    experiments: () => [],
    experimentReports: { list: () => [] },
    stops: { alarm: () => null },
    rollouts: { page: async () => [] },
    health: () => ({
      ledger: { writable: true, reason: null },
      configFaults: [],
      configNeedsRestart: [],
      promptFaults: [],
      providers: [],
    }),
    budgets: async () => [],
    orphanOutcomes: async () => 0,
    clock,
    ...given,
    config,
  });
  return { overviews, clock, queries };
}

async function liveOf(given: Partial<OverviewReportsOptions>): Promise<readonly string[]> {
  const { prompts } = await world(given).overviews.overview();
  const tip = prompts.find(({ prompt }) => prompt === 'tip');
  return (tip?.versions ?? []).filter(({ live }) => live).map(({ promptVersion }) => promptVersion);
}

describe('the overview', () => {
  test('has every prompt, with what its versions earned and what they cost of late', async () => {
    const { overviews, queries } = world();
    const { prompts } = await overviews.overview();

    expect(prompts.map(({ prompt }) => prompt)).toEqual(['tip', 'digest']);
    expect(prompts[0]).toMatchObject({
      metric: 'completed',
      baseline: 'v1',
      generations: { last24h: 40, last7d: 40 },
      costUsd: { last24h: 0.000_005, last7d: 0.000_005 },
      errorShare: { last24h: 0.25, last7d: 0.25 },
    });
    expect(prompts[0]?.versions[0]).toMatchObject({ promptVersion: 'v1', mature: 20, mean: 0.5 });
    expect(prompts[1]).toMatchObject({
      generations: { last24h: 0 },
      costUsd: { last24h: null },
      errorShare: { last24h: null },
    });
    const windows = queries.filter(({ prompt }) => prompt === 'tip').map(({ fromMs }) => fromMs);
    const hourMs = START_MS - HOUR_MS / 2;
    expect(windows).toEqual(expect.arrayContaining([null, hourMs - 24 * HOUR_MS, hourMs - 7 * 24 * HOUR_MS]));
  });

  test('one look serves everybody for a second', async () => {
    const { overviews, clock, queries } = world();
    const [first, second] = await Promise.all([overviews.overview(), overviews.overview()]);
    const asked = queries.length;
    await clock.advance(999);

    expect(second).toBe(first);
    expect(await overviews.overview()).toBe(first);
    expect(queries).toHaveLength(asked);
    await clock.advance(1);
    expect(await overviews.overview()).not.toBe(first);
  });

  test('a failure is not kept', async () => {
    let isFailing = true;
    const { overviews } = world({
      orphanOutcomes: async () => {
        if (isFailing) throw new AppError('storage_unavailable', 'no');
        return 0;
      },
    });

    await expect(overviews.overview()).rejects.toMatchObject({ code: 'storage_unavailable' });
    isFailing = false;
    expect((await overviews.overview()).prompts).toHaveLength(2);
  });

  test('a prompt without a metric shows its traffic, and says nothing of rewards', async () => {
    const { overviews } = world({ config: configOf({ metrics: {} }) });
    const { prompts } = await overviews.overview();

    expect(prompts[0]).toMatchObject({
      metric: null,
      summary: null,
      versions: [],
      generations: { last24h: 40 },
    });
  });

  test('a configured baseline that is gone hides nothing', async () => {
    const { overviews } = world({
      config: configOf({
        metrics: { completed: { type: 'boolean' } },
        prompts: { settings: { tip: { baseline: 'v9' } } },
      }),
    });

    expect((await overviews.overview()).prompts[0]).toMatchObject({ baseline: 'v1' });
  });

  test('live is where the default and the labels lead', async () => {
    expect(await liveOf({})).toEqual(['v1']);
    expect(await liveOf({ labels: { list: () => [labelTo({ kind: 'version', version: 'v3' })] } })).toEqual([
      'v1',
      'v3',
    ]);
  });

  test.each([
    ['running', ['v1', 'v2']],
    ['stopped_by_admin', ['v1']],
    ['not_started', ['v1']],
  ] as const)('behind a label an experiment that is %s leads to %j', async (state, expected) => {
    const labels = { list: () => [labelTo({ kind: 'experiment', experiment: 'tone' })] };
    const experimentReports = { list: () => [{ ...EXPERIMENT, state }] };

    expect(await liveOf({ labels, experimentReports })).toEqual(expected);
  });

  test('an experiment that nothing leads to makes nothing live', async () => {
    const experimentReports = { list: () => [EXPERIMENT] };

    expect(await liveOf({ experimentReports })).toEqual(['v1']);
  });

  test('a decision about a rollout is news for a week', async () => {
    const event = {
      sequence: 1,
      id: 'rol_1',
      subjectKind: 'label',
      subject: 'tip@live',
      from: null,
      to: 'version v2',
      revision: null,
      decision: 'refused',
      reason: 'try',
      actor: 'local',
      gate: NO_GATE,
      live: [],
      facts: null,
    } as const;
    const weekMs = 7 * 24 * HOUR_MS;
    const attentionAt = async (createdAtMs: number) => {
      const { overviews } = world({ rollouts: { page: async () => [{ ...event, createdAtMs }] } });
      return (await overviews.overview()).attention.map(({ code }) => code);
    };

    expect(await attentionAt(START_MS - weekMs)).toContain('gate_refused');
    expect(await attentionAt(START_MS - weekMs - 1)).not.toContain('gate_refused');
  });
});
