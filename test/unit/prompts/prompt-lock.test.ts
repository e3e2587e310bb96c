import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import {
  loadPromptRegistry,
  lockPrompts,
  type PromptRegistry,
  retirePrompt,
} from '../../../src/prompts/index.ts';
import { addPrompts, faultsOf, LIMITS, writePrompts } from './temporary-prompts.ts';

async function load(directory: string): Promise<PromptRegistry> {
  const loaded = await loadPromptRegistry({ directory, limits: LIMITS, strict: false });
  if (loaded.ok) return loaded.registry;
  throw new Error(loaded.faults.map((fault) => `${fault.path} ${fault.message}`).join('\n'));
}

const lockOf = async (directory: string): Promise<{ versions: Record<string, string>; retired: string[] }> =>
  JSON.parse(await readFile(join(directory, 'prompts.lock.json'), 'utf8'));

describe('the lock', () => {
  test('only adds, and says what it added', async () => {
    const directory = await writePrompts({ 'tip/v1.prompt': 'one' });

    expect(await lockPrompts({ directory, registry: await load(directory) })).toEqual(['tip@v1']);
    const first = await lockOf(directory);
    await addPrompts(directory, { 'tip/v2.prompt': 'two' });
    expect((await load(directory)).version('tip', 'v2').locked).toBe(false);
    expect(await lockPrompts({ directory, registry: await load(directory) })).toEqual(['tip@v2']);
    expect(await lockPrompts({ directory, registry: await load(directory) })).toEqual([]);

    const second = await lockOf(directory);
    expect(second.versions['tip@v1']).toBe(first.versions['tip@v1']);
    expect(Object.keys(second.versions)).toEqual(['tip@v1', 'tip@v2']);
    expect((await load(directory)).version('tip', 'v2').locked).toBe(true);
  });

  test('refuses a released version that changed, through a partial too', async () => {
    const directory = await writePrompts({ 'tip/v1.prompt': '{{> a}}', 'tip/_a.prompt': 'one' });
    await lockPrompts({ directory, registry: await load(directory) });

    await addPrompts(directory, { 'tip/_a.prompt': 'two' });

    await expect(load(directory)).rejects.toThrow(
      'prompts/tip/v1.prompt:1:1 released version changed: add a new version instead, or restore the file and its partials',
    );
  });

  test('does not mind other line ends', async () => {
    const directory = await writePrompts({ 'tip/v1.prompt': 'a\nb\n' });
    await lockPrompts({ directory, registry: await load(directory) });

    await addPrompts(directory, { 'tip/v1.prompt': 'a\r\nb\r\n' });

    expect((await load(directory)).version('tip', 'v1').locked).toBe(true);
  });

  test('never changes an entry, whatever the file has become', async () => {
    const directory = await writePrompts({ 'tip/v1.prompt': 'a' });
    const registry = await load(directory);
    await lockPrompts({ directory, registry });
    const before = await lockOf(directory);

    await addPrompts(directory, { 'tip/v1.prompt': 'changed' });
    await lockPrompts({ directory, registry });

    expect(await lockOf(directory)).toEqual(before);
  });

  test('retires a version: still readable, marked as such', async () => {
    const directory = await writePrompts({ 'tip/v1.prompt': 'a', 'tip/v2.prompt': 'b' });
    await lockPrompts({ directory, registry: await load(directory) });

    expect(
      await retirePrompt({ directory, registry: await load(directory), prompt: 'tip', version: 'v1' }),
    ).toBe(true);
    expect(
      await retirePrompt({ directory, registry: await load(directory), prompt: 'tip', version: 'v1' }),
    ).toBe(false);

    expect((await lockOf(directory)).retired).toEqual(['tip@v1']);
    expect((await load(directory)).family('tip').versions.map((version) => version.retired)).toEqual([
      true,
      false,
    ]);
  });

  test('does not retire what was never released or does not exist', async () => {
    const directory = await writePrompts({ 'tip/v1.prompt': 'a' });
    const registry = await load(directory);

    await expect(retirePrompt({ directory, registry, prompt: 'tip', version: 'v1' })).rejects.toMatchObject({
      code: 'conflict',
    });
    await expect(retirePrompt({ directory, registry, prompt: 'tip', version: 'v9' })).rejects.toMatchObject({
      code: 'version_not_found',
    });
  });

  test('does not overwrite a lock it cannot read', async () => {
    const directory = await writePrompts({ 'tip/v1.prompt': 'a' });
    const registry = await load(directory);
    await writeFile(join(directory, 'prompts.lock.json'), '<<<<<<< HEAD');

    await expect(lockPrompts({ directory, registry })).rejects.toMatchObject({ code: 'prompts_invalid' });
    expect(await readFile(join(directory, 'prompts.lock.json'), 'utf8')).toBe('<<<<<<< HEAD');
  });

  test.each([
    ['{', 'prompts/prompts.lock.json:1:2 is not valid JSON'],
    ['[]', 'prompts/prompts.lock.json:1:1 must be a map with "versions" and "retired"'],
    ['{"version": {}}', 'unknown key "version" (did you mean "versions"?)'],
    [
      '{"versions": {"tip@v1": "abc"}}',
      '"versions" gives "tip@v1" no hash of the form sha256:<64 hex digits>',
    ],
    ['{"retired": "tip@v1"}', '"retired" must be a list of name@version'],
    ['{"retired": ["tip@v2"]}', '"retired" names "tip@v2", which does not exist (did you mean "tip@v1"?)'],
    [
      `{"versions": {"tip@v0": "sha256:${'0'.repeat(64)}"}}`,
      'prompts/tip/v0.prompt released version tip@v0 is missing: restore the file; to stop using a version, retire it',
    ],
  ])('refuses the lock %s', async (text, fault) => {
    expect((await faultsOf({ 'tip/v1.prompt': 'a', 'prompts.lock.json': text })).join('\n')).toContain(fault);
  });
});
