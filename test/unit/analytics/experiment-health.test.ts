import { describe, expect, test } from '@jest/globals';
import { type ArmTotals, type ArmTotalsQuery, createExperimentHealth } from '../../../src/analytics/index.ts';
import { configSchema } from '../../../src/config/index.ts';
import type { Experiment, Guardrail } from '../../../src/experiments/index.ts';
import { type Clock, seededRandom } from '../../../src/kernel/index.ts';
import { experimentOf } from './experiment-world.ts';
import { NOW_MS } from './report-world.ts';

const CLOCK: Clock = { nowMs: () => NOW_MS, monotonicMs: () => 0, sleep: async () => {} };
const ERRORS: Guardrail = { kind: 'error_rate', maxIncrease: 0.02 };

function armOf(arm: string, given: Partial<ArmTotals>): ArmTotals {
  const nothing = { n: 0, sum: 0, sumOfSquares: 0 };
  return {
    arm,
    units: 0,
    calls: 0,
    errors: 0,
    degraded: 0,
    fallbacks: 0,
    outcomes: nothing,
    closedOutcomes: nothing,
    closedUnits: 0,
    ...given,
  };
}

const rewards = (n: number, sum: number) => ({ units: n, outcomes: { n, sum, sumOfSquares: sum } });

function healthOf(totals: readonly ArmTotals[], waived: readonly string[] = []) {
  const queries: ArmTotalsQuery[] = [];
  const health = createExperimentHealth({
    reader: {
      armTotals: async (query) => {
        queries.push(query);
        return totals;
      },
      unitsByRevision: async () => [],
    },
    config: () =>
      configSchema.parse({
        providers: {},
        routes: {},
        metrics: {
          completed: { type: 'boolean' },
          minutes: { type: 'float', min: 0, max: 60, optimize: 'min' },
        },
      }),
    waived: () => new Set(waived),
    clock: CLOCK,
  });
  return { health, queries };
}

async function findingOf(
  guardrail: Guardrail,
  totals: readonly ArmTotals[],
  given: Partial<Experiment> = {},
) {
  const { health } = healthOf(totals);
  const [finding] = await health.guardrails(experimentOf({ ...given, guardrails: [guardrail] }));
  if (finding === undefined) throw new Error('no finding');
  return finding;
}

describe('guardrails', () => {
  test('are breached when an arm certainly fails more often than is tolerated, and not before', async () => {
    const baseline = armOf('v1', { calls: 400, errors: 4 });

    const certain = await findingOf(ERRORS, [baseline, armOf('v3', { calls: 400, errors: 80 })]);
    const likely = await findingOf(ERRORS, [baseline, armOf('v3', { calls: 400, errors: 20 })]);

    expect(certain).toMatchObject({
      guardrail: 'error_rate',
      limit: 0.02,
      breached: true,
      arms: [{ arm: 'v3', breached: true }],
    });
    expect(certain.arms[0]?.loss).toBeCloseTo(0.19, 12);
    expect(certain.arms[0]?.lower).toBeGreaterThan(0.02);
    expect(likely.arms[0]?.loss).toBeCloseTo(0.04, 12);
    expect(likely.breached).toBe(false);
  });

  test('count a loss the way the metric goes, in its own numbers', async () => {
    const completed: Guardrail = { kind: 'metric', metric: 'completed', maxLoss: 0.05 };
    const minutes: Guardrail = { kind: 'metric', metric: 'minutes', maxLoss: 5 };

    const worse = await findingOf(completed, [
      armOf('v1', rewards(800, 400)),
      armOf('v3', rewards(800, 160)),
    ]);
    const better = await findingOf(completed, [
      armOf('v1', rewards(800, 160)),
      armOf('v3', rewards(800, 400)),
    ]);
    const slower = await findingOf(minutes, [
      armOf('v1', rewards(800, 800 * 10)),
      armOf('v3', rewards(800, 800 * 40)),
    ]);

    expect(worse).toMatchObject({ breached: true });
    expect(worse.arms[0]?.loss).toBeCloseTo(0.3, 12);
    expect(better).toMatchObject({ breached: false });
    expect(slower).toMatchObject({ breached: true });
    expect(slower.arms[0]?.loss).toBeCloseTo(30, 9);
    expect(slower.arms[0]?.lower).toBeGreaterThan(5);
  });

  test('say nothing without data of both, and nothing of the baseline', async () => {
    const finding = await findingOf(ERRORS, [armOf('v3', { calls: 5_000, errors: 5_000 })]);

    expect(finding).toMatchObject({ breached: false, arms: [{ arm: 'v3', loss: null, breached: false }] });
  });

  test('share one alpha: the more of them, the wider each interval', async () => {
    const totals = [armOf('v1', { calls: 400, errors: 4 }), armOf('v3', { calls: 400, errors: 40 })];
    const alone = await findingOf(ERRORS, totals);
    const { health } = healthOf(totals);
    const others: readonly Guardrail[] = [0.1, 0.2, 0.3].map((maxLoss) => {
      return { kind: 'metric', metric: 'completed', maxLoss };
    });

    const [shared] = await health.guardrails(experimentOf({ guardrails: [ERRORS, ...others] }));

    expect(shared?.arms[0]?.lower).toBeLessThan(alone.arms[0]?.lower ?? 0);
  });

  test('look at the units of the present definition alone', async () => {
    const { health, queries } = healthOf([]);

    await health.guardrails(experimentOf({ revision: 'sha256:two', guardrails: [ERRORS] }));

    expect(queries).toMatchObject([{ experiment: 'tips', experimentRevision: 'sha256:two' }]);
  });

  test('say which were waived', async () => {
    const { health } = healthOf([], ['error_rate:0.02']);

    const [finding] = await health.guardrails(experimentOf({ guardrails: [ERRORS] }));

    expect(finding?.waived).toBe(true);
  });

  test('stop at most one sound experiment in twenty, however often somebody looks', async () => {
    const RUNS = 200;
    const CALLS = 600;
    const FAILURE = 0.05;
    const random = seededRandom(4711);
    let stopped = 0;
    for (let run = 0; run < RUNS; run += 1) {
      const errors = { v1: 0, v3: 0 };
      for (let calls = 1; calls <= CALLS; calls += 1) {
        if (random.next() < FAILURE) errors.v1 += 1;
        if (random.next() < FAILURE) errors.v3 += 1;
        if (calls % 20 !== 0) continue;
        const totals = [armOf('v1', { calls, errors: errors.v1 }), armOf('v3', { calls, errors: errors.v3 })];
        const { breached } = await findingOf({ kind: 'error_rate', maxIncrease: 0 }, totals);
        if (!breached) continue;
        stopped += 1;
        break;
      }
    }

    // 5 % is promised; the union bound stays far below it.
    expect(stopped).toBeLessThanOrEqual(0.05 * RUNS);
  });
});
