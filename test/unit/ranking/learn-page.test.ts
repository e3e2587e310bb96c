import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { seededRandom } from '../../../src/kernel/index.ts';
import {
  type RewardChange,
  rankCandidates,
  type ScorePolicy,
  type ScoreTrainingMark,
  type ScoreTrainingState,
  type TrainingPage,
} from '../../../src/ranking/index.ts';
import { freshState, learnPage } from '../../../src/ranking/learn-page.ts';
import { ridgeModel } from '../../../src/statistics/index.ts';
import { scorePolicy } from '../../helpers/score-policy.ts';

/** One more report about decision `decision`, as the log of changes has it; null withdraws. */
interface Report {
  readonly decision: number;
  readonly reward: number | null;
  readonly minute: number;
}

const MINUTE_MS = 60_000;

function inputOf(decision: number): readonly number[] {
  const effort = ((decision * 7) % 10) / 10;
  const energy = ((decision * 3) % 10) / 10;
  return [1, effort, energy, effort * energy];
}

/** The log that the ledger keeps of the reports, without what changes nothing. */
function logOf(reports: readonly Report[]): readonly RewardChange[] {
  const current = new Map<number, { readonly reward: number | null; readonly sequence: number }>();
  const log: RewardChange[] = [];
  for (const { decision, reward, minute } of reports) {
    const before = current.get(decision);
    if ((before?.reward ?? null) === reward) continue;
    const sequence = log.length + 1;
    log.push({
      sequence,
      previousSequence: before?.sequence ?? null,
      changedAtMs: minute * MINUTE_MS,
      before: before?.reward ?? null,
      after: reward,
      choice: { sequence: decision, input: inputOf(decision), features: null },
      beforeUpdate: null,
      closedUpdate: null,
    });
    current.set(decision, { reward, sequence });
  }
  return log;
}

/** Learns the log in pages, with marks looked up as the ledger does. */
function learnt(policy: ScorePolicy, log: readonly RewardChange[], pageRows: number): ScoreTrainingState {
  const marks = new Map<number, ScoreTrainingMark>();
  const markOf = (position: 'changePosition' | 'closedPosition', at: number): number | null =>
    [...marks.values()]
      .filter((mark) => mark[position] >= at)
      .sort((a, b) => a[position] - b[position] || a.update - b.update)[0]?.update ?? null;
  let state = freshState(policy);
  for (let start = 0; start < log.length; start += pageRows) {
    const changes = log.slice(start, start + pageRows).map((change) => ({
      ...change,
      beforeUpdate:
        change.previousSequence === null ? null : markOf('changePosition', change.previousSequence),
    }));
    const page: TrainingPage = { changes, closed: [], isLast: false };
    const next = learnPage(policy, state, page);
    for (const mark of next.marks) marks.set(mark.update, mark);
    state = next.state;
  }
  return state;
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  const worst = Math.max(...actual.map((value, index) => Math.abs(value - (expected[index] ?? Number.NaN))));
  expect(worst).toBeLessThanOrEqual(1e-9);
}

const reports = fc
  .array(
    fc.record({
      decision: fc.integer({ min: 1, max: 6 }),
      reward: fc.option(
        fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100),
        { nil: null },
      ),
      pause: fc.integer({ min: 0, max: 2 }),
    }),
    { maxLength: 30 },
  )
  .map((steps) => {
    let minute = 1;
    return steps.map(({ decision, reward, pause }): Report => {
      minute += pause;
      return { decision, reward, minute };
    });
  });

describe('learning from the log of changed rewards', () => {
  test('comes to what the rewards in force alone would teach, however they came about', () => {
    const policy = scorePolicy({}, { type: 'float', min: 0, max: 1 });
    fc.assert(
      fc.property(reports, fc.integer({ min: 1, max: 7 }), (history, pageRows) => {
        const log = logOf(history);
        const final = new Map(log.map((change) => [change.choice.sequence, change.after]));
        const model = ridgeModel({ dimension: 4, lambda: 1 });
        let rewards = 0;
        for (const [decision, reward] of final) {
          if (reward === null) continue;
          model.add(inputOf(decision), reward);
          rewards += 1;
        }

        const state = learnt(policy, log, pageRows);

        expect(state.rewards).toBe(rewards);
        expect(state.changePosition).toBe(log.length);
        expectClose(ridgeModel(state.ridge).coefficients(), model.coefficients());
      }),
      { seed: 20_261_123, numRuns: 200 },
    );
  });

  test('with discounting, a reward weighs what is left of it since it was learnt, also when it is taken back', () => {
    const policy = scorePolicy({ discount: 0.8 }, { type: 'float', min: 0, max: 1 });
    fc.assert(
      fc.property(reports, fc.integer({ min: 1, max: 7 }), (history, pageRows) => {
        const log = logOf(history);
        const minutes = [...new Set(log.map((change) => change.changedAtMs))];
        const final = new Map(log.map((change) => [change.choice.sequence, change]));
        const model = ridgeModel({ dimension: 4, lambda: 1 });
        for (const [decision, { after, changedAtMs }] of final) {
          if (after === null) continue;
          model.add(inputOf(decision), after, 0.8 ** (minutes.length - 1 - minutes.indexOf(changedAtMs)));
        }

        const { ridge } = learnt(policy, log, pageRows);

        expectClose(ridge.gram, model.state().gram);
        expectClose(ridge.moment, model.state().moment);
      }),
      { seed: 20_261_123, numRuns: 200 },
    );
  });

  test('a quiet night forgets nothing', () => {
    const policy = scorePolicy({ discount: 0.5 });
    const one = learnt(policy, logOf([{ decision: 1, reward: 1, minute: 1 }]), 1);

    const later = learnPage(policy, one, { changes: [], closed: [], isLast: true });

    expect(later.state.ridge).toEqual(one.ridge);
  });

  test('learns a stored decision by its features when its input is of another model', () => {
    const policy = scorePolicy();
    const [change] = logOf([{ decision: 1, reward: 1, minute: 1 }]);
    if (change === undefined) throw new Error('no change');
    const features = { candidate: { effort: 0.7 }, profile: { energy: '[redacted]' }, context: null };
    const page = (choice: RewardChange['choice']): TrainingPage => ({
      changes: [{ ...change, choice }],
      closed: [],
      isLast: true,
    });

    const read = learnPage(policy, freshState(policy), page({ sequence: 1, input: [1], features }));
    const gone = learnPage(policy, freshState(policy), page({ sequence: 1, input: null, features: null }));

    const model = ridgeModel({ dimension: 4, lambda: 1 });
    model.add([1, 0.7, 0.5, 0.35], 1);
    expect(read.state.ridge).toEqual(model.state());
    // A decision that retention took away: passed over.
    expect([gone.state.rewards, gone.state.changePosition]).toEqual([0, 1]);
  });
});

