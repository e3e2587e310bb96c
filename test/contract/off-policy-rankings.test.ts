import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  createEvaluationQueue,
  createPolicyReports,
  evaluateDecisionLog,
} from '../../src/analytics/index.ts';
import { type Clock, HOUR_MS, seededRandom } from '../../src/kernel/index.ts';
import type { ScoreRecord } from '../../src/ledger/index.ts';
import { replayPolicy, type ScorePolicy } from '../../src/ranking/index.ts';
import {
  chooseByWeights,
  foldLoggedDecision,
  offPolicyEvaluation,
  offPolicyReport,
} from '../../src/statistics/index.ts';
import type { SqliteStorage } from '../../src/storage/sqlite/index.ts';
import { scriptedScorePolicies, scriptedScorePolicy } from '../fakes/scripted-score-policies.ts';
import { outcomeRecord, scoreRecord } from '../helpers/ledger-records.ts';
import { openTemporarySqlite } from '../helpers/open-sqlite-for-test.ts';
import { referenceValues } from '../helpers/reference-values.ts';

const START_MS = Date.UTC(2026, 10, 23, 10);
const NOW_MS = Date.UTC(2026, 10, 24);
const CLOCK: Clock = { nowMs: () => NOW_MS, monotonicMs: () => performance.now(), sleep: async () => {} };
const NEVER = new AbortController().signal;

const TIPS = scriptedScorePolicy({
  features: [
    { kind: 'number', name: 'novelty', source: 'candidate', min: 0, max: 1, default: 0.5 },
    { kind: 'number', name: 'completion_rate', source: 'profile', min: 0, max: 1, default: 0.5 },
  ],
});

let storage: SqliteStorage;
beforeAll(async () => {
  storage = await openTemporarySqlite();
});
afterAll(() => storage.close());

interface Decision {
  readonly propensities: readonly number[];
  readonly estimates: readonly number[];
  readonly novelties?: readonly number[];
  readonly completionRate?: number;
  readonly chosen: number;
  /** Null: nobody answered. */
  readonly reward: number | null;
  readonly atMs: number;
}

async function record(
  policy: string,
  decisions: readonly Decision[],
  given: Partial<ScoreRecord> = {},
): Promise<void> {
  for (const [n, decision] of decisions.entries()) {
    const id = `scr_${policy}_${given.test === true ? 'test' : ''}${n}`;
    await storage.ledger.appendScore(
      scoreRecord({
        id,
        policy,
        policyRevision: `${policy}-1`,
        createdAtMs: decision.atMs,
        finishedAtMs: decision.atMs + 1,
        candidates: decision.propensities.map((propensity, index) => ({
          id: `c${index}`,
          features: { novelty: decision.novelties?.[index] ?? 0.5 },
          estimate: decision.estimates[index] ?? 0,
          propensity,
        })),
        chosen: `c${decision.chosen}`,
        chosenPropensity: decision.propensities[decision.chosen] ?? 0,
        profileFeatures: { completion_rate: decision.completionRate ?? 0.5 },
        ...given,
      }),
      null,
    );
    if (decision.reward === null) continue;
    const { reward, atMs } = decision;
    await storage.ledger.appendOutcomes({
      apiKeyId: 'key-a',
      entries: [
        {
          kind: 'outcome',
          outcome: outcomeRecord(
            { outcomeId: `out_${id}`, reward, value: reward === 1, receivedAtMs: atMs + 1_000 },
            { scoreId: id },
          ),
        },
      ],
    });
  }
}

function reports(...policies: readonly ScorePolicy[]) {
  return createPolicyReports({
    reader: storage.policyReader,
    queue: createEvaluationQueue(),
    policies: scriptedScorePolicies(policies),
    clock: CLOCK,
  });
}

/** Candidates whose chance to please is the closeness of their novelty to the user's rate; chosen nearly at random. */
function simulated(
  seed: number,
  count: number,
): readonly (Decision & { readonly means: readonly number[] })[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, n) => {
    const completionRate = random.next() < 0.5 ? 0 : 1;
    const novelties = [0, 0.5, 1].map((base) => Math.min(1, base + random.next() * 0.1));
    const means = novelties.map((novelty) => 0.1 + 0.7 * (1 - Math.abs(completionRate - novelty)));
    const estimates = novelties.map((novelty) => 0.2 + 0.3 * novelty);
    const propensities = n % 2 === 0 ? [0.4, 0.3, 0.3] : [0.2, 0.3, 0.5];
    const chosen = chooseByWeights(random.next(), propensities) ?? 0;
    const isSilent = random.next() < 0.1;
    const reward = random.next() < (means[chosen] ?? 0) ? 1 : 0;
    return {
      propensities,
      estimates,
      novelties,
      completionRate,
      means,
      chosen,
      reward: isSilent ? null : reward,
      atMs: START_MS + n * 10_000,
    };
  });
}

