import {
  AppError,
  type ChatMessage,
  errorMessage,
  type Fault,
  nearestName,
  type Random,
  textOf,
} from '../kernel/index.ts';
import { type PromptCase, parseCases } from './parse-cases.ts';
import { readPromptDirectory } from './prompt-directory.ts';
import { didYouMean, faultAt, type SourceFile } from './source-file.ts';
import type { PromptRegistry, PromptVersion } from './types.ts';

/** One case of a `cases.yaml`, run against one version. */
export interface PromptCaseResult {
  readonly prompt: string;
  readonly version: string;
  readonly name: string;
  readonly ok: boolean;
  /** What differed, with the place of the case; empty when it holds. */
  readonly faults: readonly Fault[];
}

export interface PromptCaseReport {
  readonly results: readonly PromptCaseResult[];
  /** Versions in force (not retired) without a case, as `name@version`. */
  readonly uncovered: readonly string[];
  /** Faults of the `cases.yaml` files themselves. */
  readonly faults: readonly Fault[];
}

/** Cases draw the boundary of `{{fence}}` from this: it is always thirty-two zeros. */
export const CASE_RANDOM: Random = { next: () => 0 };

export const MAX_CASE_FILE_BYTES = 4_194_304;

/** The cases of one prompt, without running them; none when it has no `cases.yaml`. Never throws for faulty files. */
export async function readPromptCases(
  directory: string,
  prompt: string,
): Promise<{ readonly cases: readonly PromptCase[]; readonly faults: readonly Fault[] }> {
  const faults: Fault[] = [];
  const file = (await readPromptDirectory(directory, MAX_CASE_FILE_BYTES)).cases.get(prompt);
  return { cases: file === undefined ? [] : parseCases(file, faults), faults };
}

/** Runs every `cases.yaml` of the directory. Never throws for faulty files or failing cases. */
export async function runPromptCases(registry: PromptRegistry, directory: string): Promise<PromptCaseReport> {
  const { cases } = await readPromptDirectory(directory, MAX_CASE_FILE_BYTES);
  const faults: Fault[] = [];
  const results: PromptCaseResult[] = [];
  for (const [prompt, file] of cases) {
    const family = registry.prompts.find((each) => each.name === prompt);
    if (family === undefined) continue;
    for (const promptCase of parseCases(file, faults)) {
      for (const wanted of promptCase.versions) {
        const version = family.versions.find((each) => each.version === wanted);
        if (version === undefined) {
          const near = nearestName(
            wanted,
            family.versions.map((each) => each.version),
          );
          faults.push(
            faultAt(
              file,
              promptCase.position,
              `names version "${wanted}", which does not exist${didYouMean(near)}`,
            ),
          );
        } else results.push(runCase(version, promptCase, file));
      }
    }
  }
  const covered = new Set(results.map((result) => `${result.prompt}@${result.version}`));
  const uncovered = registry.prompts
    .flatMap((family) => family.versions)
    .filter((version) => !version.retired)
    .map((version) => `${version.prompt}@${version.version}`)
    .filter((name) => !covered.has(name));
  return { results, uncovered, faults };
}

function runCase(version: PromptVersion, promptCase: PromptCase, file: SourceFile): PromptCaseResult {
  const found: string[] = [];
  try {
    const { messages } = version.render({
      variables: promptCase.variables,
      profile: promptCase.profile,
      history: promptCase.history,
      random: CASE_RANDOM,
    });
    if (promptCase.expected.kind === 'error')
      found.push(`expected the error ${promptCase.expected.code}, but it rendered`);
    else found.push(...compareMessages(promptCase.expected.messages, messages));
  } catch (error) {
    found.push(...compareError(promptCase.expected, error));
  }
  return {
    prompt: version.prompt,
    version: version.version,
    name: promptCase.name,
    ok: found.length === 0,
    faults: found.map((message) => faultAt(file, promptCase.position, message)),
  };
}

function compareMessages(
  expected: readonly { readonly role: string; readonly content: string }[],
  actual: readonly ChatMessage[],
): string[] {
  const found: string[] = [];
  if (expected.length !== actual.length) {
    found.push(
      `expected ${expected.length} messages, got ${actual.length} (${actual.map((each) => each.role).join(', ')})`,
    );
  }
  for (const [index, message] of actual.entries()) {
    const wanted = expected[index];
    if (wanted === undefined) continue;
    if (wanted.role !== message.role)
      found.push(`message ${index + 1}: expected role ${wanted.role}, got ${message.role}`);
    const text = textOf(message.content);
    // The line end that `|` leaves behind in YAML says nothing about the prompt.
    if (wanted.content.trimEnd() !== text.trimEnd()) {
      found.push(
        `message ${index + 1}: expected ${JSON.stringify(wanted.content)}, got ${JSON.stringify(text)}`,
      );
    }
  }
  return found;
}

function compareError(expected: PromptCase['expected'], error: unknown): string[] {
  if (!(error instanceof AppError)) return [`failed: ${errorMessage(error)}`];
  const paths = error.faults.map((fault) => fault.path);
  if (expected.kind === 'messages') return [`failed with ${error.code}: ${error.message}`];
  if (expected.code !== error.code) return [`expected the error ${expected.code}, got ${error.code}`];
  if (expected.path === null || paths.includes(expected.path)) return [];
  return [`expected a fault at ${expected.path}, got ${paths.join(', ') || 'none'}`];
}
