import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { AppError, HOUR_MS, seededRandom, silentLogger } from '../../src/kernel/index.ts';
import {
  createScorePolicies,
  rankCandidates,
  type ScorePolicies,
  type ScorePolicy,
  type ScorePolicyStore,
} from '../../src/ranking/index.ts';
import { ridgeModel } from '../../src/statistics/index.ts';
import type { SqliteStorage } from '../../src/storage/sqlite/index.ts';
import { type ManualClock, manualClock } from '../fakes/manual-clock.ts';
import { outcomeRecord, scoreRecord } from '../helpers/ledger-records.ts';
import { openSqliteOn } from '../helpers/open-sqlite-for-test.ts';
import { scorePolicy } from '../helpers/score-policy.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const CANDIDATES = [
  { id: 'walk', features: { effort: 0.2 } },
  { id: 'run', features: { effort: 0.9 } },
];

let folder: ReturnType<typeof temporaryFolder>;
let storage: SqliteStorage;
let clock: ManualClock;

beforeEach(async () => {
  folder = temporaryFolder();
  storage = await openSqliteOn(join(folder.path, 'gateway.db'));
  clock = manualClock();
});
afterEach(async () => {
  await storage.close();
  folder.remove();
});

interface Trainer extends ScorePolicies {
  configure(policies: readonly ScorePolicy[]): Promise<void>;
}

async function trainer(
  configured: readonly ScorePolicy[],
  store: ScorePolicyStore = storage.scorePolicies,
): Promise<Trainer> {
  let definitions = configured;
  const policies = createScorePolicies({ policies: () => definitions, store, clock, logger: silentLogger });
  await policies.restore();
  return {
    ...policies,
    configure: async (next) => {
      const takeOver = await policies.prepare(next);
      definitions = next;
      takeOver();
    },
  };
}

/** One decision as the serving story records it. */
async function decide(policies: ScorePolicies, id: string, energy: number, draw: number): Promise<void> {
  const policy = policies.find(null);
  const snapshot = policies.current(policy.name);
  const ranked = rankCandidates({
    policy,
    snapshot,
    candidates: CANDIDATES,
    profileFeatures: { energy },
    contextFeatures: null,
    random: { next: () => draw },
  });
  await storage.ledger.appendScore(
    scoreRecord({
      id,
      createdAtMs: clock.nowMs(),
      finishedAtMs: clock.nowMs(),
      policy: policy.name,
      policyDefinition: policy.revision,
      policyRevision: snapshot.revision,
      modelRevision: policy.modelRevision,
      candidates: CANDIDATES.map((candidate, index) => ({
        ...candidate,
        estimate: ranked.estimates[index] ?? 0,
        propensity: ranked.propensities[index] ?? 0,
      })),
      chosen: CANDIDATES[ranked.chosen]?.id ?? '',
      chosenPropensity: ranked.propensities[ranked.chosen] ?? 0,
      chosenInput: ranked.chosenInput,
      profileFeatures: { energy },
    }),
    null,
  );
}

async function report(outcomeId: string, scoreId: string, reward: number): Promise<void> {
  const receivedAtMs = clock.nowMs();
  const outcome = outcomeRecord({ outcomeId, reward, value: reward, receivedAtMs }, { scoreId });
  await storage.ledger.appendOutcomes({ apiKeyId: 'key-a', entries: [{ kind: 'outcome', outcome }] });
}

async function withdraw(outcomeId: string): Promise<void> {
  const entry = { kind: 'void', void: { outcomeId, receivedAtMs: clock.nowMs() } } as const;
  await storage.ledger.appendOutcomes({ apiKeyId: 'key-a', entries: [entry] });
}

/** A history with late, corrected and withdrawn rewards, learnt from as it happens. */
async function live(policies: ScorePolicies, decisions: number): Promise<void> {
  const random = seededRandom(20_261_123);
  for (let decision = 0; decision < decisions; decision += 1) {
    await decide(policies, `scr_${decision}`, random.next(), random.next());
    if (random.next() < 0.8) await report(`out_${decision}`, `scr_${decision}`, random.next() < 0.5 ? 1 : 0);
    if (random.next() < 0.2) await report(`late_${decision}`, `scr_${Math.floor(decision / 2)}`, 1);
    if (random.next() < 0.1) await withdraw(`out_${Math.floor(decision / 3)}`);
    await clock.advance(20_000);
    if (decision % 9 === 0) await policies.update('tips');
  }
  await policies.update('tips');
}

/** The inputs and rewards that count, straight from the rows. */
async function rewardedRows(): Promise<readonly { input: readonly number[]; reward: number }[]> {
  const { rows } = await storage.ledgerReader.readRows('scores', 0, 1_000);
  const stored = await Promise.all(rows.map((row) => storage.ledgerReader.findScore(String(row['id']))));
  return stored.flatMap((score) => {
    const counting = score?.outcomes.find((outcome) => outcome.counts);
    return score === null || counting === undefined
      ? []
      : [{ input: score.chosenInput, reward: counting.reward }];
  });
}

