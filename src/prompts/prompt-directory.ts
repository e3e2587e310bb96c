import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { errorMessage, type Fault } from '../kernel/index.ts';
import type { SourceFile } from './source-file.ts';
import { withLfLineEnds } from './source-file.ts';

/** Names of prompts, versions and partials: they appear in URLs, labels and metrics. */
export const PROMPT_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
/** Partials are named in templates, where the published format allows capitals. */
const PARTIAL_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
export const NAME_RULE =
  'use lower-case letters, digits, ".", "_" and "-", 1 to 64 characters, letter or digit first';

export const LOCK_FILE = 'prompts.lock.json';
export const CASES_FILE = 'cases.yaml';

/** `cases.yaml` and the lock are written by tools and hands alike, but nothing sensible is larger. */
const MAX_SIDE_FILE_BYTES = 4_194_304;

export interface PromptFile {
  readonly prompt: string;
  readonly version: string;
  readonly file: SourceFile;
}

export interface PartialFile {
  /** Null: shared by all prompts. */
  readonly prompt: string | null;
  readonly name: string;
  readonly file: SourceFile;
}

/** The texts of one prompts directory at one moment. */
export interface PromptDirectory {
  readonly displayName: string;
  readonly prompts: readonly PromptFile[];
  readonly partials: readonly PartialFile[];
  readonly lock: SourceFile | null;
  /** `cases.yaml` by prompt. */
  readonly cases: ReadonlyMap<string, SourceFile>;
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
}

/** Reads `prompts/<name>/<version>.prompt`, partials, the lock and the cases. Never throws for what it finds. */
export async function readPromptDirectory(
  directory: string,
  maxSourceBytes: number,
): Promise<PromptDirectory> {
  const reader = new DirectoryReader(directory, maxSourceBytes);
  await reader.read();
  return reader.result();
}

interface Entry {
  readonly name: string;
  readonly isDirectory: boolean;
}

class DirectoryReader {
  readonly #root: string;
  readonly #displayName: string;
  readonly #maxSourceBytes: number;
  readonly #prompts: PromptFile[] = [];
  readonly #partials: PartialFile[] = [];
  readonly #cases = new Map<string, SourceFile>();
  readonly #faults: Fault[] = [];
  readonly #warnings: Fault[] = [];
  #lock: SourceFile | null = null;

  constructor(directory: string, maxSourceBytes: number) {
    this.#root = resolve(directory);
    this.#displayName = basename(this.#root);
    this.#maxSourceBytes = maxSourceBytes;
  }

  result(): PromptDirectory {
    return {
      displayName: this.#displayName,
      prompts: this.#prompts,
      partials: this.#partials,
      lock: this.#lock,
      cases: this.#cases,
      faults: this.#faults,
      warnings: this.#warnings,
    };
  }

