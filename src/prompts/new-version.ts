import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { AppError, type Fault } from '../kernel/index.ts';
import { appendCase } from './append-case.ts';
import { expectedMessage } from './expected-message.ts';
import type { PromptCase } from './parse-cases.ts';
import { CASE_RANDOM, readPromptCases } from './prompt-cases.ts';
import { CASES_FILE, hasCode, NAME_RULE, PROMPT_NAME } from './prompt-directory.ts';
import { sampleVariables } from './sample-input.ts';
import type { PromptRegistry, PromptVersion } from './types.ts';

export interface NewVersionOptions {
  readonly directory: string;
  /** As the directory is now. */
  readonly registry: PromptRegistry;
  readonly prompt: string;
  readonly version: string;
  /** Version to copy; null: the newest, or a first text where the prompt is new. */
  readonly from: string | null;
  /** Reads the directory again. Fails with `prompts_invalid`. */
  readonly reload: () => Promise<PromptRegistry>;
}

export interface NewVersion {
  /** As faults show it: `prompts/tip/v4.prompt`. */
  readonly file: string;
  readonly casesFile: string;
  /** Name of the case that was added. */
  readonly caseName: string;
  /** What was copied; null for a first text. */
  readonly from: string | null;
}

const FIRST_TEXT = `---
description: What this prompt is for, in one line.
config:
  temperature: 0.7
input:
  schema:
    question: string, What the user asks
gateway.fallback:
  - What is shown when no model answers.
---
{{role "system"~}}
You answer in two sentences.
{{~history~}}
{{~role "user"~}}
{{question}}
`;

/**
 * Writes a version and a case that holds for it; leaves nothing behind when it fails: with `invalid_request` for a name,
 * `conflict` for a version that exists, `version_not_found` and `prompt_not_found` for what should be copied.
 */
export async function addPromptVersion(options: NewVersionOptions): Promise<NewVersion> {
  const { prompt, version, registry, directory } = options;
  refuseNames({ prompt, version });
  const source = sourceOf(options);
  if (registry.prompts.some(({ name, versions }) => name === prompt && has(versions, version))) {
    throw exists(options);
  }
  const folder = resolve(directory, prompt);
  const file = join(folder, `${version}.prompt`);
  const madeFolder = await mkdir(folder, { recursive: true });
  try {
    await writeNew(file, source?.source ?? FIRST_TEXT, options);
    try {
      const added = (await options.reload()).version(prompt, version);
      const caseName = await writeCase(added, source, directory);
      const shown = `${basename(resolve(directory))}/${prompt}`;
      return {
        file: `${shown}/${version}.prompt`,
        casesFile: `${shown}/${CASES_FILE}`,
        caseName,
        from: source?.version ?? null,
      };
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    }
  } catch (error) {
    if (madeFolder !== undefined) await rm(madeFolder, { recursive: true, force: true });
    throw error;
  }
}

function refuseNames(names: Readonly<Record<'prompt' | 'version', string>>): void {
  const faults: Fault[] = Object.entries(names)
    .filter(([, name]) => !PROMPT_NAME.test(name))
    .map(([what, name]) => ({ path: what, message: `"${name}" cannot name a ${what}: ${NAME_RULE}` }));
  if (faults.length > 0) throw new AppError('invalid_request', 'a name cannot be used', { faults });
}

function sourceOf({ registry, prompt, from }: NewVersionOptions): PromptVersion | null {
  if (from !== null) return registry.version(prompt, from);
  const family = registry.prompts.find(({ name }) => name === prompt);
  if (family === undefined) return null;
  return family.versions.findLast(({ retired }) => !retired) ?? family.versions.at(-1) ?? null;
}

function has(versions: readonly PromptVersion[], version: string): boolean {
  return versions.some((known) => known.version === version);
}

function exists({ prompt, version }: NewVersionOptions): AppError {
  return new AppError(
    'conflict',
    `${prompt}@${version} exists already: choose another name, or edit the file`,
  );
}

/** Refuses a file that is there, whoever wrote it in the meantime. */
async function writeNew(file: string, text: string, options: NewVersionOptions): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx' });
  } catch (error) {
    throw hasCode(error, 'EEXIST') ? exists(options) : error;
  }
}

/** Adds a case of the source's input, with what the new version renders from it. Returns its name. */
async function writeCase(
  added: PromptVersion,
  source: PromptVersion | null,
  directory: string,
): Promise<string> {
  const { cases } = await readPromptCases(directory, added.prompt);
  const model = cases.find(
    ({ versions, expected }) =>
      expected.kind === 'messages' && source !== null && versions.includes(source.version),
  );
  const given: Given = model ?? { variables: sampleVariables(added), profile: null, history: [] };
  const name = freeName(model?.name ?? 'renders', added.version, cases);
  const path = resolve(directory, added.prompt, CASES_FILE);
  const before = await readFile(path, 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return '';
    throw error;
  });
  const promptCase = { name, version: added.version, ...inputOf(given), ...expectedOf(added, given) };
  const unfinished = join(dirname(path), `.${CASES_FILE}.${randomUUID()}`);
  await writeFile(unfinished, appendCase(before, promptCase));
  await rename(unfinished, path);
  return name;
}

/** Reports and comparisons know a case by its name. */
function freeName(name: string, version: string, cases: readonly PromptCase[]): string {
  const taken = new Set(cases.map((each) => each.name));
  if (!taken.has(name)) return name;
  const of = cases.flatMap(({ versions }) => versions).find((known) => name.endsWith(` (${known})`));
  const stem = of === undefined ? name : name.slice(0, -` (${of})`.length);
  return `${stem} (${version})`;
}

type Given = Pick<PromptCase, 'variables' | 'profile' | 'history'>;

function inputOf({ variables, profile, history }: Given): object {
  const input = {
    ...(Object.keys(variables).length === 0 ? {} : { variables }),
    ...(profile === null ? {} : { profile_features: profile }),
    ...(history.length === 0 ? {} : { history: history.map(expectedMessage) }),
  };
  return Object.keys(input).length === 0 ? {} : { input };
}

function expectedOf(version: PromptVersion, given: Given): object {
  try {
    return { messages: version.render({ ...given, random: CASE_RANDOM }).messages.map(expectedMessage) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const [fault] = error.faults;
    return { error: { code: error.code, ...(fault === undefined ? {} : { path: fault.path }) } };
  }
}
