import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type LabelEvent,
  type LabelEventStore,
  type LabelMove,
  type LabelTarget,
  NO_GATE,
} from '../../src/experiments/index.ts';

export interface OpenedLabelEvents {
  readonly labelEvents: LabelEventStore;
  close(): Promise<void>;
}

const V1: LabelTarget = { kind: 'version', version: 'v1' };
const V2: LabelTarget = { kind: 'version', version: 'v2' };
const MOVED_AT_MS = Date.UTC(2026, 10, 23, 10, 30);

/** Every rule of the port, for any database: `open` gives an empty store each time. */
export function describeLabelEvents(name: string, open: () => Promise<OpenedLabelEvents>): void {
  describe(`label events on ${name}`, () => {
    let opened: OpenedLabelEvents;
    let moves = 0;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.close());

    const append = (to: LabelTarget, changes: Partial<LabelMove> = {}): Promise<LabelEvent> => {
      moves += 1;
      return opened.labelEvents.appendMove({
        id: `lbl_${moves}`,
        prompt: 'tip',
        label: 'live',
        to,
        toHash: to.kind === 'version' ? `sha256:${to.version}` : null,
        reason: 'because',
        actor: 'key-a',
        seeded: false,
        gate: NO_GATE,
        live: [],
        createdAtMs: MOVED_AT_MS,
        expectedSequence: null,
        ...changes,
      });
    };

    test('gives back what was appended, whole', async () => {
      const first = await append(V1, { seeded: true, actor: 'config' });
      const second = await append(
        { kind: 'experiment', experiment: 'tone' },
        { reason: 'ligne “deux”\n', createdAtMs: MOVED_AT_MS + 1 },
      );

      expect(first).toMatchObject({ from: null, to: V1, toHash: 'sha256:v1', seeded: true, actor: 'config' });
      expect(second).toEqual({
        sequence: second.sequence,
        prompt: 'tip',
        label: 'live',
        createdAtMs: MOVED_AT_MS + 1,
        from: V1,
        to: { kind: 'experiment', experiment: 'tone' },
        toHash: null,
        reason: 'ligne “deux”\n',
        actor: 'key-a',
        seeded: false,
        gate: NO_GATE,
      });
      expect(await opened.labelEvents.eventsAfter(0, 10)).toEqual([first, second]);
      expect(await opened.labelEvents.history('tip', 'live', 10)).toEqual([second, first]);
    });

    test('numbers the moves of all labels in one ascending order', async () => {
      const events = [
        await append(V1),
        await append(V1, { label: 'canary' }),
        await append(V1, { prompt: 'digest' }),
        await append(V2),
      ];
      const sequences = events.map(({ sequence }) => sequence);

      expect(sequences).toEqual([...new Set(sequences)].sort((a, b) => a - b));
      expect(sequences[0]).toBeGreaterThan(0);
      const page = await opened.labelEvents.eventsAfter(sequences[0] ?? 0, 2);
      expect(page).toEqual(events.slice(1, 3));
      expect(await opened.labelEvents.eventsAfter(sequences[3] ?? 0, 10)).toEqual([]);
      expect(await opened.labelEvents.history('tip', 'live', 1)).toEqual([events[3]]);
      expect(await opened.labelEvents.history('tip', 'none', 10)).toEqual([]);
    });

    test('appends at the expected sequence only', async () => {
      const first = await append(V1, { expectedSequence: 0 });

      await expect(append(V2, { expectedSequence: 0 })).rejects.toMatchObject({ code: 'conflict' });
      await expect(append(V2, { expectedSequence: first.sequence + 1 })).rejects.toMatchObject({
        code: 'conflict',
      });
      await append(V1, { label: 'canary' });
      const second = await append(V2, { expectedSequence: first.sequence });

      expect(second.from).toEqual(V1);
      expect(await opened.labelEvents.history('tip', 'live', 10)).toHaveLength(2);
    });

    test('has no expected sequence for a label that does not exist', async () => {
      await expect(append(V1, { expectedSequence: 7 })).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('has no label "live"'),
      });
      expect(await opened.labelEvents.eventsAfter(0, 10)).toEqual([]);
    });

    test('lets one of many who saw the same sequence move the label', async () => {
      const first = await append(V1);

      const results = await Promise.allSettled(
        Array.from({ length: 20 }, (_, index) =>
          append({ kind: 'version', version: `v${index + 2}` }, { expectedSequence: first.sequence }),
        ),
      );

      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await opened.labelEvents.eventsAfter(0, 100)).toHaveLength(2);
    });

    test('answers a move to where the label points with the event in force', async () => {
      const first = await append(V1);

      expect(await append(V1, { reason: 'again' })).toEqual(first);
      await expect(append(V1, { expectedSequence: first.sequence + 1 })).rejects.toMatchObject({
        code: 'conflict',
      });
      const named = await append({ kind: 'experiment', experiment: 'v1' });
      expect(named.sequence).toBeGreaterThan(first.sequence);
    });

    test('keeps every move of a burst, each from where the one before had left it', async () => {
      await Promise.all(
        Array.from({ length: 50 }, (_, index) => append({ kind: 'version', version: `v${index}` })),
      );

      const events = await opened.labelEvents.eventsAfter(0, 100);
      expect(events).toHaveLength(50);
      for (const [index, event] of events.entries())
        expect(event.from).toEqual(events[index - 1]?.to ?? null);
    });

    test('says that it takes no moves once it is closed', async () => {
      await append(V1);
      await opened.close();

      await expect(append(V2)).rejects.toMatchObject({ code: 'storage_unavailable' });
      await expect(opened.labelEvents.eventsAfter(0, 10)).rejects.toMatchObject({
        code: 'storage_unavailable',
      });
    });
  });
}
