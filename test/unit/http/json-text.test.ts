import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  findPrototypeKey,
  isDeeperThan,
  jsonFaultOffset,
  lineAndColumn,
} from '../../../src/http/json-text.ts';

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function depthOf(value: unknown): number {
  if (value === null || typeof value !== 'object') return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

/** Valid JSON with one character changed, dropped or added, and plain noise of JSON's characters. */
const nearlyJson = fc.oneof(
  fc
    .tuple(
      fc.json(),
      fc.nat(),
      fc.constantFrom('', '"', '{', '}', '[', ']', ',', ':', '\\', '0', '-', 'e', ' ', '\n'),
    )
    .map(([text, at, piece]) => {
      const place = at % (text.length + 1);
      return `${text.slice(0, place)}${piece}${text.slice(place + 1)}`;
    }),
  fc.string({ unit: fc.constantFrom(...'{}[]",:\\u0019-+.eEtruefalsn \t\n') }),
);

describe('jsonFaultOffset', () => {
  test('finds a fault exactly where JSON.parse finds one', () => {
    fc.assert(
      fc.property(nearlyJson, (text) => {
        const offset = jsonFaultOffset(text);
        if (parses(text)) {
          expect(offset).toBe(text.length);
          return;
        }
        // Everything before the fault can still become JSON, and what follows the fault does not matter.
        expect(jsonFaultOffset(text.slice(0, offset))).toBe(offset);
        expect(jsonFaultOffset(text.slice(0, offset + 1))).toBe(offset);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['{"a":1,}', 7],
    ['{"a" 1}', 5],
    ["{'a':1}", 1],
    ['[1,]', 3],
    ['{"a":01}', 6],
    ['{"a":tru}', 5],
    ['"a\nb"', 2],
    ['"\\x"', 1],
    ['{} {}', 3],
    ['', 0],
  ])('of %j is %i', (text, offset) => {
    expect(parses(text)).toBe(false);
    expect(jsonFaultOffset(text)).toBe(offset);
  });

  test('counts lines and columns from 1', () => {
    expect(lineAndColumn('{\n "a": x', 7)).toBe('line 2, column 6');
    expect(lineAndColumn('x', 0)).toBe('line 1, column 1');
  });
});

describe('isDeeperThan', () => {
  test('agrees with the parsed value at every depth', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.nat(7), (value, maxDepth) => {
        const bytes = Buffer.from(JSON.stringify(value));
        expect(isDeeperThan(bytes, maxDepth)).toBe(depthOf(value) > maxDepth);
      }),
    );
  });

  test('brackets within strings are text', () => {
    expect(isDeeperThan(Buffer.from('["[[[[\\"[[[["]'), 1)).toBe(false);
  });
});

describe('findPrototypeKey', () => {
  test.each([
    ['{"a":{"__proto__":1}}', 'a.__proto__'],
    ['{"a":[{"constructor":{"prototype":{}}}]}', 'a.0.constructor.prototype'],
    ['{"\\u005f\\u005fproto\\u005f\\u005f":1}', '__proto__'],
    ['{"constructor":"Boeing"}', null],
    ['{"text":"__proto__ is a word"}', null],
  ])('in %s is %j', (text, path) => {
    expect(findPrototypeKey(text, JSON.parse(text))).toBe(path);
  });
});
