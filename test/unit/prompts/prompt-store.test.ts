import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type AppError, type Logger, silentLogger, systemClock } from '../../../src/kernel/index.ts';
import { createPromptStore, type PromptStore } from '../../../src/prompts/index.ts';
import { addPrompts, LIMITS, renderLines, writePrompts } from './temporary-prompts.ts';

const stores: PromptStore[] = [];

afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
});

async function open(directory: string, logger: Logger = silentLogger): Promise<PromptStore> {
  const clock = { ...systemClock, nowMs: () => Date.UTC(2026, 10, 23) };
  const store = await createPromptStore({ directory, limits: LIMITS, strict: false, clock, logger });
  stores.push(store);
  return store;
}

const text = (store: PromptStore, version = 'v1'): string =>
  renderLines(store.current().version('tip', version)).join('|');

/** Waits for something that has no event of its own, at most ten seconds. */
async function eventually(holds: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > deadlineMs) throw new Error('did not happen within ten seconds');
    await systemClock.sleep(10);
  }
}

describe('first load', () => {
  test('fails with every fault of every file', async () => {
    const directory = await writePrompts({ 'tip/v1.prompt': '{{@x}}', 'tip/v2.prompt': '{{#if a}}' });

    const error: AppError = await open(directory).then(
      () => Promise.reject(new Error('loaded')),
      (reason: AppError) => reason,
    );

    expect(error.code).toBe('prompts_invalid');
    expect(error.faults.map((fault) => fault.path)).toEqual([
      'prompts/tip/v1.prompt:1:3',
      'prompts/tip/v2.prompt:1:1',
    ]);
    expect(error.message).toContain('the prompts have 2 faults:\n  prompts/tip/v1.prompt:1:3 uses "@x"');
  });

  test('logs warnings', async () => {
    const warned: object[] = [];
    const directory = await writePrompts({
      'tip/v1.prompt': '---\ninput:\n  schema:\n    a?: string\n---\nx',
    });

    await open(directory, { ...silentLogger, warn: (fields) => warned.push(fields) });

    expect(warned).toEqual([
      expect.objectContaining({ event: 'prompt_warning', place: 'prompts/tip/v1.prompt:4:5' }),
    ]);
  });
});