function worstDifference(a: readonly number[], b: readonly number[]): number {
  return Math.max(...a.map((value, index) => Math.abs(value - (b[index] ?? Number.NaN))));
}

describe('a policy trained from the ledger', () => {
  test('starts even, and stores the snapshot that its first decisions name', async () => {
    const policies = await trainer([scorePolicy()]);

    expect(policies.current('tips')).toMatchObject({ revision: 'tips-1', rewards: 0, coefficients: [] });
    expect(await storage.scorePolicies.latestSnapshot('tips')).toEqual(policies.current('tips'));
    await policies.update('tips');
    expect(policies.current('tips').revision).toBe('tips-1');
  });

  test('comes to what a full recomputation from the rows gives', async () => {
    const policies = await trainer([scorePolicy()]);
    await live(policies, 120);

    const rows = await rewardedRows();
    const model = ridgeModel({ dimension: 4, lambda: 1 });
    for (const { input, reward } of rows) model.add(input, reward);

    const { rewards, coefficients } = policies.current('tips');
    expect(rewards).toBe(rows.length);
    expect(rows.length).toBeGreaterThan(60);
    expect(worstDifference(coefficients, model.coefficients())).toBeLessThanOrEqual(1e-9);
  });

  test('resumes after a restart to the same bits', async () => {
    const policies = await trainer([scorePolicy()]);
    await live(policies, 40);
    const before = policies.current('tips');
    await storage.close();
    storage = await openSqliteOn(join(folder.path, 'gateway.db'));

    const restarted = await trainer([scorePolicy()]);

    expect(restarted.current('tips')).toEqual(before);
    await restarted.update('tips');
    expect(restarted.current('tips')).toEqual(before);
    await report('out_more', 'scr_3', 0.5);
    await restarted.update('tips');
    expect(restarted.current('tips').sequence).toBe(before.sequence + 1);
  });

  test.each([1, 0.9])('another definition learns the whole history: discount %p', async (discount) => {
    const policies = await trainer([scorePolicy({ discount, interactions: [] })]);
    await live(policies, 60);
    const later = scorePolicy({ discount });

    await policies.configure([later]);
    // The one before it answers until the new one is trained.
    expect(policies.find('tips').modelRevision).not.toBe(later.modelRevision);
    await policies.update('tips');

    expect(policies.find('tips').modelRevision).toBe(later.modelRevision);
    expect(policies.current('tips').coefficients).toHaveLength(4);
    await policies.configure([scorePolicy({ discount, interactions: [] })]);
    await policies.update('tips');
    await policies.configure([later]);
    const relearnt = await storage.scorePolicies.findState('tips', later.modelRevision);
    const rows = await rewardedRows();
    expect(relearnt?.rewards).toBe(rows.length);
    if (discount === 1) {
      const model = ridgeModel({ dimension: 4, lambda: 1 });
      for (const { input, reward } of rows)
        model.add([...input.slice(0, 3), (input[1] ?? 0) * (input[2] ?? 0)], reward);
      expect(worstDifference(relearnt?.ridge.moment ?? [], model.state().moment)).toBeLessThanOrEqual(1e-9);
    }
  });

  test('a model relearnt with discounting is the one that learnt as it happened', async () => {
    const policy = scorePolicy({ discount: 0.9 });
    const policies = await trainer([policy]);
    await live(policies, 60);
    const learnt = await storage.scorePolicies.findState('tips', policy.modelRevision);
    const again = await trainer([{ ...policy, modelRevision: 'sha256:again', revision: 'sha256:again' }]);

    await again.update('tips');

    const relearnt = await storage.scorePolicies.findState('tips', 'sha256:again');
    expect(relearnt?.updates).toBe(learnt?.updates);
    expect(relearnt?.updates).toBeGreaterThan(10);
    expect(worstDifference(relearnt?.ridge.gram ?? [], learnt?.ridge.gram ?? [])).toBeLessThanOrEqual(1e-9);
    expect(worstDifference(relearnt?.ridge.moment ?? [], learnt?.ridge.moment ?? [])).toBeLessThanOrEqual(
      1e-9,
    );
  });

  test('another way to explore keeps what was learnt, at once', async () => {
    const policies = await trainer([scorePolicy()]);
    await live(policies, 20);
    const before = policies.current('tips');

    await policies.configure([scorePolicy({ gamma_scale: 1 })]);

    expect(policies.find('tips').gammaScale).toBe(1);
    expect(policies.current('tips')).toMatchObject({
      sequence: before.sequence + 1,
      coefficients: before.coefficients,
      rewards: before.rewards,
    });
    await policies.update('tips');
    expect(policies.current('tips').sequence).toBe(before.sequence + 1);
  });

  test('where silence counts as 0, waits for the window, then learns each decision once', async () => {
    const policies = await trainer([scorePolicy({}, { missing: 'zero', attribution_window_hours: 1 })]);
    await decide(policies, 'scr_1', 0.5, 0);
    await decide(policies, 'scr_2', 0.5, 0);
    await report('out_1', 'scr_1', 1);
    await policies.update('tips');
    expect(policies.current('tips').rewards).toBe(0);

    await clock.advance(HOUR_MS);
    await decide(policies, 'scr_3', 0.5, 0);
    await policies.update('tips');
    const model = ridgeModel({ dimension: 4, lambda: 1 });
    model.add([1, 0.2, 0.5, 0.1], 1);
    model.add([1, 0.2, 0.5, 0.1], 0);
    expect(policies.current('tips').rewards).toBe(2);
    expect(worstDifference(policies.current('tips').coefficients, model.coefficients())).toBeLessThanOrEqual(
      1e-12,
    );

    await withdraw('out_1');
    await policies.update('tips');
    const silent = policies.current('tips');
    expect(silent.rewards).toBe(2);
    expect(Math.max(...silent.coefficients.map(Math.abs))).toBeLessThanOrEqual(1e-12);
  });

  test('where silence counts as 0, comes to the reward of every closed decision, whenever it was read', async () => {
    const policy = scorePolicy({}, { missing: 'zero', attribution_window_hours: 0.25 });
    const policies = await trainer([policy]);
    // 40 minutes; the window of the first half has closed by the end.
    await live(policies, 120);
    const { rows } = await storage.ledgerReader.readRows('scores', 0, 1_000);
    const model = ridgeModel({ dimension: 4, lambda: 1 });
    let closed = 0;
    for (const row of rows) {
      if (Number(row['created_at_ms']) + HOUR_MS / 4 > clock.nowMs()) continue;
      const score = await storage.ledgerReader.findScore(String(row['id']));
      const reward = score?.outcomes.find((outcome) => outcome.counts)?.reward ?? 0;
      model.add(score?.chosenInput ?? [], reward);
      closed += 1;
    }

    const { rewards, coefficients } = policies.current('tips');
    expect(rewards).toBe(closed);
    expect(closed).toBeGreaterThan(50);
    expect(closed).toBeLessThan(120);
    expect(worstDifference(coefficients, model.coefficients())).toBeLessThanOrEqual(1e-9);
  });

  test('two updates at once count nothing twice', async () => {
    const policies = await trainer([scorePolicy()]);
    await decide(policies, 'scr_1', 0.5, 0);
    await report('out_1', 'scr_1', 1);

    await Promise.all([policies.update('tips'), policies.update('tips'), policies.update('tips')]);

    expect(policies.current('tips')).toMatchObject({ rewards: 1, sequence: 2 });
  });

  test('keeps the last snapshot while the ledger takes no writes, and learns afterwards', async () => {
    let isFull = false;
    const policies = await trainer([scorePolicy()], {
      ...storage.scorePolicies,
      commit: (training) =>
        isFull
          ? Promise.reject(new AppError('storage_unavailable', 'the disk is full'))
          : storage.scorePolicies.commit(training),
    });
    policies.start();
    await clock.settle();
    await decide(policies, 'scr_1', 0.5, 0);
    await report('out_1', 'scr_1', 1);
    isFull = true;
    await clock.advance(60_000);
    expect(policies.current('tips').rewards).toBe(0);

    isFull = false;
    await clock.advance(60_000);

    expect(policies.current('tips').rewards).toBe(1);
    await policies.close();
    expect(clock.sleeping).toBe(0);
  });

  test('follows the configuration: a policy that is gone is refused, a new one answers', async () => {
    const policies = await trainer([scorePolicy()]);
    policies.start();
    const other = { ...scorePolicy({ gamma_scale: 2 }), name: 'lessons' };

    await policies.configure([other]);

    expect(policies.find(null).name).toBe('lessons');
    expect(() => policies.find('tips')).toThrow('There is no policy "tips"; known: lessons.');
    expect(policies.current('lessons').revision).toBe('lessons-1');
    await policies.configure([]);
    expect(() => policies.find(null)).toThrow('No policy of ranking is configured');
    await policies.close();
    expect(clock.sleeping).toBe(0);
  });

  test('names the policy that was meant', async () => {
    const policies = await trainer([scorePolicy()]);

    expect(() => policies.find('tip')).toThrow(
      'There is no policy "tip" (did you mean "tips"?); known: tips.',
    );
  });
});
