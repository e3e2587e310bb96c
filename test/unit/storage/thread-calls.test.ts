import { Worker } from 'node:worker_threads';

import { afterEach, describe, expect, test } from '@jest/globals';

import { silentLogger, systemClock } from '../../../src/kernel/index.ts';
import { openThreadCalls, type ThreadCalls } from '../../../src/storage/sqlite/thread-calls.ts';

/** Echoes calls; `die` ends the thread, `hold` keeps its answers until the thread closes. */
const ECHO_THREAD = `
  const { parentPort } = require('node:worker_threads');
  parentPort.on('message', (message) => {
    if (message.kind === 'close') { parentPort.close(); return; }
    if (message.calls.some(({ call }) => call === 'die')) process.exit(7);
    if (message.calls.some(({ call }) => call === 'hold')) return;
    parentPort.postMessage({ kind: 'replies', replies: message.calls.map(({ id, call }) => ({ id, reply: call })) });
  });
  parentPort.postMessage({ kind: 'ready' });`;

describe('calls to a thread', () => {
  let calls: ThreadCalls<string, string> | null = null;
  afterEach(async () => {
    await calls?.close();
    calls = null;
  });

  const openEcho = async (limits: { maxPending?: number; maxPendingCharacters?: number } = {}) => {
    calls = await openThreadCalls<string, string>({
      name: 'writer',
      start: () => new Worker(ECHO_THREAD, { eval: true, execArgv: [] }),
      maxPending: 100,
      maxPendingCharacters: 1_000,
      clock: systemClock,
      logger: silentLogger,
      ...limits,
    });
    return calls;
  };

  test('answers each call with its own reply', async () => {
    const { submit } = await openEcho();

    expect(await Promise.all(['a', 'b', 'c'].map((call) => submit(call, 1)))).toEqual(['a', 'b', 'c']);
  });

  test('starts an idle thread with the first call and sends it the rest of the turn in shares', async () => {
    const echo = await openEcho();

    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => echo.submit(`${index}`, 1)));

    expect(answers).toEqual(Array.from({ length: 50 }, (_, index) => `${index}`));
    // One alone, six times eight, and the last one after the turn.
    expect(echo.batches).toBe(8);
  });

  test('sends what a turn leaves behind, however little it is', async () => {
    const echo = await openEcho();

    expect(await Promise.all([echo.submit('a', 1), echo.submit('b', 1), echo.submit('c', 1)])).toHaveLength(
      3,
    );

    expect(echo.batches).toBe(2);
  });

  test('refuses more calls than may wait, and takes calls again afterwards', async () => {
    const echo = await openEcho({ maxPending: 2 });
    const waiting = [echo.submit('a', 1), echo.submit('b', 1)];

    await expect(echo.submit('c', 1)).rejects.toMatchObject({
      code: 'storage_unavailable',
      retryAfterMs: 1_000,
    });
    expect(await Promise.all(waiting)).toEqual(['a', 'b']);
    expect(await echo.submit('c', 1)).toBe('c');
  });

  test('refuses calls that are too large together', async () => {
    const echo = await openEcho();
    const waiting = echo.submit('a', 900);

    await expect(echo.submit('b', 101)).rejects.toMatchObject({ code: 'storage_unavailable' });
    await waiting;
    expect(await echo.submit('b', 101)).toBe('b');
  });

  test('fails what a dead thread had not answered, and starts another', async () => {
    const echo = await openEcho();
    const unanswered = echo.submit('hold', 1);
    unanswered.catch(() => {});
    const fatal = echo.submit('die', 1);

    await expect(fatal).rejects.toMatchObject({ code: 'storage_unavailable' });
    await expect(unanswered).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect(echo.stopped).toContain('writer thread stopped');
    await expect(echo.submit('too early', 1)).rejects.toMatchObject({ code: 'storage_unavailable' });

    while (echo.stopped !== null) await systemClock.sleep(10);
    expect(await echo.submit('again', 1)).toBe('again');
  });

  test('counts a thread that was started again as stopped until it is ready', async () => {
    let starts = 0;
    calls = await openThreadCalls<string, string>({
      name: 'writer',
      start: () => {
        starts += 1;
        // The second one dies on the way, as one does that cannot open its file.
        const code = starts === 2 ? 'setTimeout(() => process.exit(7), 200)' : ECHO_THREAD;
        return new Worker(code, { eval: true, execArgv: [] });
      },
      maxPending: 100,
      maxPendingCharacters: 1_000,
      clock: systemClock,
      logger: silentLogger,
    });
    const echo = calls;
    await expect(echo.submit('die', 1)).rejects.toMatchObject({ code: 'storage_unavailable' });

    while (starts < 2) await systemClock.sleep(5);
    expect(echo.stopped).toContain('writer thread stopped');
    await expect(echo.submit('to the second', 1)).rejects.toMatchObject({ code: 'storage_unavailable' });

    while (echo.stopped !== null) await systemClock.sleep(10);
    expect(starts).toBe(3);
  });

  test('answers what was submitted before it closes, and refuses what comes after', async () => {
    const echo = await openEcho();
    const submitted = echo.submit('last', 1);
    const closed = echo.close();

    expect(await submitted).toBe('last');
    await closed;
    await expect(echo.submit('late', 1)).rejects.toMatchObject({ code: 'storage_unavailable' });
  });

  test('reports a thread that cannot be started', async () => {
    const opened = openThreadCalls({
      name: 'writer',
      start: () => new Worker('throw new Error("no such file")', { eval: true, execArgv: [] }),
      maxPending: 1,
      maxPendingCharacters: 1,
      clock: systemClock,
      logger: silentLogger,
    });

    await expect(opened).rejects.toThrow('no such file');
  });
});
