import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach } from '@jest/globals';
import type { AppError, ChatMessage } from '../../../src/kernel/index.ts';
import { seededRandom, textOf } from '../../../src/kernel/index.ts';
import {
  loadPromptRegistry,
  type PromptLimits,
  type PromptRegistry,
  type PromptVersion,
} from '../../../src/prompts/index.ts';

export const LIMITS: PromptLimits = {
  maxSourceBytes: 65_536,
  maxMustaches: 500,
  maxLoopSteps: 10_000,
  maxOutputBytes: 65_536,
};

const directories: string[] = [];

afterEach(async () => {
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true });
});

export type PromptFiles = Readonly<Record<string, string | Uint8Array>>;

/** A directory named `prompts` with these files, removed after the test. */
export async function writePrompts(files: PromptFiles): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'prompts-'));
  directories.push(parent);
  const directory = join(parent, 'prompts');
  await mkdir(directory);
  await addPrompts(directory, files);
  return directory;
}

export async function addPrompts(directory: string, files: PromptFiles): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
}

export interface LoadSettings {
  readonly strict?: boolean;
  readonly limits?: Partial<PromptLimits>;
}

export async function loadFiles(files: PromptFiles, settings: LoadSettings = {}): Promise<PromptRegistry> {
  const directory = await writePrompts(files);
  const load = await loadPromptRegistry({
    directory,
    limits: { ...LIMITS, ...settings.limits },
    strict: settings.strict ?? false,
  });
  if (load.ok) return load.registry;
  throw new Error(load.faults.map((fault) => `${fault.path} ${fault.message}`).join('\n'));
}

/** The faults of a load as the author sees them. */
export async function faultsOf(files: PromptFiles, settings: LoadSettings = {}): Promise<readonly string[]> {
  const directory = await writePrompts(files);
  const load = await loadPromptRegistry({
    directory,
    limits: { ...LIMITS, ...settings.limits },
    strict: settings.strict ?? false,
  });
  return load.ok ? [] : load.faults.map((fault) => `${fault.path} ${fault.message}`);
}

/** One version `p@v1` with this text. */
export async function versionOf(
  text: string,
  partials: PromptFiles = {},
  settings: LoadSettings = {},
): Promise<PromptVersion> {
  return (await loadFiles({ 'p/v1.prompt': text, ...partials }, settings)).version('p', 'v1');
}

export interface RenderSettings {
  readonly profile?: Readonly<Record<string, unknown>> | null;
  readonly history?: readonly ChatMessage[];
}

/** The messages as `role: text` lines. */
export function renderLines(
  version: PromptVersion,
  variables: Readonly<Record<string, unknown>> = {},
  settings: RenderSettings = {},
): readonly string[] {
  return render(version, variables, settings).map((message) => `${message.role}: ${textOf(message.content)}`);
}

export function render(
  version: PromptVersion,
  variables: Readonly<Record<string, unknown>> = {},
  settings: RenderSettings = {},
): readonly ChatMessage[] {
  return version.render({
    variables,
    profile: settings.profile ?? null,
    history: settings.history ?? [],
    random: seededRandom(7),
  }).messages;
}

/** The error of a render that must fail. */
export function renderError(
  version: PromptVersion,
  variables: Readonly<Record<string, unknown>> = {},
  settings: RenderSettings = {},
): AppError {
  try {
    render(version, variables, settings);
  } catch (error) {
    return error as AppError;
  }
  throw new Error('the render did not fail');
}

export function user(text: string): ChatMessage {
  return { role: 'user', content: [{ kind: 'text', text }] };
}

export function assistant(text: string): ChatMessage {
  return { role: 'assistant', content: [{ kind: 'text', text }] };
}
