import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type GateFinding, type NewRolloutEvent, NO_GATE } from '../../src/experiments/index.ts';
import type { SqliteStorage } from '../../src/storage/sqlite/index.ts';
import { loadMigrations, migrate } from '../../src/storage/sqlite/migrations.ts';
import { createRolloutEventPages } from '../../src/storage/sqlite/rollout-event-pages.ts';
import { openDatabase } from '../../src/storage/sqlite/sqlite-driver.ts';
import { openTemporarySqlite } from '../helpers/open-sqlite-for-test.ts';

const HELD: GateFinding = {
  state: 'held',
  overrideReason: null,
  targets: [
    {
      promptVersion: 'v2',
      definition: null,
      state: 'held',
      conditions: [{ condition: 'min_shadow_runs', required: 3, actual: 4, holds: true }],
    },
  ],
};

let events = 0;
function event(changes: Partial<NewRolloutEvent> = {}): NewRolloutEvent {
  events += 1;
  return {
    id: `rol_${events}`,
    createdAtMs: 1_000 + events,
    subjectKind: 'experiment',
    subject: 'tone',
    from: null,
    to: 'sha256:one',
    revision: 'sha256:one',
    decision: 'allowed',
    reason: 'first definition',
    actor: 'config',
    gate: NO_GATE,
    live: [],
    facts: null,
    ...changes,
  };
}

describe.each([
  ['in process', false],
  ['with its threads', true],
])('rollout events on SQLite, %s', (_name, threads) => {
  let storage: SqliteStorage;
  beforeEach(async () => {
    storage = await openTemporarySqlite({ threads });
  });
  afterEach(() => storage.close());

  test('gives back what was appended, whole and in order', async () => {
    const { rolloutEvents: store } = storage;
    const first = await store.appendRollout(
      event({ gate: HELD, live: [{ prompt: 'tip', label: 'live', version: 'v2', hash: 'sha256:v2' }] }),
    );
    const second = await store.appendRollout(
      event({ decision: 'stopped', from: 'running', to: 'baseline', facts: { by: 'guardrail', lower: 0.1 } }),
    );

    expect(first).toMatchObject({ gate: HELD, live: [{ version: 'v2' }], facts: null });
    expect(await store.rolloutsAfter(0, 10)).toEqual([first, second]);
    expect(await store.rolloutsAfter(first.sequence, 10)).toEqual([second]);
  });

  test('pages a subject from the newest on', async () => {
    const { rolloutEvents: store } = storage;
    for (const to of ['sha256:a', 'sha256:b', 'sha256:c']) {
      await store.appendRollout(event({ to, revision: to }));
    }
    await store.appendRollout(event({ subject: 'other' }));
    await store.appendRollout(event({ subjectKind: 'policy' }));
    const query = { subject: 'tone', subjectKind: 'experiment', limit: 2 } as const;

    const page = await store.rolloutPage({ ...query, beforeSequence: null });
    const next = await store.rolloutPage({ ...query, beforeSequence: page[1]?.sequence ?? 0 });

    expect(page.map(({ to }) => to)).toEqual(['sha256:c', 'sha256:b']);
    expect(next.map(({ to }) => to)).toEqual(['sha256:a']);
    const all = { subject: null, subjectKind: null, beforeSequence: null, limit: 100 };
    expect(await store.rolloutPage(all)).toHaveLength(5);
  });

  test('keeps a refusal that repeats itself once, and again after something else', async () => {
    const { rolloutEvents: store } = storage;
    const refused = { decision: 'refused', to: 'sha256:two', revision: 'sha256:two' } as const;

    const [first, second] = [
      await store.appendRollout(event(refused)),
      await store.appendRollout(event(refused)),
    ];
    await store.appendRollout(event());
    const third = await store.appendRollout(event(refused));

    expect(second).toEqual(first);
    expect(third.sequence).toBeGreaterThan(first.sequence);
    expect(await store.rolloutsAfter(0, 10)).toHaveLength(3);
  });

  test('keeps a move of a label and its rollout event together, with what the gate saw', async () => {
    const move = {
      id: 'lbl_1',
      prompt: 'tip',
      label: 'live',
      to: { kind: 'version', version: 'v2' },
      toHash: 'sha256:v2',
      reason: 'v2 won',
      actor: 'key-a',
      seeded: false,
      createdAtMs: 5_000,
      expectedSequence: null,
      gate: { ...HELD, state: 'overridden', overrideReason: 'urgent' },
      live: [{ prompt: 'tip', label: 'live', version: 'v2', hash: 'sha256:v2' }],
    } as const;

    const moved = await storage.labelEvents.appendMove(move);

    expect(moved.gate).toEqual(move.gate);
    expect(await storage.labelEvents.history('tip', 'live', 1)).toEqual([moved]);
    expect(await storage.rolloutEvents.rolloutsAfter(0, 10)).toEqual([
      {
        sequence: 1,
        id: 'rol_1',
        createdAtMs: 5_000,
        subjectKind: 'label',
        subject: 'tip@live',
        from: null,
        to: 'version v2',
        revision: null,
        decision: 'overridden',
        reason: 'v2 won',
        actor: 'key-a',
        gate: move.gate,
        live: move.live,
        facts: null,
      },
    ]);
    await storage.labelEvents.appendMove({ ...move, id: 'lbl_2' });
    expect(await storage.rolloutEvents.rolloutsAfter(0, 10)).toHaveLength(1);
  });

  test('says that it takes nothing once it is closed', async () => {
    await storage.close();

    await expect(storage.rolloutEvents.appendRollout(event())).rejects.toMatchObject({
      code: 'storage_unavailable',
    });
  });
});

describe('a ledger from before there were gates', () => {
  test('knows from its moves of labels what was live', () => {
    const database = openDatabase(':memory:');
    const migrations = loadMigrations();
    const isOlder = ({ name }: { readonly name: string }): boolean => name < '0005';
    migrate(database, ':memory:', migrations.filter(isOlder), 0);
    const insert = database.prepare(
      `INSERT INTO label_events (id, prompt, label, created_at_ms, from_kind, from_target, to_kind, to_target, to_hash,
         reason, actor, seeded, gate_overridden, gate_json)
       VALUES (?, 'tip', 'live', ?, ?, ?, ?, ?, ?, 'because', 'key-a', 0, 0, NULL)`,
    );
    insert.run('lbl_1', 1_000, null, null, 'version', 'v1', 'sha256:v1');
    insert.run('lbl_2', 2_000, 'version', 'v1', 'experiment', 'tone', null);

    migrate(database, ':memory:', migrations, 0);

    const events = createRolloutEventPages(database).rolloutsAfter({ sequence: 0, limit: 10 });
    expect(events).toMatchObject([
      {
        id: 'rol_1',
        createdAtMs: 1_000,
        subjectKind: 'label',
        subject: 'tip@live',
        from: null,
        to: 'version v1',
        revision: null,
        decision: 'allowed',
        actor: 'key-a',
        gate: NO_GATE,
        live: [{ prompt: 'tip', label: 'live', version: 'v1', hash: 'sha256:v1' }],
      },
      { id: 'rol_2', from: 'version v1', to: 'experiment tone', live: [], facts: null },
    ]);
    database.close();
  });
});