describe('where silence counts as 0', () => {
  const policy = scorePolicy({}, { missing: 'zero' });
  const log = logOf([
    { decision: 1, reward: 1, minute: 1 },
    { decision: 2, reward: 1, minute: 2 },
    { decision: 2, reward: null, minute: 3 },
    { decision: 1, reward: 0, minute: 4 },
    { decision: 2, reward: 1, minute: 5 },
  ]);
  const closed = (decision: number, reward: number | null) => ({
    closedAtMs: MINUTE_MS,
    reward,
    choice: { sequence: decision, input: inputOf(decision), features: null },
  });
  const expected = (...rewards: readonly (readonly [number, number])[]) => {
    const model = ridgeModel({ dimension: 4, lambda: 1 });
    for (const [decision, reward] of rewards) model.add(inputOf(decision), reward);
    return model.coefficients();
  };

  test('learns nothing of an open window, the reward at its close, and changes after it', () => {
    const open = learnPage(policy, freshState(policy), {
      changes: log.slice(0, 2),
      closed: [],
      isLast: true,
    });
    expect([open.state.rewards, open.state.changePosition]).toEqual([0, 2]);

    const half = learnPage(policy, open.state, {
      changes: log.slice(2, 3),
      closed: [closed(1, 1), closed(2, null), closed(3, null)],
      isLast: true,
    });
    expect([half.state.rewards, half.state.closedPosition]).toEqual([3, 3]);
    expectClose(ridgeModel(half.state.ridge).coefficients(), expected([1, 1], [2, 0], [3, 0]));

    const whole = learnPage(policy, half.state, { changes: log.slice(3), closed: [], isLast: true });
    expect(whole.state.rewards).toBe(3);
    expectClose(ridgeModel(whole.state.ridge).coefficients(), expected([1, 0], [2, 1], [3, 0]));
  });
});

describe('a policy that learns', () => {
  test('earns clearly more than even choice where the best candidate depends on the user', () => {
    const random = seededRandom(20_261_123);
    const policy = scorePolicy();
    // The tired do easy things, the lively hard ones: without the product of the two there is nothing to know.
    const rate = (effort: number, energy: number): number => 0.1 + 0.7 * (1 - Math.abs(effort - energy));
    const efforts = [0, 0.25, 0.5, 0.75, 1];
    const candidates = efforts.map((effort) => ({ id: `effort-${effort}`, features: { effort } }));
    const even = (energy: number): number =>
      efforts.reduce((sum, effort) => sum + rate(effort, energy), 0) / efforts.length;

    let state = freshState(policy);
    let changes: RewardChange[] = [];
    let coefficients: readonly number[] = [];
    let gained = 0;
    let gainedEvenly = 0;
    let least = 1;
    const decisions = 4_000;
    for (let decision = 1; decision <= decisions; decision += 1) {
      const energy = random.next() < 0.5 ? 0 : 1;
      const result = rankCandidates({
        policy,
        snapshot: {
          policy: 'tips',
          revision: 'tips-1',
          sequence: 1,
          policyRevision: policy.revision,
          modelRevision: policy.modelRevision,
          computedAtMs: 0,
          rewards: state.rewards,
          weight: state.ridge.weight,
          coefficients,
        },
        candidates,
        profileFeatures: { energy },
        contextFeatures: null,
        random,
      });
      least = Math.min(least, ...result.propensities);
      const expected = rate(efforts[result.chosen] ?? 0, energy);
      // The second half: what it has come to, not what it cost to get there.
      if (decision > decisions / 2) {
        gained += expected;
        gainedEvenly += even(energy);
      }
      changes.push({
        sequence: decision,
        previousSequence: null,
        changedAtMs: decision * MINUTE_MS,
        before: null,
        after: random.next() < expected ? 1 : 0,
        choice: { sequence: decision, input: result.chosenInput, features: null },
        beforeUpdate: null,
        closedUpdate: null,
      });
      if (decision % 50 === 0) {
        ({ state } = learnPage(policy, state, { changes, closed: [], isLast: true }));
        coefficients = ridgeModel(state.ridge).coefficients();
        changes = [];
      }
    }

    // Even choice earns 0.45, the best candidate 0.8; the floor alone costs a tenth of the difference.
    expect(gained / gainedEvenly).toBeGreaterThan(1.4);
    expect(least).toBeGreaterThanOrEqual(0.1 / efforts.length - 1e-15);
  });
});
