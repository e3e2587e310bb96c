import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { AppError, errorMessage, type Fault } from '../kernel/index.ts';
import { convertForeignPrompt } from './convert-foreign-prompt.ts';
import { lintPrompts } from './lint-prompts.ts';
import { NAME_RULE, PROMPT_NAME } from './prompt-directory.ts';
import type { PromptLimits } from './prompt-limits.ts';
import { withLfLineEnds } from './source-file.ts';

export interface ImportOptions {
  /** A file, or a folder that is searched to its depth. */
  readonly from: string;
  /** For one file: what it shall be called; null: by its name. */
  readonly prompt: string | null;
  readonly version: string | null;
  readonly directory: string;
  readonly limits: PromptLimits;
  /** Writes nothing. */
  readonly isTrial: boolean;
}

export interface ImportedFile {
  /** As it was found. */
  readonly from: string;
  /** Below the prompts directory. */
  readonly to: string;
  readonly changes: readonly Fault[];
}

export interface PromptImport {
  readonly files: readonly ImportedFile[];
  /** What keeps the files from being read here. Not empty: nothing was written. */
  readonly faults: readonly Fault[];
}

/** More than that is a folder given by mistake. */
const MAX_FILES = 1_000;
const MAX_DEPTH = 8;

/**
 * Takes over foreign dotprompt files, all or none, and overwrites nothing. Fails with `invalid_request` and `conflict`.
 */
export async function importPrompts(options: ImportOptions): Promise<PromptImport> {
  const found = await findFiles(options.from);
  if (found.length !== 1 && (options.prompt !== null || options.version !== null)) {
    throw new AppError('invalid_request', 'a name can be given to one file: import the files one by one');
  }
  const taken = await existingFiles(options.directory);
  const faults: Fault[] = [];
  const files: ConvertedFile[] = [];
  for (const { path, inner } of found) {
    const source = await readText(path);
    const converted = convertForeignPrompt({ path, displayPath: path, text: source });
    faults.push(...converted.faults);
    const to = targetOf(inner, options, taken);
    taken.add(to);
    const renamed = to === inner ? [] : [{ path, message: `becomes ${to}` }];
    files.push({ from: path, to, changes: [...renamed, ...converted.changes], source, text: converted.text });
  }
  if (faults.length === 0) faults.push(...(await tryLoad(files, options)));
  if (faults.length === 0 && !options.isTrial) await writeAll(files, options.directory);
  return { files: files.map(({ source: _source, text: _text, ...file }) => file), faults };
}

interface ConvertedFile extends ImportedFile {
  /** The text as it was found. */
  readonly source: string;
  readonly text: string;
}

interface FoundFile {
  readonly path: string;
  /** Below the folder that was given. */
  readonly inner: string;
}

async function findFiles(from: string): Promise<readonly FoundFile[]> {
  const stats = await stat(from).catch((error: unknown) => {
    throw new AppError('invalid_request', `cannot read ${from}: ${errorMessage(error)}`, { cause: error });
  });
  if (!stats.isDirectory()) {
    if (from.endsWith('.prompt')) return [{ path: from, inner: basename(from) }];
    throw new AppError('invalid_request', `${from} is no .prompt file: name one, or a folder of them`);
  }
  const found: FoundFile[] = [];
  const search = async (folder: string, depth: number): Promise<void> => {
    const entries = await readdir(join(from, folder), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const inner = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
      if (entry.isDirectory() && depth < MAX_DEPTH) await search(inner, depth + 1);
      else if (entry.isFile() && entry.name.endsWith('.prompt'))
        found.push({ path: join(from, inner), inner });
      if (found.length > MAX_FILES) {
        throw new AppError('invalid_request', `${from} holds more than ${MAX_FILES} .prompt files`);
      }
    }
  };
  await search('', 0);
  if (found.length === 0) throw new AppError('invalid_request', `${from} holds no .prompt files`);
  return found;
}

async function existingFiles(directory: string): Promise<Set<string>> {
  const names = await readdir(directory, { recursive: true }).catch(() => []);
  return new Set(names.map((name) => name.replaceAll('\\', '/')));
}

/**
 * `greeting.prompt` → `greeting/v1.prompt` (or the next free number), `greeting.formal.prompt` → `greeting/formal.prompt`,
 * `mail/greeting.prompt` → `mail-greeting/v1.prompt`, `tip/v2.prompt` → `tip/v2.prompt`, `_tone.prompt` stays a partial.
 */
