import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createLabels, type LabelTarget, NO_GATE } from '../../../src/experiments/index.ts';
import { AppError, type Logger } from '../../../src/kernel/index.ts';
import { countingIds } from '../../fakes/counting-ids.ts';
import { manualClock } from '../../fakes/manual-clock.ts';
import { memoryLabelEvents } from '../../fakes/memory-label-events.ts';
import { scriptedRegistry, scriptedVersion } from '../../fakes/scripted-prompts.ts';

const registry = scriptedRegistry([
  scriptedVersion('tip', 'v1'),
  scriptedVersion('tip', 'v2'),
  scriptedVersion('tip', 'v0', { retired: true }),
  scriptedVersion('digest', 'v1'),
]);
const V1: LabelTarget = { kind: 'version', version: 'v1' };
const V2: LabelTarget = { kind: 'version', version: 'v2' };
const TONE: LabelTarget = { kind: 'experiment', experiment: 'tone' };

/** Processes over one store: each `process()` is one more. */
function world() {
  const store = memoryLabelEvents();
  const clock = manualClock();
  const logged: { readonly level: string; readonly message: string; readonly fields: object }[] = [];
  const at = (level: string) => (fields: object, message: string) => {
    logged.push({ level, message, fields });
  };
  const logger: Logger = { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
  const ids = countingIds();
  const process = (shown = registry) => {
    const labels = createLabels({
      gates: { admitMove: async () => ({ finding: NO_GATE, live: [] }) },
      store,
      registry: () => shown,
      experiments: (prompt) => (prompt === 'tip' ? ['tone'] : []),
      ids,
      clock,
      logger,
    });
    const move = (to: LabelTarget, changes: Partial<Parameters<typeof labels.move>[0]> = {}) =>
      labels.move({
        prompt: 'tip',
        label: 'live',
        to,
        expectedSequence: null,
        reason: 'because',
        actor: 'key-a',
        overrideReason: null,
        ...changes,
      });
    return { labels, move };
  };
  return { store, clock, logged, process };
}

async function refusal(promise: Promise<unknown>): Promise<AppError> {
  const error = await promise.catch((caught: unknown) => caught);
  if (error instanceof AppError) return error;
  throw new Error(`not refused: ${String(error)}`);
}

describe('moving a label', () => {
  test('counts as pointing to its target from the request on, and no more once it is refused', async () => {
    const { process, store } = world();
    const { labels, move } = process();

    const moving = move(TONE);
    expect(labels.leadingTo('tip', 'tone')).toEqual(['live']);
    expect(labels.leadingTo('digest', 'tone')).toEqual([]);
    await moving;
    expect(labels.leadingTo('tip', 'tone')).toEqual(['live']);
    await move(V1);
    expect(labels.leadingTo('tip', 'tone')).toEqual([]);

    const refused = refusal(move(TONE, { expectedSequence: 1 }));
    expect(labels.leadingTo('tip', 'tone')).toEqual(['live']);
    expect((await refused).code).toBe('conflict');
    expect(labels.leadingTo('tip', 'tone')).toEqual([]);
    expect(await store.eventsAfter(0, 10)).toHaveLength(2);
  });

  test('is in force at once and keeps who moved it, from where, when and why', async () => {
    const { process, clock } = world();
    const { labels, move } = process();

    await move(V1);
    await clock.advance(1_000);
    const event = await move(V2, { reason: 'v2 won', actor: 'key-b' });

    expect(labels.find('tip', 'live')).toEqual(event);
    expect(event).toEqual({
      sequence: 2,
      prompt: 'tip',
      label: 'live',
      createdAtMs: clock.nowMs(),
      from: V1,
      to: V2,
      toHash: 'sha256:tip-v2',
      reason: 'v2 won',
      actor: 'key-b',
      seeded: false,
      gate: NO_GATE,
    });
    expect(await labels.history('tip', 'live', 10)).toMatchObject([{ to: V2 }, { to: V1, from: null }]);
  });

  test('may point to an experiment of the prompt, which has no hash', async () => {
    const { labels, move } = world().process();

    await move(TONE);

    expect(labels.current('tip', 'live')).toMatchObject({ to: TONE, toHash: null });
  });

  test('back is a rollback: one more move', async () => {
    const { labels, move } = world().process();
    await move(V1);
    await move(V2);

    const back = await move(V1, { reason: 'v2 made it worse' });

    expect(back).toMatchObject({ sequence: 3, from: V2, to: V1 });
    expect(labels.find('tip', 'live')?.to).toEqual(V1);
  });

  test('to where it points already appends nothing', async () => {
    const { store, process } = world();
    const { move } = process();
    const first = await move(V1);

    expect(await move(V1, { reason: 'again' })).toEqual(first);
    expect(store.events).toHaveLength(1);
  });

  test('keeps labels of one name in two prompts apart', async () => {
    const { labels, move } = world().process();
    await move(V2);
    await move(V1, { prompt: 'digest' });

    expect(labels.find('tip', 'live')?.to).toEqual(V2);
    expect(labels.find('digest', 'live')?.to).toEqual(V1);
    expect(labels.find('digest', 'other')).toBeNull();
    expect(labels.find('none', 'live')).toBeNull();
  });

  test('needs the sequence the caller has seen, and says how the label stands otherwise', async () => {
    const { process } = world();
    const here = process();
    const there = process();
    await here.move(V1);
    await there.move(V2, { reason: 'moved elsewhere', actor: 'key-b' });

    const error = await refusal(here.move(TONE, { expectedSequence: 1 }));

    expect(error).toMatchObject({
      code: 'conflict',
      details: {
        prompt: 'tip',
        label: 'live',
        current: { target: { version: 'v2' }, sequence: 2, reason: 'moved elsewhere', actor: 'key-b' },
      },
    });
    expect(here.labels.find('tip', 'live')?.to).toEqual(V2);
    await here.move(TONE, { expectedSequence: 2 });
    expect(await refusal(here.move(V1, { expectedSequence: 0 }))).toMatchObject({ code: 'conflict' });
  });

  test('refuses a stale sequence even where the label already points to the target', async () => {
    const { move } = world().process();
    await move(V1);
    await move(V2);

    expect((await refusal(move(V2, { expectedSequence: 1 }))).code).toBe('conflict');
  });

  test.each([
    ['an unknown prompt', { prompt: 'tpi' }, V1, 'prompt_not_found', 'known: tip'],
    ['an unknown version', {}, { kind: 'version', version: 'v3' }, 'version_not_found', 'known: v1, v2'],
    ['a retired version', {}, { kind: 'version', version: 'v0' }, 'version_retired', 'in use: v1, v2'],
    ['an unknown experiment', {}, { kind: 'experiment', experiment: 'tune' }, 'experiment_not_found', 'tone'],
    [
      'an experiment of another prompt',
      { prompt: 'digest' },
      TONE,
      'experiment_not_found',
      'prompt "digest" has no experiment "tone"; known: (none)',
    ],
  ] as const)('refuses %s and lists the known ones', async (_what, changes, to, code, text) => {
    const { store, process } = world();

    const error = await refusal(process().move(to, changes));

    expect(error).toMatchObject({ code, message: expect.stringContaining(text) });
    expect(store.events).toEqual([]);
  });

  test.each(['latest', '@live', 'Live', '', '-x', 'a b', 'a/b', `a${'b'.repeat(64)}`, '__proto__'])(
    'refuses the name %j',
    async (label) => {
      const error = await refusal(world().process().move(V1, { label }));

      expect(error).toMatchObject({ code: 'invalid_request', faults: [{ path: 'label' }] });
    },
  );

  test.each(['', '   ', 'x'.repeat(501)])(
    'refuses a reason that says nothing or too much',
    async (reason) => {
      const error = await refusal(world().process().move(V1, { reason }));

      expect(error).toMatchObject({ code: 'invalid_request', faults: [{ path: 'reason' }] });
    },
  );

  test('takes names like those of an object’s own members as plain names', async () => {
    const { labels, move } = world().process();
    await move(V1, { label: 'constructor' });

    expect(labels.find('tip', 'constructor')?.to).toEqual(V1);
    expect(labels.find('tip', 'tostring')).toBeNull();
  });

  test('ends at a hundred labels of a prompt, and still moves those', async () => {
    const { move } = world().process();
    for (let n = 0; n < 100; n += 1) await move(V1, { label: `label-${n}` });

    expect((await refusal(move(V1, { label: 'one-more' }))).code).toBe('invalid_request');
    await move(V2, { label: 'label-7' });
    await move(V1, { prompt: 'digest', label: 'one-more' });
  });

  test('changes nothing when the store fails', async () => {
    const { store, process } = world();
    const { labels, move } = process();
    await move(V1);
    store.fail(new AppError('storage_unavailable', 'the disk is full'));

    expect((await refusal(move(V2))).code).toBe('storage_unavailable');
    expect(labels.find('tip', 'live')?.to).toEqual(V1);
  });
});

describe('reading labels', () => {
  test('lists the labels of a prompt by name', async () => {
    const { labels, move } = world().process();
    await move(V1, { label: 'stable' });
    await move(V2, { label: 'canary' });

    expect(labels.names('tip')).toEqual(['canary', 'stable']);
    expect(labels.list('tip')).toMatchObject([{ label: 'canary' }, { label: 'stable' }]);
    expect(labels.list('digest')).toEqual([]);
  });

  test('never shows a history that is ahead of the state', async () => {
    const { process } = world();
    const here = process();
    const there = process();
    await here.move(V1);
    await there.move(V2);

    const history = await here.labels.history('tip', 'live', 10);

    expect(history).toMatchObject([{ to: V2 }, { to: V1 }]);
    expect(here.labels.current('tip', 'live')).toEqual(history[0]);
  });

  test('refuses an unknown label with the known ones and the one that was probably meant', async () => {
    const { labels, move } = world().process();
    await move(V1);

    const error = await refusal(labels.history('tip', 'lvie', 10));

    expect(error).toMatchObject({
      code: 'label_not_found',
      message: expect.stringContaining('did you mean "live"'),
      details: { known: ['live'] },
    });
    expect(await refusal(labels.history('none', 'live', 10))).toMatchObject({ code: 'prompt_not_found' });
  });
});

describe('following other processes', () => {
  test('sees their moves within 250 ms', async () => {
    const { clock, process } = world();
    const here = process();
    const there = process();
    await here.labels.seed({});
    here.labels.start();
    await there.move(V2);

    await clock.advance(249);
    expect(here.labels.find('tip', 'live')).toBeNull();
    await clock.advance(1);
    expect(here.labels.find('tip', 'live')?.to).toEqual(V2);
    await here.labels.close();
  });

  test('never lets an own, newer move be undone by an older one that arrives later', async () => {
    const { clock, process } = world();
    const here = process();
    const there = process();
    here.labels.start();
    await there.move(V2);
    await here.move(V1);

    await clock.advance(250);

    expect(here.labels.find('tip', 'live')?.to).toEqual(V1);
    await here.labels.close();
  });

  test('catches up over more moves than one page holds', async () => {
    const { clock, process } = world();
    const here = process();
    const there = process();
    here.labels.start();
    for (let n = 0; n < 1_201; n += 1) await there.move(n % 2 === 0 ? V1 : V2);

    await clock.advance(250);

    expect(here.labels.find('tip', 'live')).toMatchObject({ sequence: 1_201, to: V1 });
    await here.labels.close();
  });

  test('keeps the last known labels while the store fails, says so once, and recovers', async () => {
    const { store, clock, logged, process } = world();
    const here = process();
    const there = process();
    await here.move(V1);
    here.labels.start();
    store.fail(new Error('no database'));

    await clock.advance(60_000);

    expect(here.labels.find('tip', 'live')?.to).toEqual(V1);
    expect(logged.filter(({ level }) => level === 'warn')).toMatchObject([
      { fields: { event: 'labels_not_followed', error: 'no database' } },
    ]);
    store.fail(null);
    await there.move(V2);
    await clock.advance(5_000);
    expect(here.labels.find('tip', 'live')?.to).toEqual(V2);
    expect(logged.map(({ fields }) => fields)).toContainEqual({ event: 'labels_followed' });
    await here.labels.close();
  });

  test('asks a failing store less and less often', async () => {
    const { store, clock, process } = world();
    const { labels } = process();
    let asked = 0;
    const eventsAfter = store.eventsAfter;
    store.eventsAfter = (sequence, limit) => {
      asked += 1;
      return eventsAfter(sequence, limit);
    };
    store.fail(new Error('no database'));
    labels.start();

    await clock.advance(60_000);

    expect(asked).toBeGreaterThan(10);
    expect(asked).toBeLessThan(20);
    await labels.close();
  });

  test('ends at close, also when it never began', async () => {
    const { clock, process } = world();
    const { labels } = process();
    await process().labels.close();
    labels.start();
    labels.start();
    expect(clock.sleeping).toBe(1);

    await labels.close();

    expect(clock.sleeping).toBe(0);
  });

  test('logs each move once, with its reason, and none of those made before the start', async () => {
    const { clock, logged, process } = world();
    const there = process();
    await there.move(V1);
    logged.length = 0;
    const here = process();
    await here.labels.seed({});
    here.labels.start();

    await here.move(V2, { reason: 'v2 won' });
    await clock.advance(1_000);

    expect(logged.map(({ fields }) => fields)).toEqual([
      expect.objectContaining({
        event: 'label_moved',
        from: 'version v1',
        to: 'version v2',
        reason: 'v2 won',
      }),
    ]);
    await here.labels.close();
  });
});

test('every process ends where the history ends, whatever moves, polls and failures come in which order', async () => {
  const targets = [V1, V2, TONE];
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('move' as const),
      process: fc.nat(2),
      label: fc.constantFrom('live', 'canary'),
      target: fc.nat(2),
      isConditional: fc.boolean(),
    }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 600 }) }),
    fc.record({ kind: fc.constant('fail' as const), isFailing: fc.boolean() }),
  );

  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { store, clock, process } = world();
      const processes = [process(), process(), process()];
      for (const { labels } of processes) labels.start();
      for (const taken of steps) {
        if (taken.kind === 'wait') await clock.advance(taken.ms);
        if (taken.kind === 'fail') store.fail(taken.isFailing ? new Error('no database') : null);
        const mover = taken.kind === 'move' ? processes[taken.process] : undefined;
        if (taken.kind !== 'move' || mover === undefined) continue;
        const to = targets[taken.target] ?? V1;
        const seen = mover.labels.find('tip', taken.label)?.sequence ?? 0;
        const moved = await mover
          .move(to, { label: taken.label, expectedSequence: taken.isConditional ? seen : null })
          .catch(() => null);
        if (moved !== null) expect(mover.labels.find('tip', taken.label)?.to).toEqual(to);
        expect(mover.labels.find('tip', taken.label)?.sequence ?? 0).toBeGreaterThanOrEqual(seen);
      }
      store.fail(null);
      await clock.advance(5_000);

      for (const { labels } of processes) {
        for (const label of ['live', 'canary']) {
          const last = store.events.findLast((event) => event.label === label) ?? null;
          expect(labels.find('tip', label)).toEqual(last);
        }
        await labels.close();
      }
    }),
    { numRuns: 50 },
  );
});

