/** Steps from the root of a JSON document: keys and array indexes. */
export type JsonPath = readonly (string | number)[];

/** Both count from 1; the column in UTF-16 code units, as editors do. */
interface SourcePosition {
  readonly line: number;
  readonly column: number;
}

interface JsonFault extends SourcePosition {
  readonly path: JsonPath;
  readonly message: string;
}

/** A parsed JSON text that still knows where each value stood. */
export interface JsonDocument {
  readonly value: unknown;
  /** Keys that stand twice, or that no configuration may have. */
  readonly faults: readonly JsonFault[];
  /** Where the key of a member stands (an array element: its value). An absent one: its nearest enclosing value. */
  locate(path: JsonPath): SourcePosition;
  /** Where a value begins. An absent one: its nearest enclosing value. */
  locateValue(path: JsonPath): SourcePosition;
}

export type JsonParseResult =
  | { readonly kind: 'parsed'; readonly document: JsonDocument }
  | { readonly kind: 'malformed'; readonly fault: JsonFault };

type JsonNode =
  | {
      readonly kind: 'scalar';
      readonly startOffset: number;
      readonly value: string | number | boolean | null;
    }
  | { readonly kind: 'array'; readonly startOffset: number; readonly items: readonly JsonNode[] }
  | {
      readonly kind: 'object';
      readonly startOffset: number;
      readonly members: ReadonlyMap<string, JsonMember>;
    };

interface JsonMember {
  readonly keyOffset: number;
  readonly node: JsonNode;
}

