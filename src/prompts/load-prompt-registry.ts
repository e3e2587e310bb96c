import type { Fault } from '../kernel/index.ts';
import {
  type CompiledVersion,
  compileVersion,
  type ParsedPromptFile,
  parsePromptFile,
  type VersionCompilation,
} from './compile-version.ts';
import { inputDifferences } from './input-differences.ts';
import { type PromptDirectory, type PromptFile, readPromptDirectory } from './prompt-directory.ts';
import { promptHash } from './prompt-hash.ts';
import type { PromptLimits } from './prompt-limits.ts';
import { checkLock, type PromptLock, parseLock } from './prompt-lock.ts';
import { compareNaturally, createPromptRegistry } from './prompt-registry.ts';
import { createSchemaCompiler, type SchemaCompiler } from './schema-validator.ts';
import { FILE_START } from './source-file.ts';
import { type ParsedTemplate, parseTemplate } from './template/parse-template.ts';
import type { PromptRegistry, PromptVersion } from './types.ts';

export interface PromptLoadOptions {
  readonly directory: string;
  readonly limits: PromptLimits;
  /** Warnings count as faults. */
  readonly strict: boolean;
}

export type PromptLoad =
  | { readonly ok: true; readonly registry: PromptRegistry }
  /** Every fault of every file; nothing is loaded. */
  | {
      readonly ok: false;
      readonly faults: readonly Fault[];
      /** Of the files without a fault; when they count as faults, they are among those. */
      readonly warnings: readonly Fault[];
    };

/** What a load leaves for the next one: a version whose text did not change is not compiled again. */
export interface LoadMemory {
  readonly compilations: ReadonlyMap<
    string,
    { readonly hash: string; readonly compilation: VersionCompilation }
  >;
  readonly versions: ReadonlyMap<string, PromptVersion>;
}

/** Reads and checks the whole directory. Never throws for faulty files. */
export async function loadPromptRegistry(options: PromptLoadOptions): Promise<PromptLoad> {
  return (await loadWithMemory(options, null)).load;
}

export async function loadWithMemory(
  options: PromptLoadOptions,
  memory: LoadMemory | null,
): Promise<{ readonly load: PromptLoad; readonly memory: LoadMemory }> {
  const directory = await readPromptDirectory(options.directory, options.limits.maxSourceBytes);
  const faults: Fault[] = [...directory.faults];
  const warnings: Fault[] = [...directory.warnings];
  const lock = parseLock(directory.lock, faults);
  const partials = parsePartials(directory, options.limits);
  const compilations = new Map<string, { readonly hash: string; readonly compilation: VersionCompilation }>();
  const schemas = createSchemaCompiler();
  const hashes = new Map<string, string>();
  for (const entry of directory.prompts) {
    const key = `${entry.prompt}@${entry.version}`;
    const compiled = compileEntry(entry, key, partials, options.limits, schemas, memory);
    hashes.set(key, compiled.hash);
    compilations.set(key, compiled);
    faults.push(...compiled.compilation.faults);
    warnings.push(...compiled.compilation.warnings);
  }
  faults.push(...partials.faults());
  faults.push(
    ...checkLock(lock, directory.lock, hashes, (name) => {
      const at = name.indexOf('@');
      return `${directory.displayName}/${name.slice(0, at)}/${name.slice(at + 1)}.prompt`;
    }),
  );
  warnings.push(...compareInputs(directory, compilations, lock));
  if (options.strict) faults.push(...warnings);
  if (faults.length > 0) {
    return {
      load: { ok: false, faults: inOrder(faults), warnings: inOrder(warnings) },
      memory: memory ?? { compilations: new Map(), versions: new Map() },
    };
  }
  const versions = finishVersions(compilations, lock, memory);
  return {
    load: { ok: true, registry: createPromptRegistry([...versions.values()], inOrder(warnings)) },
    memory: { compilations, versions },
  };
}

/** The partials of the directory; a prompt's own ones win over the shared ones. */
interface Partials {
  visibleTo(prompt: string): ReadonlyMap<string, ParsedTemplate>;
  faults(): readonly Fault[];
}