describe('first values from the configuration', () => {
  test('are set where a label has never been moved', async () => {
    const { store, process } = world();
    const { labels } = process();

    const warnings = await labels.seed({
      tip: { live: 'v1', canary: { version: 'v2' }, trial: { experiment: 'tone' } },
    });

    expect(warnings).toEqual([]);
    expect(labels.list('tip').map(({ label, to }) => [label, to])).toEqual([
      ['canary', V2],
      ['live', V1],
      ['trial', TONE],
    ]);
    expect(store.events).toMatchObject([
      { seeded: true, actor: 'config' },
      { seeded: true },
      { seeded: true },
    ]);
  });

  test('do not come back at a restart, and a changed one moves nothing but warns', async () => {
    const { store, process } = world();
    const before = process();
    await before.labels.seed({ tip: { live: 'v1' } });
    await before.move(V2);

    const after = process();
    const same = await after.labels.seed({ tip: { live: { version: 'v2' } } });
    const changed = await after.labels.seed({ tip: { live: 'v1' } });

    expect(same).toEqual([]);
    expect(changed).toMatchObject([
      {
        path: 'labels.tip.live',
        message: expect.stringMatching(/points to version v2 .*first values only.*PUT/),
      },
    ]);
    expect(after.labels.find('tip', 'live')?.to).toEqual(V2);
    expect(store.events).toHaveLength(2);
  });

  test('are refused all at once, and none is set, when they name what does not exist', async () => {
    const { store, process } = world();

    const error = await refusal(
      process().labels.seed({
        tip: { live: 'v1', old: 'v0', next: 'v9', latest: 'v1' },
        tpi: { live: 'v1' },
        digest: { live: { experiment: 'tone' } },
      }),
    );

    expect(error.code).toBe('config_invalid');
    expect(error.faults.map(({ path }) => path)).toEqual([
      'labels.tip.old',
      'labels.tip.next',
      'labels.tip.latest',
      'labels.tpi.live',
      'labels.digest.live',
    ]);
    expect(error.faults[1]?.message).toContain('prompt "tip" has no version "v9"');
    expect(store.events).toEqual([]);
  });

  test('of two processes that start at one moment count once', async () => {
    const { store, process } = world();

    const both = [process(), process()];
    await Promise.all([
      both[0]?.labels.seed({ tip: { live: 'v1' } }),
      both[1]?.labels.seed({ tip: { live: 'v2' } }),
    ]);

    expect(store.events).toHaveLength(1);
    for (const { labels } of both) expect(labels.find('tip', 'live')?.to).toEqual(V1);
  });

  test('warn of labels that point to what is gone or retired', async () => {
    const { process } = world();
    await process().move(V1);
    await process().move(V2, { label: 'canary' });
    const later = process(
      scriptedRegistry([scriptedVersion('tip', 'v1', { retired: true }), scriptedVersion('tip', 'v3')]),
    );

    const warnings = await later.labels.seed({ tip: { live: 'v1' } });

    expect(warnings).toMatchObject([
      { path: 'prompts/tip', message: expect.stringMatching(/@live .*retired/) },
      { path: 'prompts/tip', message: expect.stringMatching(/@canary .*no version "v2"/) },
    ]);
  });
});
