import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  createEvaluationQueue,
  createExperimentOffPolicy,
  evaluateDecisionLog,
  type UnitDecisionPage,
} from '../../src/analytics/index.ts';
import { HOUR_MS, seededRandom } from '../../src/kernel/index.ts';
import {
  chooseByWeights,
  foldLoggedCell,
  foldLoggedDecision,
  offPolicyEvaluation,
  offPolicyReport,
} from '../../src/statistics/index.ts';
import type { SqliteStorage } from '../../src/storage/sqlite/index.ts';
import { generationRecord, outcomeRecord } from '../helpers/ledger-records.ts';
import { openTemporarySqlite } from '../helpers/open-sqlite-for-test.ts';
import { referenceValues } from '../helpers/reference-values.ts';

const NOW_MS = Date.UTC(2026, 10, 25);
const NEVER = new AbortController().signal;
const ARMS = ['v1', 'v2', 'v3'];

let storage: SqliteStorage;
beforeAll(async () => {
  storage = await openTemporarySqlite();
});
afterAll(() => storage.close());

interface Decision {
  readonly propensities: readonly number[];
  readonly chosen: number;
  /** Null: nobody answered. */
  readonly reward: number | null;
  readonly createdAtMs: number;
}

/** Writes the decisions as first calls of units; equal propensities are one policy revision. */
async function record(experiment: string, decisions: readonly Decision[]): Promise<void> {
  const revisions = new Map<string, string>();
  for (const [n, { propensities, chosen, reward, createdAtMs }] of decisions.entries()) {
    const byArm = Object.fromEntries(ARMS.map((arm, index) => [arm, propensities[index] ?? 0]));
    const key = JSON.stringify(byArm);
    if (!revisions.has(key)) {
      const sequence = revisions.size + 1;
      revisions.set(key, `${experiment}-${sequence}`);
      await storage.policySnapshots.appendSnapshot({
        experiment,
        revision: `${experiment}-${sequence}`,
        sequence,
        experimentRevision: 'sha256:one',
        policy: 'thompson',
        computedAtMs: createdAtMs,
        propensities: byArm,
        posteriors: {},
      });
    }
    const id = `gen_${experiment}_${n}`;
    await storage.ledger.appendGeneration(
      generationRecord({
        id,
        createdAtMs,
        experiment,
        experimentRevision: 'sha256:one',
        arm: ARMS[chosen] ?? null,
        propensity: propensities[chosen] ?? null,
        propensities: byArm,
        assignedPolicyRevision: revisions.get(key) ?? null,
        unitKey: `${experiment}-unit-${n}`,
      }),
      null,
    );
    if (reward === null) continue;
    await storage.ledger.appendOutcomes({
      apiKeyId: 'key-a',
      entries: [
        {
          kind: 'outcome',
          outcome: outcomeRecord(
            { outcomeId: `out_${id}`, reward, value: reward === 1, receivedAtMs: createdAtMs + 1_000 },
            { generationId: id },
          ),
        },
      ],
    });
  }
}

const offPolicy = () =>
  createExperimentOffPolicy({ reader: storage.offPolicyReader, queue: createEvaluationQueue() });

type Experiment = Parameters<ReturnType<typeof offPolicy>['evaluate']>[0];

function experimentNamed(experiment: string, given: Partial<Experiment> = {}): Experiment {
  return {
    experiment,
    prompt: 'tip',
    metric: 'completed',
    missing: 'exclude',
    scale: { min: 0, max: 1 },
    attributionWindowHours: 168,
    generatedAt: new Date(NOW_MS).toISOString(),
    arms: ARMS.map((arm) => ({ arm, promptVersion: arm })),
    sampleRatio: { alarm: false },
    ...given,
  };
}

/** What a simulated bandit decided: shares that move after every 300 units. */
function simulated(seed: number, count: number): readonly Decision[] {
  const random = seededRandom(seed);
  const means = [0.2, 0.35, 0.5];
  const phases = [
    [0.3334, 0.3333, 0.3333],
    [0.2, 0.3, 0.5],
    [0.1, 0.15, 0.75],
  ];
  return Array.from({ length: count }, (_, n) => {
    const propensities = phases[Math.floor(n / 300) % phases.length] ?? [];
    const chosen = chooseByWeights(random.next(), propensities) ?? 0;
    const reward = random.next() < 0.1 ? null : random.next() < (means[chosen] ?? 0) ? 1 : 0;
    return { propensities, chosen, reward, createdAtMs: Date.UTC(2026, 10, 23, 10) + n * 20_000 };
  });
}