test('the decisions of the ledger give the reference values of twelve decisions', async () => {
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
      estimates: tiny.q_hat[n] ?? [],
      chosen,
      reward: tiny.reward[n] ?? null,
      atMs: START_MS + n,
    })),
  );

  let evaluation = offPolicyEvaluation({ switchTau: 1, lambda: 1 });
  let after: number | null = 0;
  let row = 0;
  while (after !== null) {
    const page = await storage.policyReader.policyDecisions({
      policy: 'tiny',
      metric: 'completed',
      afterSequence: after,
      limit: 5,
      withFeatures: false,
    });
    for (const { propensities, estimates, chosen, reward } of page.decisions) {
      evaluation = foldLoggedDecision(evaluation, {
        propensities,
        chosen,
        reward: reward ?? Number.NaN,
        target: tiny.evaluation[row] ?? [],
        qHat: estimates,
      });
      row += 1;
    }
    after = page.nextSequence;
  }
  const report = offPolicyReport(evaluation);

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

describe('the report of a ranking policy', () => {
  const decisions = simulated(5, 1_200);
  const settled = decisions.filter(({ reward }) => reward !== null);
  beforeAll(async () => {
    await record('tips', decisions);
    await record('tips', decisions.slice(0, 20), { test: true });
  });

  test('counts what was decided, and what came of it', async () => {
    const report = await reports(TIPS).policyReport('tips', null, NEVER);
    const sum = settled.reduce((total, { reward }) => total + (reward ?? 0), 0);
    const best = decisions.filter(
      ({ estimates, chosen }) => chosen === estimates.indexOf(Math.max(...estimates)),
    );

    expect(report).toMatchObject({
      policy: 'tips',
      kind: 'squarecb',
      metric: 'completed',
      decisions: decisions.length,
      mature: settled.length,
      pending: decisions.length - settled.length,
      sum,
      mean: sum / settled.length,
      chosenBestShare: best.length / decisions.length,
      meanCandidates: 3,
      recent: { decisions: decisions.length, truncated: false, mature: settled.length },
      policyRevisions: [{ policyRevision: 'tips-1', decisions: decisions.length }],
    });
    expect(report.offPolicy).toBeUndefined();
    expect(report.overTime.map(({ decisions: count }) => count)).toEqual([360, 360, 360, 120]);
    expect(report.recent.chosenPropensity).toMatchObject({ p01: 0.2, p50: 0.3, p90: 0.5 });
    expect(report.recent.interval?.lower).toBeLessThan(report.mean ?? 0);
    expect(report.recent.interval?.upper).toBeGreaterThan(report.mean ?? 1);
  });

  test.each([
    ['uniform', () => [1 / 3, 1 / 3, 1 / 3]],
    ['first', () => [1, 0, 0]],
    [
      'greedy',
      ({ estimates }: Decision) => estimates.map((estimate) => (estimate === Math.max(...estimates) ? 1 : 0)),
    ],
  ] as const)('judges %s as the command line does on the same decisions', async (target, sharesOf) => {
    const report = await reports(TIPS).policyReport('tips', target, NEVER);
    const lines = settled.map((decision) =>
      JSON.stringify({
        propensities: decision.propensities,
        chosen: decision.chosen,
        reward: decision.reward,
        target: sharesOf(decision),
        q_hat: decision.estimates,
      }),
    );
    const offline = await evaluateDecisionLog(
      { name: 'log', text: textOf(`${lines.join('\n')}\n`) },
      { scale: { min: 0, max: 1 }, alpha: 0.05, switchTau: 10 },
    );
    const { ips, snips, dm, dr, sndr, switchDr, drOs, gate } = offline;

    expect(report.offPolicy).toMatchObject({
      policy: target,
      decisions: offline.n,
      estimators: { ips, snips, dm, dr, sndr, switchDr, drOs },
      interval: { ...offline.interval, decisions: offline.n, truncated: false },
      effectiveSampleSize: offline.effectiveSampleSize,
      maxWeight: offline.maxWeight,
      meanWeight: offline.meanWeight,
      gate: { concludes: gate.ok, reasons: gate.reasons },
    });
    expect(report.offPolicy?.text).toMatch(/ would have earned 0\.\d+ to 0\.\d+ \(now 0\.\d+\)\.$/);
  });

  test('judges a policy that learns by what it would have known at each decision', async () => {
    const report = await reports(TIPS).policyReport('tips', 'policy:tips', NEVER);
    // What the replayed policy would truly have earned: the simulation knows every candidate's mean.
    const replay = replayPolicy(TIPS);
    let value = 0;
    for (const { novelties = [], completionRate = 0.5, means, chosen, reward, atMs } of settled) {
      const shares = replay.propensities(featuresOf({ novelties, completionRate }), atMs);
      value += shares.reduce((sum, share, index) => sum + share * (means[index] ?? 0), 0) / settled.length;
      replay.learn(chosen, reward ?? 0);
    }
    const now = report.offPolicy?.onPolicy.mean ?? 1;

    expect(report.offPolicy?.gate).toEqual({ concludes: true, reasons: [] });
    expect(report.offPolicy?.interval?.lower).toBeLessThan(value);
    expect(report.offPolicy?.interval?.upper).toBeGreaterThan(value);
    const { value: estimate = 0, standardError } = report.offPolicy?.estimators.dr ?? {};
    expect(Math.abs(estimate - value)).toBeLessThan(4 * (standardError ?? 0));
    // It learns that the user's rate matters: worth much more than chance.
    expect(estimate).toBeGreaterThan(now + 0.1);
    expect(report.offPolicy?.text).toMatch(/^The policy tips would have earned /);
  });

  test('with missing: zero, silence counts once its window has closed', async () => {
    const zero = scriptedScorePolicy({
      ...TIPS,
      declaration: { ...TIPS.declaration, missing: 'zero', attribution_window_hours: 12 },
    });
    const closed = decisions.filter(({ atMs }) => atMs < NOW_MS - 12 * HOUR_MS).length;

    const report = await reports(zero).policyReport('tips', 'uniform', NEVER);

    expect(closed).toBeGreaterThan(100);
    expect(closed).toBeLessThan(decisions.length);
    expect(report).toMatchObject({ mature: closed, pending: decisions.length - closed });
    expect(report.recent).toMatchObject({ decisions: decisions.length, mature: closed });
    expect(report.recent.mean).toBeCloseTo(report.mean ?? Number.NaN, 12);
    expect(report.offPolicy?.decisions).toBe(closed);
  });

  test('refuses what cannot be meant, and stops when nobody waits', async () => {
    const { policyReport } = reports(TIPS);
    const left = new AbortController();
    left.abort();

    await expect(policyReport('tisp', null, NEVER)).rejects.toMatchObject({ code: 'policy_not_found' });
    await expect(policyReport('tips', 'policy:tisp', NEVER)).rejects.toMatchObject({
      code: 'policy_not_found',
    });
    await expect(policyReport('tips', 'best', NEVER)).rejects.toMatchObject({
      code: 'invalid_request',
      faults: [{ path: 'policy', message: expect.stringContaining('uniform, greedy, first or policy:') }],
    });
    await expect(policyReport('tips', 'uniform', left.signal)).rejects.toMatchObject({
      code: 'client_closed',
    });
  });

  test('says that there is nothing to say about a policy without decisions', async () => {
    const report = await reports({ ...TIPS, name: 'unused' }).policyReport('unused', 'greedy', NEVER);

    expect(report).toMatchObject({
      decisions: 0,
      mean: null,
      overTime: [],
      recent: { decisions: 0, mean: null, interval: null, chosenPropensity: null },
    });
    expect(report.offPolicy).toMatchObject({ decisions: 0, interval: null, gate: { concludes: false } });
    expect(report.offPolicy?.text).toMatch(
      /^Cannot say what the best estimate every time would have earned\./,
    );
  });
});

