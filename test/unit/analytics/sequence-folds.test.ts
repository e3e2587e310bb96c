import { describe, expect, test } from '@jest/globals';
import {
  createSequenceFolds,
  type DecisionPageQuery,
  type SequenceCommit,
  type SequenceDecision,
  type SequenceStore,
} from '../../../src/analytics/index.ts';
import type { MetricConfig } from '../../../src/config/index.ts';
import type { Experiment } from '../../../src/experiments/index.ts';
import { AppError, HOUR_MS, silentLogger } from '../../../src/kernel/index.ts';
import { experimentOf } from './experiment-world.ts';

const METRIC: MetricConfig = {
  type: 'boolean',
  optimize: 'max',
  attribution_window_hours: 1,
  missing: 'zero',
};
const NOW_MS = 100 * HOUR_MS;
const DECISIONS = Array.from(
  { length: 250 },
  (_, index): SequenceDecision => ({
    createdAtMs: HOUR_MS + index,
    generationId: `gen_${String(index).padStart(3, '0')}`,
    arm: 'v1',
    propensities: { v1: 0.5, v3: 0.5 },
    reward: 1,
  }),
);

/** Holds {@link DECISIONS} for every experiment, and what was asked of it. */
function storeOf(given: Partial<SequenceStore> = {}) {
  const pages: DecisionPageQuery[] = [];
  const commits: SequenceCommit[] = [];
  const store: SequenceStore = {
    sequenceHead: async () => null,
    claim: async () => 0,
    soundCheckpoint: async () => null,
    decisionPage: async (query) => {
      pages.push(query);
      const { after, limit } = query;
      return DECISIONS.filter(
        ({ createdAtMs, generationId }) =>
          createdAtMs > after.createdAtMs ||
          (createdAtMs === after.createdAtMs && generationId > after.generationId),
      ).slice(0, limit);
    },
    commit: async (commit) => {
      commits.push(commit);
      return true;
    },
    ...given,
  };
  return { store, pages, commits };
}

function foldsOf(store: SequenceStore, experiments: readonly Experiment[] = [experimentOf()]) {
  return createSequenceFolds({
    experiments: () => experiments,
    metrics: { completed: METRIC },
    store,
    clock: { nowMs: () => NOW_MS, monotonicMs: () => 0, sleep: async () => {} },
    logger: silentLogger,
  });
}

describe('the leader that folds', () => {
  test('reads bounded pages, fewer rows the more arms there are, and loses none between them', async () => {
    const { store, pages, commits } = storeOf();
    const many = Array.from({ length: 20 }, (_, index) => ({
      name: `a${index}`,
      version: 'v1',
      weight: 1,
    }));

    await foldsOf(store).foldAll();
    const few = pages.length;
    await foldsOf(store, [experimentOf({ arms: many, baseline: 'a0' })]).foldAll();

    expect(pages.slice(0, few).map(({ limit }) => limit)).toEqual([100, 100, 100]);
    expect(pages.at(-1)?.limit).toBe(2);
    expect(commits[0]?.checkpoint).toMatchObject({ hourMs: HOUR_MS, state: { decisions: 250 } });
  });

  test('folds hours up to the end of window and grace, and not beyond', async () => {
    const { store, commits } = storeOf();

    await foldsOf(store, [experimentOf({ graceMs: 2.5 * HOUR_MS })]).foldAll();

    expect(commits[0]?.untilMs).toBe(96 * HOUR_MS);
  });

  test('keeps hours folded that a longer grace would still leave open', async () => {
    const head = {
      foldedUntilMs: 99 * HOUR_MS,
      soundUntilMs: 50 * HOUR_MS,
      corrections: 1,
      checkpoint: null,
    };
    const { store, commits } = storeOf({ sequenceHead: async () => head });

    await foldsOf(store, [experimentOf({ graceMs: 20 * HOUR_MS })]).foldAll();

    expect(commits[0]?.untilMs).toBe(99 * HOUR_MS);
  });

  test('goes on with the other experiments when one cannot be folded', async () => {
    const { store, commits } = storeOf();
    const failing: SequenceStore = {
      ...store,
      claim: async (key) => {
        if (key.experiment === 'broken') throw new AppError('storage_unavailable', 'the disk is full');
        return 0;
      },
    };

    await foldsOf(failing, [experimentOf({ name: 'broken' }), experimentOf()]).foldAll();

    expect(commits.map(({ experiment }) => experiment)).toEqual(['tips']);
  });

  test('gives up for this pass when rewards change faster than they are folded', async () => {
    let refused = 0;
    const { store } = storeOf({
      commit: async () => {
        refused += 1;
        return false;
      },
    });

    await foldsOf(store).foldAll();

    expect(refused).toBe(20);
  });

  test('stops after the page that is being folded when it is closed', async () => {
    const { store, pages, commits } = storeOf();
    const closing: { close(): Promise<void> }[] = [];
    const folds = foldsOf({
      ...store,
      decisionPage: async (query) => {
        for (const one of closing.splice(0)) await one.close();
        return store.decisionPage(query);
      },
    });
    closing.push(folds);

    await folds.foldAll();

    expect(pages).toHaveLength(1);
    expect(commits).toEqual([]);
  });
});
