/** Reading JSON that somebody unknown has written. */

const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** JSON strings may not hold raw control characters. */
const FIRST_PRINTABLE = 0x20;

/** Whether JSON bytes nest deeper than `maxDepth`. One pass, no recursion; stops at the first level too many. */
export function isDeeperThan(bytes: Uint8Array, maxDepth: number): boolean {
  if (bytes.length <= maxDepth) return false;
  let depth = 0;
  let inString = false;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index];
    if (inString) {
      if (byte === BACKSLASH) index += 1;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) {
      inString = true;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1;
      if (depth > maxDepth) return true;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth -= 1;
    }
  }
  return false;
}

/**
 * Path of a key that could reach a prototype (`__proto__`, or `prototype` below `constructor`); null when there is
 * none. `text` is what `value` was parsed from: a search in it spares nearly every body the walk.
 */
export function findPrototypeKey(text: string, value: unknown): string | null {
  if (!text.includes('__proto__') && !text.includes('"constructor"') && !text.includes('\\u')) return null;
  const pending: { readonly path: string; readonly value: unknown }[] = [{ path: '', value }];
  for (let entry = pending.pop(); entry !== undefined; entry = pending.pop()) {
    if (entry.value === null || typeof entry.value !== 'object') continue;
    for (const [key, inner] of Object.entries(entry.value)) {
      const path = entry.path === '' ? key : `${entry.path}.${key}`;
      if (key === '__proto__') return path;
      const reachesPrototype =
        key === 'constructor' &&
        inner !== null &&
        typeof inner === 'object' &&
        Object.hasOwn(inner, 'prototype');
      if (reachesPrototype) return `${path}.prototype`;
      pending.push({ path, value: inner });
    }
  }
  return null;
}

const LITERAL = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const SPACE = /[ \t\n\r]*/y;

/**
 * Offset (UTF-16 code units) of the first fault of a text that `JSON.parse` refused. V8's own message names no position
 * for most faults and quotes the text instead, which must not reach a log. Expects a depth that was checked before.
 */
export function jsonFaultOffset(text: string): number {
  let offset = 0;

  const take = (pattern: RegExp): boolean => {
    pattern.lastIndex = offset;
    const match = pattern.exec(text);
    if (match === null) return false;
    offset += match[0].length;
    return true;
  };
  const takeCharacter = (character: string): boolean => {
    if (text[offset] !== character) return false;
    offset += 1;
    return true;
  };
  const string = (): boolean => {
    if (!takeCharacter('"')) return false;
    // By hand: a pattern for a whole string would keep one backtracking step per character.
    for (; offset < text.length; ) {
      const code = text.charCodeAt(offset);
      if (code === QUOTE) return takeCharacter('"');
      if (code < FIRST_PRINTABLE) return false;
      if (code !== BACKSLASH) offset += 1;
      else if (!take(ESCAPE)) return false;
    }
    return false;
  };
  const list = (close: string, item: () => boolean): boolean => {
    take(SPACE);
    if (takeCharacter(close)) return true;
    for (;;) {
      if (!item()) return false;
      take(SPACE);
      if (takeCharacter(close)) return true;
      if (!takeCharacter(',')) return false;
      take(SPACE);
    }
  };
  const member = (): boolean => {
    if (!string()) return false;
    take(SPACE);
    return takeCharacter(':') && value();
  };
  const value = (): boolean => {
    take(SPACE);
    if (takeCharacter('{')) return list('}', member);
    if (takeCharacter('[')) return list(']', value);
    return text[offset] === '"' ? string() : take(LITERAL);
  };

  if (value()) take(SPACE);
  return offset;
}

/** `line 3, column 14` of an offset, counted from 1. */
export function lineAndColumn(text: string, offset: number): string {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return `line ${line}, column ${offset - before.lastIndexOf('\n')}`;
}