  async read(): Promise<void> {
    for (const entry of await this.#list('')) {
      if (entry.isDirectory) await this.#readPrompt(entry.name);
      else if (entry.name === LOCK_FILE) this.#lock = await this.#readText(entry.name, MAX_SIDE_FILE_BYTES);
      else if (entry.name.endsWith('.prompt')) await this.#readRootFile(entry.name);
    }
    if (this.#prompts.length === 0 && this.#faults.length === 0) {
      this.#warnings.push({
        path: this.#displayName,
        message: 'holds no prompts: add one as <name>/<version>.prompt, for example tip/v1.prompt',
      });
    }
  }

  async #readRootFile(name: string): Promise<void> {
    if (name.startsWith('_')) return this.#readPartial(null, name, name);
    this.#fault(name, `belongs into a folder with the prompt's name: ${this.#displayName}/<name>/${name}`);
  }

  async #readPrompt(prompt: string): Promise<void> {
    const entries = await this.#list(prompt);
    const promptFiles = entries.filter((entry) => !entry.isDirectory && entry.name.endsWith('.prompt'));
    if (promptFiles.length === 0) return;
    if (!PROMPT_NAME.test(prompt)) {
      this.#fault(prompt, `"${prompt}" cannot name a prompt: ${NAME_RULE}`);
      return;
    }
    for (const entry of entries) {
      const path = `${prompt}/${entry.name}`;
      if (entry.isDirectory) await this.#refuseNestedPrompts(path);
      else if (entry.name === CASES_FILE) {
        const file = await this.#readText(path, MAX_SIDE_FILE_BYTES);
        if (file !== null) this.#cases.set(prompt, file);
      } else if (entry.name === 'cases.yml') {
        this.#fault(path, `is not read: rename it to ${CASES_FILE}`);
      } else if (entry.name.startsWith('_') && entry.name.endsWith('.prompt')) {
        await this.#readPartial(prompt, entry.name, path);
      } else if (entry.name.endsWith('.prompt')) {
        await this.#readVersion(prompt, entry.name, path);
      }
    }
  }

  async #readVersion(prompt: string, name: string, path: string): Promise<void> {
    const version = name.slice(0, -'.prompt'.length);
    if (!PROMPT_NAME.test(version)) {
      const label = version.startsWith('@') ? ' ("@" begins a label, which points to a version)' : '';
      this.#fault(path, `"${version}" cannot name a version${label}: ${NAME_RULE}`);
      return;
    }
    const file = await this.#readText(path, this.#maxSourceBytes);
    if (file !== null) this.#prompts.push({ prompt, version, file });
  }

  async #readPartial(prompt: string | null, fileName: string, path: string): Promise<void> {
    const name = fileName.slice(1, -'.prompt'.length);
    if (!PARTIAL_NAME.test(name)) {
      this.#fault(path, `"${name}" cannot name a partial: use letters, digits, ".", "_" and "-"`);
      return;
    }
    const file = await this.#readText(path, this.#maxSourceBytes);
    if (file !== null) this.#partials.push({ prompt, name, file });
  }

  async #refuseNestedPrompts(path: string): Promise<void> {
    const nested = (await this.#list(path)).find((entry) => entry.name.endsWith('.prompt'));
    if (nested === undefined) return;
    this.#fault(`${path}/${nested.name}`, 'is one folder too deep: prompts are <name>/<version>.prompt');
  }

  /** Sorted, without what begins with a dot (editors' files, the `..data` links of mounted volumes). */
  async #list(path: string): Promise<readonly Entry[]> {
    try {
      const names = (await readdir(join(this.#root, path))).filter((name) => !name.startsWith('.')).sort();
      const entries: Entry[] = [];
      for (const name of names) {
        // Not the entry's own type: mounted volumes show files as links.
        const stats = await stat(join(this.#root, path, name)).catch(() => null);
        if (stats !== null) entries.push({ name, isDirectory: stats.isDirectory() });
        else
          this.#fault(
            path === '' ? name : `${path}/${name}`,
            'cannot be read: it vanished or is a broken link',
          );
      }
      return entries;
    } catch (error) {
      const reason = hasCode(error, 'ENOENT')
        ? 'does not exist: create it or set prompts.directory'
        : errorMessage(error);
      this.#fault(path, `the folder cannot be read: ${reason}`);
      return [];
    }
  }

  async #readText(path: string, maxBytes: number): Promise<SourceFile | null> {
    try {
      const full = join(this.#root, path);
      const { size } = await stat(full);
      const bytes = size > maxBytes ? null : await readFile(full);
      if (bytes === null || bytes.length > maxBytes) {
        this.#fault(path, `is larger than ${maxBytes} bytes (max_source_bytes): shorten it or use partials`);
        return null;
      }
      const text = withLfLineEnds(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
      if (text.includes('\0')) {
        this.#fault(path, 'holds a NUL character: save it as UTF-8 text');
        return null;
      }
      return { path, displayPath: `${this.#displayName}/${path}`, text };
    } catch (error) {
      const reason = hasCode(error, 'ERR_ENCODING_INVALID_ENCODED_DATA')
        ? 'is not UTF-8 text: save it as UTF-8'
        : `cannot be read: ${errorMessage(error)}`;
      this.#fault(path, reason);
      return null;
    }
  }

  #fault(path: string, message: string): void {
    this.#faults.push({ path: path === '' ? this.#displayName : `${this.#displayName}/${path}`, message });
  }
}

export function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