describe('reload', () => {
  test('swaps the registry whole and reuses what did not change', async () => {
    const directory = await writePrompts({ 'tip/v1.prompt': 'one', 'tip/v2.prompt': 'two' });
    const store = await open(directory);
    const before = store.current();
    expect(store.lastReload()).toBeNull();

    await addPrompts(directory, { 'tip/v2.prompt': 'zwei', 'tip/v3.prompt': 'three' });
    const report = await store.reload();

    expect(report).toEqual({
      at: '2026-11-23T00:00:00.000Z',
      reloaded: ['tip@v2', 'tip@v3'],
      unchanged: ['tip@v1'],
      failed: [],
    });
    expect(store.lastReload()).toBe(report);
    expect(store.current().version('tip', 'v1')).toBe(before.version('tip', 'v1'));
    expect(text(store, 'v2')).toBe('user: zwei');
    expect(renderLines(before.version('tip', 'v2'))).toEqual(['user: two']);
    expect(store.current().hash).not.toBe(before.hash);
  });

  test('a changed partial reloads the versions that use it, and no others', async () => {
    const directory = await writePrompts({
      'tip/v1.prompt': '{{> a}}',
      'tip/v2.prompt': 'x',
      '_a.prompt': 'a',
    });
    const store = await open(directory);

    await addPrompts(directory, { '_a.prompt': 'b' });

    expect(await store.reload()).toMatchObject({ reloaded: ['tip@v1'], unchanged: ['tip@v2'] });
    expect(text(store)).toBe('user: b');
  });

  test('keeps the last good registry when a file is faulty, and recovers', async () => {
    const directory = await writePrompts({ 'tip/v1.prompt': 'one' });
    const store = await open(directory);
    const before = store.current();

    await addPrompts(directory, { 'tip/v1.prompt': '{{#if', 'tip/v2.prompt': 'good' });
    const report = await store.reload();

    expect(report.reloaded).toEqual([]);
    expect(report.unchanged).toEqual(['tip@v1']);
    expect(report.failed.map((fault) => fault.path)).toEqual(['prompts/tip/v1.prompt:1:4']);
    expect(store.current()).toBe(before);
    await addPrompts(directory, { 'tip/v1.prompt': 'fixed' });
    expect(await store.reload()).toMatchObject({ reloaded: ['tip@v1', 'tip@v2'], failed: [] });
  });

  test('tells who asked of every reload once what it brought is in force', async () => {
    const directory = await writePrompts({ 'tip/v1.prompt': 'one' });
    const told: string[] = [];
    const store: PromptStore = await createPromptStore({
      directory,
      limits: LIMITS,
      strict: false,
      clock: systemClock,
      logger: silentLogger,
      onReload: (report) => told.push(`${text(store)} ${report.failed.length}`),
    });
    stores.push(store);

    await writeFile(join(directory, 'tip/v1.prompt'), 'two');
    await store.reload();
    await writeFile(join(directory, 'tip/v1.prompt'), '{{@x}}');
    await store.reload();

    expect(told).toEqual(['user: two 0', 'user: two 1']);
  });

  test('reports a directory that vanished instead of throwing', async () => {
    const directory = await writePrompts({ 'tip/v1.prompt': 'one' });
    const store = await open(directory);

    await rm(directory, { recursive: true });

    expect((await store.reload()).failed).toHaveLength(1);
    expect(text(store)).toBe('user: one');
  });

  test('takes a retirement over without compiling again', async () => {
    const directory = await writePrompts({ 'tip/v1.prompt': 'one' });
    const store = await open(directory);
    const { render, hash } = store.current().version('tip', 'v1');

    await addPrompts(directory, {
      'prompts.lock.json': JSON.stringify({ versions: { 'tip@v1': hash }, retired: ['tip@v1'] }),
    });

    expect((await store.reload()).reloaded).toEqual(['tip@v1']);
    const after = store.current().version('tip', 'v1');
    expect(after).toMatchObject({ retired: true, locked: true });
    expect(after.render).toBe(render);
  });

  test('handles reloads one after the other: only the first one finds the change', async () => {
    const directory = await writePrompts({ 'tip/v1.prompt': 'one' });
    const store = await open(directory);
    await addPrompts(directory, { 'tip/v1.prompt': 'two' });

    const reports = await Promise.all([store.reload(), store.reload(), store.reload()]);

    expect(reports.map((report) => report.reloaded)).toEqual([['tip@v1'], [], []]);
    expect(store.lastReload()).toBe(reports[2]);
    expect(text(store)).toBe('user: two');
  });
});

describe('watching', () => {
  test('sees files that are written, replaced by renaming, added and removed', async () => {
    const directory = await writePrompts({ 'tip/v1.prompt': 'one' });
    const store = await open(directory);
    store.watch();

    await addPrompts(directory, { 'tip/v1.prompt': 'two' });
    await eventually(() => text(store) === 'user: two');
    for (const word of ['three', 'four']) {
      await writeFile(join(directory, 'tip/.swap'), word);
      await rename(join(directory, 'tip/.swap'), join(directory, 'tip/v1.prompt'));
      await eventually(() => text(store) === `user: ${word}`);
    }
    await addPrompts(directory, { 'digest/v1.prompt': 'd' });
    await eventually(() => store.current().prompts.length === 2);
    await addPrompts(directory, { 'digest/v1.prompt': 'changed' });
    await eventually(() => renderLines(store.current().version('digest', 'v1'))[0] === 'user: changed');
    await rm(join(directory, 'digest'), { recursive: true });
    await eventually(() => store.current().prompts.length === 1);
  });

  test('sees what changed between the load and the watch', async () => {
    const directory = await writePrompts({ 'tip/v1.prompt': 'one' });
    const store = await open(directory);

    await addPrompts(directory, { 'tip/v1.prompt': 'another' });
    store.watch();

    await eventually(() => text(store) === 'user: another');
  });

  test('stops when closed, and a store that is closed does not start again', async () => {
    const directory = await writePrompts({ 'tip/v1.prompt': 'one' });
    const store = await open(directory);
    store.watch();
    store.watch();

    await store.close();
    store.watch();
    await addPrompts(directory, { 'tip/v1.prompt': 'two' });
    await systemClock.sleep(150);

    expect(store.lastReload()).toBeNull();
  });
});