test('rewards of any range, where less is better, stay in the numbers of the metric', async () => {
  const minutes = scriptedScorePolicy({
    ...TIPS,
    name: 'minutes',
    declaration: {
      type: 'float',
      description: '',
      min: 1,
      max: 5,
      optimize: 'min',
      attribution_window_hours: 168,
      missing: 'exclude',
    },
  });
  const decisions = simulated(21, 400).map((decision) => ({
    ...decision,
    reward: decision.reward === null ? null : 1 + 4 * decision.reward,
  }));
  await record('minutes', decisions);

  const { offPolicy, recent } = await reports(minutes).policyReport('minutes', 'greedy', NEVER);
  const lines = decisions
    .filter(({ reward }) => reward !== null)
    .map(({ propensities, chosen, reward, estimates }) =>
      JSON.stringify({
        propensities,
        chosen,
        reward,
        target: estimates.map((estimate) => (estimate === Math.max(...estimates) ? 1 : 0)),
        // An estimate of 1 is the best: here the smallest number.
        q_hat: estimates.map((estimate) => 5 - 4 * estimate),
      }),
    );
  const offline = await evaluateDecisionLog(
    { name: 'log', text: textOf(`${lines.join('\n')}\n`) },
    { scale: { min: 1, max: 5 }, alpha: 0.05, switchTau: 10 },
  );

  for (const name of ['ips', 'snips', 'dm', 'dr', 'sndr', 'switchDr', 'drOs'] as const) {
    expect(offPolicy?.estimators[name]?.value).toBeCloseTo(offline[name]?.value ?? Number.NaN, 10);
  }
  expect(offPolicy?.interval?.lower).toBeCloseTo(offline.interval.lower, 10);
  expect(offPolicy?.interval?.upper).toBeCloseTo(offline.interval.upper, 10);
  expect(recent.interval?.lower).toBeGreaterThan(1);
  expect(recent.interval?.upper).toBeLessThan(5);
});