/** Deeper than any configuration, shallow enough for recursion. */
const MAX_DEPTH = 100;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WHITESPACE = /[ \t\n\r]*/y;
const WORD = /[^\s,:[\]{}"]*/y;
/** Everything from U+0020 but quote and backslash, or an escape. */
const STRING_BODY = /(?:[ !#-[\]-\uffff]+|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/y;
/** With these names an object literal would change its prototype instead of holding the value. */
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__']);

class MalformedJson extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** Strict JSON (RFC 8259) with positions, because `JSON.parse` forgets where things stood. Never throws. */
export function parseJsonDocument(text: string): JsonParseResult {
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const reader = new JsonReader(source);
  try {
    const root = reader.readDocument();
    const locateOffset = (offset: number): SourcePosition => positionAt(source, offset);
    return {
      kind: 'parsed',
      document: {
        value: plainValue(root),
        faults: reader.faults.map(({ offset, ...fault }) => ({ ...fault, ...locateOffset(offset) })),
        locate: (path) => locateOffset(offsetOf(root, path, 'key')),
        locateValue: (path) => locateOffset(offsetOf(root, path, 'value')),
      },
    };
  } catch (error) {
    if (!(error instanceof MalformedJson)) throw error;
    return {
      kind: 'malformed',
      fault: { path: [], message: error.message, ...positionAt(source, error.offset) },
    };
  }
}

/** `routes.default.targets[1].provider`; keys that are not plain words are quoted: `metrics["a.b"]`. */
export function formatJsonPath(path: JsonPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[A-Za-z_$][\w$-]*$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}

class JsonReader {
  readonly faults: { path: JsonPath; message: string; offset: number }[] = [];
  #offset = 0;
  readonly #source: string;

  constructor(source: string) {
    this.#source = source;
  }

  readDocument(): JsonNode {
    const root = this.#readValue([]);
    this.#skipWhitespace();
    if (this.#offset < this.#source.length) {
      throw this.#malformed('nothing may follow the closing bracket of the document');
    }
    return root;
  }

  #readValue(path: JsonPath): JsonNode {
    this.#skipWhitespace();
    if (path.length > MAX_DEPTH) throw this.#malformed(`nested deeper than ${MAX_DEPTH} levels`);
    const startOffset = this.#offset;
    const next = this.#source[startOffset];
    if (next === '{') return this.#readObject(path);
    if (next === '[') return this.#readArray(path);
    if (next === '"') return { kind: 'scalar', startOffset, value: this.#readString() };
    if (next === undefined) throw this.#malformed('the file ends where a value should stand');
    const number = this.#match(NUMBER);
    if (number !== '') return { kind: 'scalar', startOffset, value: Number(number) };
    const word = this.#match(WORD);
    if (word === 'true' || word === 'false') return { kind: 'scalar', startOffset, value: word === 'true' };
    if (word === 'null') return { kind: 'scalar', startOffset, value: null };
    this.#offset = startOffset;
    throw this.#malformed(explainToken(next, word, 'a value'));
  }

  #readObject(path: JsonPath): JsonNode {
    const startOffset = this.#offset;
    const members = new Map<string, JsonMember>();
    this.#offset += 1;
    this.#skipWhitespace();
    if (this.#take('}')) return { kind: 'object', startOffset, members };
    for (;;) {
      this.#skipWhitespace();
      const keyOffset = this.#offset;
      if (this.#source[keyOffset] !== '"') throw this.#missing('a key in double quotes');
      const key = this.#readString();
      this.#skipWhitespace();
      if (!this.#take(':')) throw this.#missing(`":" after the key ${JSON.stringify(key)}`);
      const node = this.#readValue([...path, key]);
      if (FORBIDDEN_KEYS.has(key)) {
        this.faults.push({
          path: [...path, key],
          message: `the key "${key}" is not allowed`,
          offset: keyOffset,
        });
      } else if (members.has(key)) {
        const message = `the key "${key}" stands twice here: remove one`;
        this.faults.push({ path: [...path, key], message, offset: keyOffset });
      } else {
        members.set(key, { keyOffset, node });
      }
      if (this.#closes('}')) return { kind: 'object', startOffset, members };
    }
  }

  #readArray(path: JsonPath): JsonNode {
    const startOffset = this.#offset;
    const items: JsonNode[] = [];
    this.#offset += 1;
    this.#skipWhitespace();
    if (this.#take(']')) return { kind: 'array', startOffset, items };
    for (;;) {
      items.push(this.#readValue([...path, items.length]));
      if (this.#closes(']')) return { kind: 'array', startOffset, items };
    }
  }

  /** After an element: true at the closing bracket, false after a comma that another element follows. */
  #closes(bracket: '}' | ']'): boolean {
    this.#skipWhitespace();
    if (this.#take(bracket)) return true;
    const commaOffset = this.#offset;
    if (!this.#take(',')) throw this.#missing(`"," or "${bracket}"`);
    this.#skipWhitespace();
    const next = this.#source[this.#offset];
    if (next === '}' || next === ']') {
      throw new MalformedJson(`remove the comma before the closing "${next}"`, commaOffset);
    }
    return false;
  }

  #readString(): string {
    const startOffset = this.#offset;
    this.#offset += 1;
    this.#match(STRING_BODY);
    const next = this.#source[this.#offset];
    if (next === '\\') throw this.#malformed('unknown escape in a string: write \\\\ for a backslash');
    if (next !== '"') {
      const open = next === undefined || next === '\n' || next === '\r';
      if (open) throw new MalformedJson('this string has no closing quote', startOffset);
      throw this.#malformed('a control character in a string must be escaped (a tab is \\t)');
    }
    this.#offset += 1;
    // The body was checked above, so this cannot fail: it only resolves the escapes.
    return JSON.parse(this.#source.slice(startOffset, this.#offset)) as string;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#offset;
    const found = pattern.exec(this.#source)?.[0] ?? '';
    this.#offset += found.length;
    return found;
  }

  #skipWhitespace(): void {
    this.#match(WHITESPACE);
  }

  #take(character: string): boolean {
    if (this.#source[this.#offset] !== character) return false;
    this.#offset += 1;
    return true;
  }

  #missing(expected: string): MalformedJson {
    const next = this.#source[this.#offset];
    if (next === undefined) return this.#malformed(`the file ends where ${expected} should stand`);
    const startOffset = this.#offset;
    const word = this.#match(WORD);
    this.#offset = startOffset;
    return this.#malformed(explainToken(next, word, expected));
  }

  #malformed(message: string): MalformedJson {
    return new MalformedJson(message, this.#offset);
  }
}

function explainToken(next: string, word: string, expected: string): string {
  if (word.startsWith('//') || word.startsWith('/*') || word.startsWith('#')) {
    return 'JSON has no comments: remove this one';
  }
  if (next === "'") return `expected ${expected}: JSON takes double quotes only`;
  const found = word === '' ? next : word.slice(0, 40);
  return `expected ${expected}, found ${JSON.stringify(found)}`;
}

function plainValue(node: JsonNode): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'array') return node.items.map(plainValue);
  return Object.fromEntries([...node.members].map(([key, member]) => [key, plainValue(member.node)]));
}

function offsetOf(root: JsonNode, path: JsonPath, wanted: 'key' | 'value'): number {
  let node = root;
  let offset = root.startOffset;
  for (const step of path) {
    if (typeof step === 'number') {
      const item = node.kind === 'array' ? node.items[step] : undefined;
      if (item === undefined) return node.startOffset;
      node = item;
      offset = item.startOffset;
    } else {
      const member = node.kind === 'object' ? node.members.get(step) : undefined;
      if (member === undefined) return node.startOffset;
      node = member.node;
      offset = wanted === 'key' ? member.keyOffset : node.startOffset;
    }
  }
  return offset;
}

function positionAt(source: string, offset: number): SourcePosition {
  const before = source.slice(0, offset);
  const lines = before.split(/\r\n|\n|\r/);
  return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
}
