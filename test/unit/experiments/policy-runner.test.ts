import { describe, expect, test } from '@jest/globals';
import { createPolicyRunner, type Experiment, type PolicySnapshot } from '../../../src/experiments/index.ts';
import { AppError, HOUR_MS, type Logger } from '../../../src/kernel/index.ts';
import { manualClock } from '../../fakes/manual-clock.ts';
import { experiment, policySnapshot } from '../../fakes/scripted-experiments.ts';

const START_MS = Date.UTC(2026, 0, 5, 10);
const thompson: Experiment['policy'] = {
  kind: 'thompson',
  epsilon: 0,
  beta: 0,
  floor: 0.05,
  discount: 1,
  updateIntervalMs: 60_000,
};

function world(definition: Experiment, latest: PolicySnapshot | null = null) {
  let inForce: readonly Experiment[] = [definition];
  const clock = manualClock(START_MS);
  const appended: PolicySnapshot[] = [];
  const queries: object[] = [];
  const warnings: string[] = [];
  let wins = 0;
  let isStorageDown = false;
  const down = (): void => {
    if (isStorageDown) throw new AppError('storage_unavailable', 'the disk is full');
  };
  const note = (_fields: object, message: string): void => {
    warnings.push(message);
  };
  const ignore = (): void => {};
  const logger: Logger = { error: note, warn: note, info: ignore, debug: ignore };
  const runner = createPolicyRunner({
    experiments: () => inForce,
    metrics: {
      completed: { type: 'boolean', optimize: 'max', attribution_window_hours: 2, missing: 'exclude' },
    },
    snapshots: {
      latestSnapshot: async (name) =>
        appended.filter((snapshot) => snapshot.experiment === name).at(-1) ?? latest,
      appendSnapshot: async (snapshot) => {
        down();
        appended.push(snapshot);
      },
    },
    rewards: {
      armTotals: async (query) => {
        queries.push(query);
        const won = { n: wins, sum: wins, sumOfSquares: wins };
        return [{ arm: 'warm', outcomes: won, closedOutcomes: won, closedUnits: wins }];
      },
    },
    clock,
    logger,
  });
  return {
    clock,
    appended,
    queries,
    warnings,
    runner,
    earn: (count: number) => {
      wins += count;
    },
    /** As a reload does it. */
    putInForce: async (next: readonly Experiment[]) => {
      const commit = await runner.prepare(next);
      return () => {
        inForce = next;
        commit();
      };
    },
    breakStorage: (broken: boolean) => {
      isStorageDown = broken;
    },
  };
}