test('decisions that nobody could have made are left out and counted', async () => {
  const sound: Decision = {
    propensities: [0.5, 0.5],
    estimates: [0.1, 0.2],
    chosen: 0,
    reward: 1,
    atMs: START_MS,
  };
  await record('odd', [sound, { ...sound, propensities: [0, 1] }, { ...sound, propensities: [0.5, 0.4] }]);

  const { offPolicy } = await reports({ ...TIPS, name: 'odd' }).policyReport('odd', 'uniform', NEVER);

  expect(offPolicy).toMatchObject({ decisions: 1, decisionsWithoutPropensities: 2 });
});

test('says that older decisions are gone once retention has deleted them', async () => {
  const decisions = simulated(31, 60);
  await record('aged', decisions);
  const aged = { ...TIPS, name: 'aged' };
  const whole = await reports(aged).policyReport('aged', null, NEVER);

  await storage.retention.retain({
    nowMs: NOW_MS,
    eraseContentsBeforeMs: null,
    deleteRowsBeforeMs: decisions[30]?.atMs ?? 0,
    policies: [],
    maxRows: 100_000,
  });
  const rest = await reports(aged).policyReport('aged', null, NEVER);

  expect(whole.recent).toMatchObject({ truncated: false, decisions: 60 });
  expect(rest.recent.truncated).toBe(true);
  expect(rest.recent.decisions).toBeLessThan(60);
  expect({ ...rest, recent: null }).toEqual({ ...whole, recent: null });
});

test('a replayed policy knows nothing of the rewards to come', () => {
  const log = simulated(9, 300);
  const run = (rewardsFrom: number) => {
    const replay = replayPolicy(TIPS);
    return log.map(({ novelties = [], completionRate = 0.5, chosen, reward, atMs }, n) => {
      const shares = replay.propensities(featuresOf({ novelties, completionRate }), atMs);
      // From there on the rewards are turned round.
      replay.learn(chosen, n < rewardsFrom ? (reward ?? 0) : 1 - (reward ?? 0));
      return shares;
    });
  };

  const one = run(150);
  const other = run(300);

  expect(one.slice(0, 151)).toEqual(other.slice(0, 151));
  expect(one.slice(151)).not.toEqual(other.slice(151));
});

function featuresOf({ novelties = [], completionRate }: Pick<Decision, 'novelties' | 'completionRate'>) {
  return {
    candidates: novelties.map((novelty) => ({ novelty })),
    profile: { completion_rate: completionRate },
    context: null,
  };
}

async function* textOf(text: string): AsyncIterable<string> {
  yield text;
}