describe('the cells of the ledger', () => {
  test('give the reference values of twelve decisions', async () => {
    interface Tiny {
      readonly tolerance_rel: number;
      readonly case: Readonly<Record<string, number>> & {
        readonly action: readonly number[];
        readonly reward: readonly number[];
        readonly behavior: readonly (readonly number[])[];
        readonly evaluation: readonly (readonly number[])[];
        readonly q_hat: readonly (readonly number[])[];
      };
    }
    const { case: tiny, tolerance_rel } = referenceValues<Tiny>('ope_tiny');
    await record(
      'tiny',
      tiny.action.map((chosen, n) => ({
        propensities: tiny.behavior[n] ?? [],
        chosen,
        reward: tiny.reward[n] ?? null,
        createdAtMs: Date.UTC(2026, 10, 23, 10, n),
      })),
    );

    const cells = await storage.offPolicyReader.rewardCells({
      experiment: 'tiny',
      metric: 'completed',
      closedBeforeMs: 0,
    });
    let evaluation = offPolicyEvaluation({ switchTau: 1, lambda: 1 });
    for (const { propensities, policyRevision, arm, outcomes } of cells) {
      // The target and the model of the reference depend on the row's propensities alone, as the revision does.
      const row = policyRevision === 'tiny-1' ? 0 : 1;
      evaluation = foldLoggedCell(evaluation, {
        propensities: ARMS.map((name) => propensities?.[name] ?? 0),
        chosen: ARMS.indexOf(arm),
        target: tiny.evaluation[row] ?? [],
        qHat: tiny.q_hat[row] ?? [],
        rewards: outcomes,
      });
    }
    const report = offPolicyReport(evaluation);

    expect(report.n).toBe(12);
    for (const [actual, expected] of [
      [report.ips?.value, tiny['IPS']],
      [report.snips?.value, tiny['SNIPS']],
      [report.dm?.value, tiny['DM']],
      [report.dr?.value, tiny['DR']],
      [report.sndr?.value, tiny['SNDR']],
      [report.switchDr?.value, tiny['SWITCH_DR_tau1']],
      [report.drOs?.value, tiny['DRos_lambda1']],
      [report.effectiveSampleSize, tiny['ess']],
    ] as const) {
      expect(Math.abs((actual ?? Number.NaN) / (expected ?? Number.NaN) - 1)).toBeLessThanOrEqual(
        tolerance_rel,
      );
    }
  });
});