describe('createPolicyRunner', () => {
  test('makes and stores the first snapshot', async () => {
    const { runner, appended, queries } = world(experiment({ policy: thompson }));

    await runner.restore();

    expect(appended.map(({ revision }) => revision)).toEqual(['tone-1']);
    expect(runner.current('tone')).toBe(appended[0]);
    expect(queries[0]).toEqual({
      experiment: 'tone',
      metric: 'completed',
      experimentRevision: 'sha256:one',
      closedBeforeMs: START_MS - 2 * HOUR_MS,
    });
  });

  test('goes on from the stored snapshot after a restart', async () => {
    const stored = policySnapshot({ control: 0.5, warm: 0.5 }, { revision: 'tone-9', sequence: 9 });
    const { runner, appended, earn } = world(experiment({ policy: thompson }), stored);

    await runner.restore();
    expect([runner.current('tone').revision, appended]).toEqual(['tone-9', []]);

    earn(3);
    expect((await runner.update('tone')).revision).toBe('tone-10');
  });

  test('recomputes at its interval, and stores only what changed', async () => {
    const { runner, appended, clock, earn } = world(experiment({ policy: thompson }));
    await runner.restore();
    runner.start();

    await clock.advance(60_000);
    earn(5);
    await clock.advance(59_000);
    expect(appended).toHaveLength(1);
    await clock.advance(1_000);
    await clock.advance(180_000);

    expect(appended.map(({ revision }) => revision)).toEqual(['tone-1', 'tone-2']);
    // 5 of 5 against nothing: Beta(6, 1) beats a uniform with 6/7, which the floor of .05 makes .05 + .9 * 6/7.
    expect(runner.current('tone').propensities['warm']).toBe(0.8214);
    await runner.close();
    expect(clock.sleeping).toBe(0);
  });

  test('keeps the last snapshot in force while the new one cannot be stored', async () => {
    const { runner, appended, clock, earn, warnings, breakStorage } = world(experiment({ policy: thompson }));
    await runner.restore();
    runner.start();
    earn(5);
    breakStorage(true);

    await clock.advance(60_000);
    expect(runner.current('tone').revision).toBe('tone-1');
    expect(warnings).toEqual(['policy not updated; the last snapshot stays in force']);

    breakStorage(false);
    await clock.advance(60_000);
    expect(appended.map(({ revision }) => revision)).toEqual(['tone-1', 'tone-2']);
    await runner.close();
  });

  test('refuses to start without a stored snapshot to go by', async () => {
    const { runner, breakStorage } = world(experiment());
    breakStorage(true);

    await expect(runner.restore()).rejects.toMatchObject({ code: 'storage_unavailable' });
  });

  test('leaves a fixed split and an experiment that has stopped alone', async () => {
    const split = world(experiment());
    const stopped = world(experiment({ policy: thompson, stopMs: START_MS }));
    for (const { runner, clock } of [split, stopped]) {
      await runner.restore();
      runner.start();
      await clock.advance(600_000);
      await runner.close();
    }

    expect([split.queries.length, stopped.queries.length]).toEqual([1, 1]);
  });

  describe('under another definition', () => {
    const learning = experiment({ policy: thompson });
    const faster = experiment({
      revision: 'sha256:two',
      policy: { ...thompson, updateIntervalMs: 10_000 },
    });

    test('stores the snapshot it needs first, and puts it in force only then', async () => {
      const { runner, appended, putInForce } = world(learning);
      await runner.restore();

      const commit = await putInForce([faster]);
      expect(appended.map(({ revision }) => revision)).toEqual(['tone-1', 'tone-2']);
      expect(runner.current('tone').revision).toBe('tone-1');
      commit();

      expect(runner.current('tone')).toBe(appended[1]);
      expect(appended[1]?.experimentRevision).toBe('sha256:two');
    });

    test('keeps the snapshot of a definition that stays', async () => {
      const { runner, appended, queries, putInForce } = world(learning);
      await runner.restore();
      (await putInForce([learning, experiment({ name: 'voice', policy: thompson })]))();

      expect(appended.map(({ revision }) => revision)).toEqual(['tone-1', 'voice-1']);
      expect(queries).toHaveLength(2);
      expect(runner.current('tone')).toBe(appended[0]);
    });

    test('follows its interval from then on', async () => {
      const { runner, clock, queries, putInForce } = world(learning);
      await runner.restore();
      runner.start();
      (await putInForce([faster]))();
      const before = queries.length;

      await clock.advance(30_000);

      expect(queries.length - before).toBe(3);
      await runner.close();
      expect(clock.sleeping).toBe(0);
    });

    test('stops with one that is gone, and starts again when it is back', async () => {
      const { runner, clock, queries, appended, putInForce } = world(learning);
      await runner.restore();
      runner.start();
      (await putInForce([]))();
      const before = queries.length;

      await clock.advance(600_000);
      expect([queries.length, clock.sleeping]).toEqual([before, 0]);
      expect(() => runner.current('tone')).toThrow('no snapshot');

      (await putInForce([learning]))();
      expect(appended.map(({ revision }) => revision)).toEqual(['tone-1']);
      await clock.advance(60_000);
      // Once to come back into force, once by its timer.
      expect(queries.length - before).toBe(2);
      await runner.close();
    });

    test('never gives one revision to two snapshots, also when a prepared one was refused', async () => {
      const { runner, appended, earn, putInForce } = world(learning);
      await runner.restore();
      await putInForce([faster]);
      earn(5);

      const updated = await runner.update('tone');

      expect(updated).toMatchObject({ revision: 'tone-3', experimentRevision: 'sha256:one' });
      expect(new Set(appended.map(({ revision }) => revision)).size).toBe(appended.length);
      expect(runner.current('tone')).toBe(updated);
    });

    test('is not pushed out by an update of the old one that was under way', async () => {
      const { runner, earn, putInForce } = world(learning);
      await runner.restore();
      const commit = await putInForce([faster]);
      earn(5);
      const underWay = runner.update('tone');
      // The update has begun and waits for the rewards.
      await Promise.resolve();
      commit();
      await underWay;

      expect(runner.current('tone')).toMatchObject({ revision: 'tone-2', experimentRevision: 'sha256:two' });
    });

    test('leaves what is in force alone when its snapshot cannot be stored', async () => {
      const { runner, breakStorage, putInForce } = world(learning);
      await runner.restore();
      const before = runner.current('tone');
      breakStorage(true);

      await expect(putInForce([faster])).rejects.toMatchObject({ code: 'storage_unavailable' });
      expect(runner.current('tone')).toBe(before);
    });
  });
});
