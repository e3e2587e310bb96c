import { AppError, type Fault, listNames, nearestName } from '../kernel/index.ts';
import { loadPromptRegistry, type PromptLoadOptions } from './load-prompt-registry.ts';
import { parseCases } from './parse-cases.ts';
import { MAX_CASE_FILE_BYTES } from './prompt-cases.ts';
import { type PromptDirectory, readPromptDirectory } from './prompt-directory.ts';
import { compareNaturally } from './prompt-registry.ts';
import { didYouMean, faultAt } from './source-file.ts';

export interface PromptLint {
  /** Each at `file:line:column`, with what is wrong and what to do. */
  readonly faults: readonly Fault[];
  /** What loads but is hardly meant. */
  readonly warnings: readonly Fault[];
  /** How many versions were looked at. */
  readonly versions: number;
}

/**
 * Every fault of the files, the lock and the cases at once; of one prompt with what it shares with others. Fails with
 * `prompt_not_found`, and never for faulty files.
 */
export async function lintPrompts(
  options: Omit<PromptLoadOptions, 'strict'>,
  prompt: string | null,
): Promise<PromptLint> {
  const directory = await readPromptDirectory(options.directory, MAX_CASE_FILE_BYTES);
  const names = [...new Set(directory.prompts.map((each) => each.prompt))];
  if (prompt !== null && !names.includes(prompt)) {
    throw new AppError(
      'prompt_not_found',
      `there is no prompt "${prompt}"${didYouMean(nearestName(prompt, names))}; known: ${listNames(names)}`,
      { details: { prompt, known: names.slice(0, 100) } },
    );
  }
  const load = await loadPromptRegistry({ ...options, strict: false });
  const isOf = concerns(directory, prompt);
  const inOrder = (faults: readonly Fault[]): readonly Fault[] =>
    faults
      .map(withPosition)
      .filter(({ path }) => isOf(path))
      .sort((a, b) => compareNaturally(a.path, b.path));
  return {
    faults: inOrder([...(load.ok ? [] : load.faults), ...caseFaults(directory)]),
    warnings: inOrder([...(load.ok ? load.registry.warnings : load.warnings), ...uncovered(directory)]),
    versions: directory.prompts.filter((each) => prompt === null || each.prompt === prompt).length,
  };
}

/** A fault outside of the folders of prompts (the folder of all, the lock, a shared partial) concerns every prompt. */
function concerns(directory: PromptDirectory, prompt: string | null): (path: string) => boolean {
  const root = directory.displayName;
  return (path) => {
    if (prompt === null || path === root) return true;
    const inner = path.slice(root.length + 1);
    if (inner === prompt || inner.startsWith(`${prompt}/`)) return true;
    return !inner.includes('/') && /\.(prompt|json):/.test(inner);
  };
}

/** Editors jump to `file:line:column`: what is wrong with a whole file is shown at its beginning. */
function withPosition({ path, message }: Fault): Fault {
  return { path: /\.(prompt|yaml|yml|json)$/.test(path) ? `${path}:1:1` : path, message };
}

function caseFaults(directory: PromptDirectory): readonly Fault[] {
  const faults: Fault[] = [];
  for (const [prompt, file] of directory.cases) {
    const known = versionsOf(directory, prompt);
    for (const { versions, position } of parseCases(file, faults)) {
      for (const version of versions) {
        if (known.includes(version)) continue;
        const hint = didYouMean(nearestName(version, known));
        faults.push(faultAt(file, position, `names version "${version}", which does not exist${hint}`));
      }
    }
  }
  return faults;
}

/** Prompts without any case: `prompts test` says it of each version. */
function uncovered(directory: PromptDirectory): readonly Fault[] {
  return [...new Set(directory.prompts.map(({ prompt }) => prompt))]
    .filter((prompt) => !directory.cases.has(prompt))
    .map((prompt) => ({
      path: `${directory.displayName}/${prompt}`,
      message: 'has no cases.yaml: add one, so that a change of the text is seen before it is released',
    }));
}

function versionsOf(directory: PromptDirectory, prompt: string): readonly string[] {
  return directory.prompts.filter((each) => each.prompt === prompt).map(({ version }) => version);
}