describe('what if', () => {
  const decisions = simulated(7, 1_500);
  beforeAll(() => record('tone', decisions));

  test('agrees with the command line on the same decisions', async () => {
    const report = experimentNamed('tone');
    const answer = await offPolicy().evaluate(report, 'weights:v1=1,v3=3', NEVER);
    const settled = decisions.filter(({ reward }) => reward !== null);
    const qHat = ARMS.map((_arm, arm) => {
      const rewards = settled.filter(({ chosen }) => chosen === arm).map(({ reward }) => reward ?? 0);
      return rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
    });
    const lines = settled.map(({ propensities, chosen, reward }) =>
      JSON.stringify({ propensities, chosen, reward, target: [0.25, 0, 0.75], q_hat: qHat }),
    );
    const offline = await evaluateDecisionLog(
      { name: 'log', text: textOf(`${lines.join('\n')}\n`) },
      { scale: { min: 0, max: 1 }, alpha: 0.05, switchTau: 10 },
    );

    expect(answer.decisions).toBe(offline.n);
    for (const name of ['ips', 'snips', 'dr', 'sndr', 'switchDr', 'drOs'] as const) {
      expect(answer.estimators[name]?.value).toBeCloseTo(offline[name]?.value ?? Number.NaN, 10);
      expect(answer.estimators[name]?.standardError).toBeCloseTo(
        offline[name]?.standardError ?? Number.NaN,
        10,
      );
    }
    expect(answer.estimators.dm?.value).toBeCloseTo(offline.dm?.value ?? Number.NaN, 10);
    expect(answer.effectiveSampleSize).toBeCloseTo(offline.effectiveSampleSize, 8);
    expect(answer.maxWeight).toBeCloseTo(offline.maxWeight, 12);
    expect(answer.meanWeight?.value).toBeCloseTo(offline.meanWeight?.value ?? Number.NaN, 12);
    expect(answer.gate).toEqual({ concludes: true, reasons: [] });
    // The command line was given the means of all rewards, the report predicts from earlier ones: alike, not equal.
    expect(answer.interval?.lower).toBeCloseTo(offline.interval.lower, 1);
    expect(answer.interval?.upper).toBeCloseTo(offline.interval.upper, 1);
    expect(answer.interval?.decisions).toBe(offline.n);
  });

  test('says what everybody on one arm would have earned', async () => {
    const answer = await offPolicy().evaluate(experimentNamed('tone'), 'arm:v3', NEVER);

    const shown = [answer.interval?.lower, answer.interval?.upper, answer.onPolicy.mean].map((x) =>
      x?.toFixed(2),
    );
    expect(answer.text).toBe(
      `Everybody on v3 would have earned ${shown[0]} to ${shown[1]} (now ${shown[2]}).`,
    );
    expect(answer.interval?.lower).toBeGreaterThan(0.35);
    expect(answer.interval?.lower).toBeLessThan(0.5);
    expect(answer.interval?.upper).toBeGreaterThan(0.5);
    expect(answer.interval).toMatchObject({
      method: 'gamma-exponential confidence sequence',
      confidence: 0.95,
      truncated: false,
    });
    expect(answer.onPolicy.interval?.lower).toBeLessThan(answer.onPolicy.mean ?? 0);
    expect(answer.onPolicy.interval?.upper).toBeGreaterThan(answer.onPolicy.mean ?? 1);
  });

  test('judges the probabilities of a revision by the others', async () => {
    const report = experimentNamed('tone');
    const byRevision = await offPolicy().evaluate(report, 'revision:tone-3', NEVER);
    const byWeights = await offPolicy().evaluate(report, 'weights:v1=0.1,v2=0.15,v3=0.75', NEVER);

    expect(byRevision.estimators.ips?.value).toBeCloseTo(byWeights.estimators.ips?.value ?? Number.NaN, 12);
    expect(byRevision.text).toContain('The probabilities of tone-3 would have earned');
    await expect(offPolicy().evaluate(report, 'revision:tone-9', NEVER)).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('tone-1, tone-2, tone-3'),
    });
  });

  test('counts silence only by the rule of the metric', async () => {
    const silent = decisions.filter(({ reward }) => reward === null).length;
    const open = await offPolicy().evaluate(experimentNamed('tone', { missing: 'zero' }), 'uniform', NEVER);
    const closed = await offPolicy().evaluate(
      experimentNamed('tone', { missing: 'zero', attributionWindowHours: 1 }),
      'uniform',
      NEVER,
    );

    expect(silent).toBeGreaterThan(100);
    expect(open).toMatchObject({ decisions: 0, interval: null, gate: { concludes: false } });
    expect(open.text).toMatch(/^Cannot say what an even split over the arms would have earned\./);
    expect(closed.decisions).toBe(decisions.length);
    expect(closed.interval?.decisions).toBe(decisions.length);
  });

  test('concludes nothing while the assignment is broken', async () => {
    const report = experimentNamed('tone');
    const broken = { ...report, sampleRatio: { alarm: true } };

    const answer = await offPolicy().evaluate(broken, 'arm:v3', NEVER);

    expect(answer.gate.concludes).toBe(false);
    expect(answer.gate.reasons.map(({ fault }) => fault)).toEqual(['assignment_broken']);
  });

  test('stops when nobody waits for the answer', async () => {
    const leaving = new AbortController();
    const answer = offPolicy().evaluate(experimentNamed('tone'), 'arm:v3', leaving.signal);
    leaving.abort();

    await expect(answer).rejects.toMatchObject({ code: 'client_closed' });
  });
});

