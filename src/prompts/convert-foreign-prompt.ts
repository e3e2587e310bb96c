import { type Document, isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import { type Fault, nearestName } from '../kernel/index.ts';
import { GATEWAY_KEYS, OUTPUT_FORMATS, PATH_KEYS, PLAIN_KEYS, splitFrontMatter } from './front-matter.ts';
import { readModelParameters } from './model-parameters.ts';
import { isPlainObject } from './picoschema.ts';
import { faultAt, type SourceFile, withLfLineEnds } from './source-file.ts';

export interface ConvertedPrompt {
  /** The file as this gateway reads it; what it cannot say otherwise is left to the loader. */
  readonly text: string;
  /** What was changed, each at its place in the foreign file. */
  readonly changes: readonly Fault[];
  /** What keeps it from being read at all; `text` means nothing then. */
  readonly faults: readonly Fault[];
}

/** Nothing reads these keys, and nothing is lost: they carry a dot, as keys of other tools do. */
const KEPT_PREFIX = 'imported.';

/** How other tools spell our settings. */
const SETTING_NAMES: ReadonlyMap<string, string> = new Map([
  ['max_tokens', 'maxOutputTokens'],
  ['maxTokens', 'maxOutputTokens'],
  ['max_output_tokens', 'maxOutputTokens'],
  ['max_completion_tokens', 'maxOutputTokens'],
  ['top_p', 'topP'],
  ['top_k', 'topK'],
  ['stop', 'stopSequences'],
  ['stop_sequences', 'stopSequences'],
  ['frequency_penalty', 'frequencyPenalty'],
  ['presence_penalty', 'presencePenalty'],
]);

/** Changes a foreign dotprompt file as little as it takes, and says how. Comments stay. */
export function convertForeignPrompt(file: SourceFile): ConvertedPrompt {
  const plain = withLfLineEnds(file.text.replace(/^\uFEFF/, ''));
  const source = { ...file, text: plain };
  const faults: Fault[] = [];
  const split = splitFrontMatter(source, faults);
  if (faults.length > 0 || split.yaml === null) return { text: plain, changes: [], faults };
  const lineCounter = new LineCounter();
  const document = parseDocument(split.yaml, { lineCounter, version: '1.2', prettyErrors: false });
  const placeOf = (offset: number) => {
    const { line, col } = lineCounter.linePos(offset);
    return { line: line + split.yamlLine - 1, column: col };
  };
  for (const { pos, message } of document.errors) {
    faults.push(faultAt(source, placeOf(pos[0]), `front matter is not valid YAML: ${message}`));
  }
  if (faults.length > 0) return { text: plain, changes: [], faults };
  const changes: Fault[] = [];
  const note: Note = (keys, message) => {
    changes.push(faultAt(source, placeOf(offsetOf(document, keys)), message));
  };
  convertSections(document, note);
  convertKeys(document, note);
  const yaml = isMap(document.contents) && document.contents.items.length === 0 ? '' : String(document);
  return {
    text: changes.length === 0 ? plain : `---\n${yaml}---\n${split.template}\n`,
    changes,
    faults: [],
  };
}

type Note = (keys: readonly string[], message: string) => void;

function convertKeys(document: Document, note: Note): void {
  for (const key of keysOf(document, [])) {
    if (PLAIN_KEYS.includes(key) || GATEWAY_KEYS.includes(key)) continue;
    if (key.startsWith(KEPT_PREFIX) || (key.includes('.') && !key.startsWith('gateway.'))) continue;
    if (PATH_KEYS.includes(key)) {
      note([key], `removed "${key}": name and version come from the path`);
      remove(document, [key]);
    } else {
      note([key], `moved "${key}" to "${KEPT_PREFIX}${key}", which is not read${hintOf(key)}`);
      keep(document, [key]);
    }
  }
}

function hintOf(key: string): string {
  if (key === 'tools') return ': tools come with the request';
  const near = nearestName(key, PLAIN_KEYS);
  return near === null ? '' : `; did it mean "${near}"?`;
}

function convertSections(document: Document, note: Note): void {
  for (const key of keysOf(document, ['config'])) {
    const name = SETTING_NAMES.get(key) ?? key;
    const value = plainOf(document, ['config', key]);
    let problem: string | null = null;
    readModelParameters({ [name]: name === 'stopSequences' ? asList(value) : value }, (_key, message) => {
      problem = message;
    });
    if (problem !== null) {
      note(
        ['config', key],
        `moved "config.${key}" to "${KEPT_PREFIX}config.${key}", which is not read: ${problem}`,
      );
      keep(document, ['config', key]);
    } else if (name !== key) {
      note(['config', key], `renamed "config.${key}" to "config.${name}"`);
      remove(document, ['config', key]);
      document.setIn(['config', name], name === 'stopSequences' ? asList(value) : value);
    } else if (name === 'stopSequences' && !Array.isArray(value)) {
      note(['config', key], '"config.stopSequences" is a list now');
      document.setIn(['config', key], asList(value));
    }
  }
  for (const section of ['input', 'output']) {
    const known = section === 'input' ? ['schema', 'default'] : ['schema', 'format'];
    for (const key of keysOf(document, [section])) {
      if (known.includes(key)) continue;
      note(
        [section, key],
        `moved "${section}.${key}" to "${KEPT_PREFIX}${section}.${key}", which is not read`,
      );
      keep(document, [section, key]);
    }
    const schema = plainOf(document, [section, 'schema']);
    if (typeof schema === 'string' && /^[A-Z]/.test(schema)) {
      note(
        [section, 'schema'],
        `moved the named schema "${schema}" to "${KEPT_PREFIX}${section}.schema": schemas are written out here`,
      );
      keep(document, [section, 'schema']);
    }
  }
  convertFormat(document, note);
}

function convertFormat(document: Document, note: Note): void {
  const format = plainOf(document, ['output', 'format']);
  if (format === undefined) return;
  const hasSchema = isPlainObject(plainOf(document, ['output', 'schema']));
  if (hasSchema && format !== 'json') {
    note(['output', 'format'], 'made "output.format" json: text has no schema');
    document.setIn(['output', 'format'], 'json');
  } else if (typeof format !== 'string' || !OUTPUT_FORMATS.includes(format)) {
    note(
      ['output', 'format'],
      `moved "output.format" to "${KEPT_PREFIX}output.format": formats are text and json`,
    );
    keep(document, ['output', 'format']);
  }
}

function keep(document: Document, keys: readonly string[]): void {
  const node = document.getIn(keys, true);
  remove(document, keys);
  document.set(`${KEPT_PREFIX}${keys.join('.')}`, node);
  const [section] = keys;
  const rest = document.get(section ?? '', true);
  if (keys.length > 1 && isMap(rest) && rest.items.length === 0) document.delete(section);
}

/** A comment above the key stays: it may be about all that follows. */
function remove(document: Document, keys: readonly string[]): void {
  const parent = keys.length === 1 ? document.contents : document.getIn(keys.slice(0, -1), true);
  if (isMap(parent)) {
    const index = parent.items.findIndex(({ key }) => isScalar(key) && String(key.value) === keys.at(-1));
    const removed = parent.items[index]?.key;
    const next = parent.items[index + 1]?.key;
    if (isScalar(removed) && isScalar(next) && typeof removed.commentBefore === 'string') {
      next.commentBefore = [removed.commentBefore, next.commentBefore ?? ''].filter(Boolean).join('\n');
    }
  }
  document.deleteIn(keys);
}

function keysOf(document: Document, path: readonly string[]): readonly string[] {
  const node = path.length === 0 ? document.contents : document.getIn(path, true);
  return isMap(node) ? node.items.map(({ key }) => String(isScalar(key) ? key.value : key)) : [];
}

function plainOf(document: Document, path: readonly string[]): unknown {
  let value: unknown = document.toJS({ maxAliasCount: 50 });
  for (const key of path) value = isPlainObject(value) ? value[key] : undefined;
  return value;
}

function asList(value: unknown): unknown {
  return typeof value === 'string' ? [value] : value;
}

/** Of the key, or of the section around it. */
function offsetOf(document: Document, keys: readonly string[]): number {
  const key = keys.at(-1);
  const parent = keys.length === 1 ? document.contents : document.getIn(keys.slice(0, -1), true);
  if (!isMap(parent)) return 0;
  const pair = parent.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
  return isScalar(pair?.key) ? (pair.key.range?.[0] ?? 0) : 0;
}