function targetOf(inner: string, { prompt, version }: ImportOptions, taken: ReadonlySet<string>): string {
  const folders = inner.split('/').slice(0, -1);
  const [stem = '', ...variant] = basename(inner, '.prompt').split('.');
  if (stem.startsWith('_') && prompt === null && version === null) {
    return free(`${basename(inner)}`, taken);
  }
  const isVersion = variant.length === 0 && folders.length > 0 && /^v?\d/.test(stem);
  const name = prompt ?? tidy([...folders, ...(isVersion ? [] : [stem])].join('-'));
  const named = version ?? (isVersion ? tidy(stem) : tidy(variant.join('.')));
  for (const part of [name, ...(named === '' ? [] : [named])]) {
    if (!PROMPT_NAME.test(part)) {
      throw new AppError(
        'invalid_request',
        `"${part}" cannot be used as a name: ${NAME_RULE}; choose with --prompt and --as`,
      );
    }
  }
  if (named !== '') return free(`${name}/${named}.prompt`, taken);
  let number = 1;
  while (taken.has(`${name}/v${number}.prompt`)) number += 1;
  return `${name}/v${number}.prompt`;
}

function tidy(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+|[-]+$/g, '')
    .slice(0, 64);
}

function free(path: string, taken: ReadonlySet<string>): string {
  if (!taken.has(path)) return path;
  const remedy = path.includes('/')
    ? 'import the file alone and choose with --as'
    : 'rename this partial and where it is used';
  throw new AppError('conflict', `${path} exists already: an import overwrites nothing; ${remedy}`);
}

async function readText(path: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
  } catch (error) {
    throw new AppError('invalid_request', `cannot read ${path}: ${errorMessage(error)}`, { cause: error });
  }
}

/** Faults of the files beside what is there already: a file that cannot be read would take all prompts with it. */
async function tryLoad(
  files: readonly ConvertedFile[],
  { directory, limits }: ImportOptions,
): Promise<readonly Fault[]> {
  const folder = await mkdtemp(join(tmpdir(), 'prompt-import-'));
  const copy = join(folder, basename(resolve(directory)));
  try {
    await mkdir(copy);
    await cp(directory, copy, { recursive: true }).catch((error: unknown) => {
      if (!errorMessage(error).includes('ENOENT')) throw error;
    });
    const before = new Set((await lintPrompts({ directory: copy, limits }, null)).faults.map(asText));
    await writeAll(files, copy);
    const { faults } = await lintPrompts({ directory: copy, limits }, null);
    const added = faults.filter((fault) => !before.has(asText(fault)));
    return added.map((fault) => atForeignPlace(fault, files, basename(copy)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Faults of a converted file, which does not exist yet, are told at the place in the foreign one that made them. */
function atForeignPlace(fault: Fault, files: readonly ConvertedFile[], directoryName: string): Fault {
  for (const { from, to, source, text } of files) {
    const prefix = `${directoryName}/${to}:`;
    if (!fault.path.startsWith(prefix)) continue;
    const [line = 1, column = 1] = fault.path.slice(prefix.length).split(':').map(Number);
    return { ...fault, path: `${from}${foreignPlace(text, source, line, column)}` };
  }
  return fault;
}

/** Found by the text of the line. The template stands last and is kept, so equal lines are counted from the end. */
function foreignPlace(text: string, source: string, line: number, column: number): string {
  const converted = text.split('\n');
  const wanted = (converted[line - 1] ?? '').trim();
  if (wanted === '') return '';
  const later = converted.slice(line).filter((each) => each.trim() === wanted).length;
  const places = withLfLineEnds(source.replace(/^\uFEFF/, ''))
    .split('\n')
    .flatMap((each, index) => (each.trim() === wanted ? [{ each, index }] : []));
  const found = places.at(-1 - later);
  if (found === undefined) return '';
  const moved = indentOf(found.each) - indentOf(converted[line - 1] ?? '');
  return `:${found.index + 1}:${column + moved}`;
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

function asText({ path, message }: Fault): string {
  return `${path} ${message}`;
}

async function writeAll(
  files: readonly Pick<ConvertedFile, 'to' | 'text'>[],
  directory: string,
): Promise<void> {
  for (const { to, text } of files) {
    const path = join(directory, to);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, { flag: 'wx' });
  }
}