test('late, corrected and withdrawn outcomes count in the estimators as in the rows', async () => {
  const decisions = simulated(11, 400);
  await record('fixed', decisions);
  const later = (n: number, reward: number) => ({
    kind: 'outcome' as const,
    outcome: outcomeRecord(
      { outcomeId: `fix_${n}`, reward, value: reward === 1, receivedAtMs: Date.UTC(2026, 10, 24) },
      { generationId: `gen_fixed_${n}` },
    ),
  });
  for (const [n, { reward }] of decisions.entries()) {
    if (n % 7 === 0) {
      await storage.ledger.appendOutcomes({ apiKeyId: 'key-a', entries: [later(n, 1 - (reward ?? 0))] });
    }
    if (n % 11 === 0) {
      const outcomeId = `out_gen_fixed_${n}`;
      const entries = [{ kind: 'void' as const, void: { outcomeId, receivedAtMs: 0 } }];
      await storage.ledger.appendOutcomes({ apiKeyId: 'key-a', entries });
    }
  }

  const answer = await offPolicy().evaluate(experimentNamed('fixed'), 'weights:v1=1,v2=1,v3=2', NEVER);
  const rows: { readonly revision: string; readonly chosen: number; readonly reward: number }[] = [];
  let after: { createdAtMs: number; sequence: number } | null = { createdAtMs: 0, sequence: 0 };
  while (after !== null) {
    const page: UnitDecisionPage = await storage.offPolicyReader.unitDecisions({
      experiment: 'fixed',
      prompt: 'tip',
      metric: 'completed',
      after,
      toMs: NOW_MS,
      limit: 97,
    });
    for (const { policyRevision: revision, arm, reward } of page.decisions) {
      if (reward !== null) rows.push({ revision, chosen: ARMS.indexOf(arm), reward });
    }
    after = page.next;
  }
  const qHat = ARMS.map((_arm, arm) => {
    const rewards = rows.filter(({ chosen }) => chosen === arm).map(({ reward }) => reward);
    return rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
  });
  let evaluation = offPolicyEvaluation();
  for (const { revision, chosen, reward } of rows) {
    const byArm = await storage.offPolicyReader.revisionPropensities('fixed', revision);
    const propensities = ARMS.map((arm) => byArm?.[arm] ?? 0);
    evaluation = foldLoggedDecision(evaluation, {
      propensities,
      chosen,
      reward,
      target: [0.25, 0.25, 0.5],
      qHat,
    });
  }
  const expected = offPolicyReport(evaluation);

  expect(rows.length).not.toBe(decisions.filter(({ reward }) => reward !== null).length);
  expect(answer.decisions).toBe(rows.length);
  expect(answer.interval?.decisions).toBe(rows.length);
  for (const name of ['ips', 'snips', 'dr', 'sndr', 'switchDr', 'drOs'] as const) {
    expect(answer.estimators[name]?.value).toBeCloseTo(expected[name]?.value ?? Number.NaN, 10);
    expect(answer.estimators[name]?.standardError).toBeCloseTo(
      expected[name]?.standardError ?? Number.NaN,
      10,
    );
  }
});

test('refuses to conclude about an arm that units could not get', async () => {
  const random = seededRandom(3);
  await record(
    'half',
    Array.from({ length: 400 }, (_, n) => ({
      propensities: [0.5, 0.5, 0],
      chosen: random.next() < 0.5 ? 0 : 1,
      reward: random.next() < 0.5 ? 1 : 0,
      createdAtMs: Date.UTC(2026, 10, 23, 10) + (n * HOUR_MS) / 100,
    })),
  );

  const answer = await offPolicy().evaluate(experimentNamed('half'), 'weights:v1=0.5,v2=0.48,v3=0.02', NEVER);

  expect(answer.shareWithoutSupport).toBeCloseTo(0.02, 12);
  expect(answer.gate.concludes).toBe(false);
  expect(answer.gate.reasons.map(({ fault }) => fault)).toContain('support_missing');
  expect(answer.text).toContain('Cannot say what the split v1 0.5, v2 0.48, v3 0.02 would have earned');
});

async function* textOf(text: string): AsyncIterable<string> {
  yield text;
}

// Last: deletes rows of every experiment in this file.
test('calls an interval one over the newest decisions once retention has deleted older ones', async () => {
  const decisions = simulated(21, 600);
  await record('aged', decisions);
  const whole = await offPolicy().evaluate(experimentNamed('aged'), 'arm:v3', NEVER);

  const progress = await storage.retention.retain({
    nowMs: NOW_MS,
    eraseContentsBeforeMs: null,
    deleteRowsBeforeMs: decisions[300]?.createdAtMs ?? 0,
    policies: [],
    maxRows: 100_000,
  });
  const rest = await offPolicy().evaluate(experimentNamed('aged'), 'arm:v3', NEVER);

  expect(progress.rowsDeleted).toBeGreaterThan(100);
  expect(whole.interval?.truncated).toBe(false);
  expect(rest.interval?.truncated).toBe(true);
  expect(rest.interval?.decisions).toBeLessThan(whole.interval?.decisions ?? 0);
  expect(rest.text).toContain('over the newest');
  // Estimates come from sums, which nothing takes.
  expect(rest.estimators).toEqual(whole.estimators);
});