function parsePartials(directory: PromptDirectory, limits: PromptLimits): Partials {
  const parsed = directory.partials.map((partial) => ({
    ...partial,
    template: parseTemplate(
      { file: partial.file, text: partial.file.text, start: FILE_START },
      limits.maxMustaches,
    ),
  }));
  const byPrompt = new Map<string, ReadonlyMap<string, ParsedTemplate>>();
  return {
    visibleTo(prompt) {
      const known = byPrompt.get(prompt);
      if (known !== undefined) return known;
      const own = parsed.filter((partial) => partial.prompt === prompt);
      const shared = parsed.filter((partial) => partial.prompt === null);
      const visible = new Map([...shared, ...own].map((partial) => [partial.name, partial.template]));
      byPrompt.set(prompt, visible);
      return visible;
    },
    faults: () => parsed.flatMap((partial) => partial.template.faults),
  };
}

function compileEntry(
  entry: PromptFile,
  key: string,
  partials: Partials,
  limits: PromptLimits,
  schemas: SchemaCompiler,
  memory: LoadMemory | null,
): { readonly hash: string; readonly compilation: VersionCompilation } {
  const parsed = parsePromptFile(entry.file, limits);
  const visible = partials.visibleTo(entry.prompt);
  const hash = promptHash(entry.file.text, usedPartials(parsed, visible));
  const remembered = memory?.compilations.get(key);
  if (remembered?.hash === hash) return remembered;
  const sources = { prompt: entry.prompt, version: entry.version, hash, parsed, partials: visible };
  return { hash, compilation: compileVersion(sources, limits, schemas) };
}

/** The partials a prompt uses, and those that they use. */
function usedPartials(
  parsed: ParsedPromptFile,
  visible: ReadonlyMap<string, ParsedTemplate>,
): { readonly name: string; readonly text: string }[] {
  const used = new Map<string, string>();
  const pending = parsed.template.partials.map((partial) => partial.name);
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const partial = visible.get(name);
    if (partial === undefined || used.has(name)) continue;
    used.set(name, partial.source.text);
    pending.push(...partial.partials.map((inner) => inner.name));
  }
  return [...used].map(([name, text]) => ({ name, text }));
}

/** Each version against the one before it, retired ones left out: nobody moves to or from those. */
function compareInputs(
  directory: PromptDirectory,
  compilations: ReadonlyMap<string, { readonly compilation: VersionCompilation }>,
  lock: PromptLock,
): Fault[] {
  const names = [...new Set(directory.prompts.map((entry) => entry.prompt))];
  return names.flatMap((name) => {
    const versions = directory.prompts
      .filter((entry) => entry.prompt === name && !lock.retired.has(`${name}@${entry.version}`))
      .sort((a, b) => compareNaturally(a.version, b.version))
      .map((entry) => ({ entry, compiled: compilations.get(`${name}@${entry.version}`)?.compilation }))
      .filter((each) => each.compiled?.version !== null);
    return versions.slice(1).flatMap((later, index) => {
      const earlier = versions[index];
      if (earlier?.compiled === undefined || later.compiled === undefined) return [];
      return inputDifferences(
        { ...earlier.compiled, version: earlier.entry.version },
        { ...later.compiled, version: later.entry.version },
      );
    });
  });
}

/** Unchanged versions stay the same objects; a changed lock makes a new object around the same compiled template. */
function finishVersions(
  compilations: LoadMemory['compilations'],
  lock: PromptLock,
  memory: LoadMemory | null,
): ReadonlyMap<string, PromptVersion> {
  const versions = new Map<string, PromptVersion>();
  for (const [key, { compilation }] of compilations) {
    const compiled: CompiledVersion | null = compilation.version;
    if (compiled === null) continue;
    const retired = lock.retired.has(key);
    const locked = lock.versions.has(key);
    const known = memory?.versions.get(key);
    const unchanged = known?.hash === compiled.hash && known.retired === retired && known.locked === locked;
    versions.set(key, unchanged ? known : Object.freeze({ ...compiled, retired, locked }));
  }
  return versions;
}

/** By file, line and column, once: a faulty partial shows in every version that uses it. */
function inOrder(faults: readonly Fault[]): readonly Fault[] {
  const unique = new Map(faults.map((fault) => [`${fault.path} ${fault.message}`, fault]));
  return [...unique.values()].sort((a, b) => compareNaturally(a.path, b.path));
}
