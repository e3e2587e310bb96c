import { AppError, type Fault, listNames, nearestName, sha256Hex } from '../kernel/index.ts';
import { didYouMean } from './source-file.ts';
import type { PromptFamily, PromptRegistry, PromptVersion } from './types.ts';

/** Makes the immutable registry of one load. */
export function createPromptRegistry(
  versions: readonly PromptVersion[],
  warnings: readonly Fault[],
): PromptRegistry {
  const families = new Map<string, PromptVersion[]>();
  for (const version of versions) {
    const family = families.get(version.prompt);
    if (family === undefined) families.set(version.prompt, [version]);
    else family.push(version);
  }
  const prompts: readonly PromptFamily[] = [...families]
    .sort(([a], [b]) => compareNaturally(a, b))
    .map(([name, members]) =>
      Object.freeze({
        name,
        versions: Object.freeze(members.sort((a, b) => compareNaturally(a.version, b.version))),
      }),
    );
  const byName = new Map(prompts.map((family) => [family.name, family]));
  const byKey = new Map(versions.map((version) => [`${version.prompt}@${version.version}`, version]));
  const family = (name: string): PromptFamily => {
    const found = byName.get(name);
    if (found !== undefined) return found;
    throw new AppError(
      'prompt_not_found',
      `there is no prompt "${name}"${didYouMean(nearestName(name, byName.keys()))}; known: ${listNames(byName.keys())}`,
      { details: { prompt: name, known: [...byName.keys()].slice(0, 100) } },
    );
  };
  return Object.freeze({
    hash: `sha256:${sha256Hex(
      JSON.stringify(
        [...byKey]
          .map(([key, version]) => [key, version.hash])
          .sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
      ),
    )}`,
    prompts: Object.freeze(prompts),
    warnings: Object.freeze([...warnings]),
    family,
    version: (name: string, version: string): PromptVersion => {
      const found = byKey.get(`${name}@${version}`);
      if (found !== undefined && found.prompt === name) return found;
      const known = family(name).versions.map((each) => each.version);
      throw new AppError(
        'version_not_found',
        `prompt "${name}" has no version "${version}"${didYouMean(nearestName(version, known))}; known: ${listNames(known)}`,
        { details: { prompt: name, version, known: known.slice(0, 100) } },
      );
    },
  });
}

/** v2 before v10: runs of digits compare as numbers. */
export function compareNaturally(a: string, b: string): number {
  const left = a.match(/\d+|\D+/g) ?? [];
  const right = b.match(/\d+|\D+/g) ?? [];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const x = left[index];
    const y = right[index];
    if (x === undefined) return -1;
    if (y === undefined) return 1;
    if (x === y) continue;
    if (/^\d/.test(x) && /^\d/.test(y)) {
      const difference = BigInt(x) - BigInt(y);
      if (difference !== 0n) return difference < 0n ? -1 : 1;
    }
    return x < y ? -1 : 1;
  }
  return 0;
}
