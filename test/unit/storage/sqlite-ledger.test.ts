import { describe, expect, test } from '@jest/globals';

import { silentLogger } from '../../../src/kernel/index.ts';
import { createSqliteLedger } from '../../../src/storage/sqlite/sqlite-ledger.ts';
import { createWriterCalls } from '../../../src/storage/sqlite/writer-calls.ts';
import type { WriterCommand, WriterReply } from '../../../src/storage/sqlite/writer-commands.ts';
import type { WriterPort } from '../../../src/storage/sqlite/writer-port.ts';
import { fixedClock } from '../../fakes/fixed-clock.ts';
import { generationRecord } from '../../helpers/ledger-records.ts';

const FULL: WriterReply = {
  ok: false,
  code: 'storage_unavailable',
  message: 'database or disk is full',
  details: {},
  unavailableReason: 'the disk is full (SQLITE_FULL)',
};

/** A ledger over a writer that answers what it is told to. */
function scriptedLedger() {
  const clock = fixedClock();
  const submitted: WriterCommand[] = [];
  let reply: WriterReply = { ok: true, value: null };
  const writer: WriterPort = {
    submit: async (command) => {
      submitted.push(command);
      return reply;
    },
    queued: 0,
    commits: 0,
    stopped: null,
    close: async () => {},
  };
  const ledger = createSqliteLedger({
    writer: createWriterCalls({ writer, clock, logger: silentLogger }),
    clock,
  });
  return {
    ledger,
    clock,
    submitted,
    answer: (next: WriterReply) => {
      reply = next;
    },
    append: () => ledger.appendGeneration(generationRecord({ id: 'gen_1' }), null),
  };
}

/** Lets the promises of a probe settle. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('health of the ledger', () => {
  test('says why it takes no writes, and that the caller should come back', async () => {
    const { ledger, append, answer } = scriptedLedger();
    answer(FULL);

    await expect(append()).rejects.toMatchObject({
      code: 'storage_unavailable',
      retryAfterMs: 1_000,
      message: expect.stringContaining('the disk is full'),
    });

    expect(ledger.health()).toMatchObject({ writable: false, reason: 'the disk is full (SQLITE_FULL)' });
  });

  test('recovers with the first write that succeeds', async () => {
    const { ledger, append, answer } = scriptedLedger();
    answer(FULL);
    await append().catch(() => {});
    answer({ ok: true, value: null });

    await append();

    expect(ledger.health()).toMatchObject({ writable: true, reason: null });
  });

  test('recovers without traffic: being asked tries a write, at most once a second', async () => {
    const { ledger, append, answer, clock, submitted } = scriptedLedger();
    answer(FULL);
    await append().catch(() => {});
    answer({ ok: true, value: null });
    ledger.health();
    expect(submitted.map((command) => command.kind)).toEqual(['append_generation']);

    clock.advance(1_000);
    ledger.health();
    ledger.health();
    await settled();

    expect(submitted.map((command) => command.kind)).toEqual(['append_generation', 'probe']);
    expect(ledger.health().writable).toBe(true);
  });

  test('does not take an answered claim for a proof that the disk takes writes', async () => {
    const { ledger, append, answer } = scriptedLedger();
    answer(FULL);
    await append().catch(() => {});
    answer({ ok: true, value: { kind: 'mismatch' } });

    await ledger.claimIdempotencyKey({
      apiKeyId: 'key-a',
      key: 'k',
      requestHash: 'h',
      leaseId: 'run_1',
      leaseExpiresAtMs: 1,
      nowMs: 0,
    });

    expect(ledger.health().writable).toBe(false);
  });

  test('stays writable when a single record is refused', async () => {
    const { ledger, append, answer } = scriptedLedger();
    answer({ ...FULL, code: 'internal', message: 'NOT NULL failed', unavailableReason: null });

    await expect(append()).rejects.toMatchObject({ code: 'internal' });

    expect(ledger.health().writable).toBe(true);
  });
});
