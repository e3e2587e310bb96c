import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { formatJsonPath, parseJsonDocument } from '../../../src/config/json-document.ts';

function parse(text: string) {
  const result = parseJsonDocument(text);
  if (result.kind === 'malformed') throw new Error(`malformed: ${result.fault.message}`);
  return result.document;
}

function faultOf(text: string) {
  const result = parseJsonDocument(text);
  return result.kind === 'malformed' ? result.fault : null;
}

describe('parseJsonDocument', () => {
  test('reads every JSON value as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        fc.pre(!text.includes('"__proto__"'));

        expect(parse(text).value).toEqual(JSON.parse(text));
      }),
    );
  });

  test('accepts exactly what JSON.parse accepts', () => {
    const characters = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '1',
      '-',
      '.',
      'e',
      '0',
      'true',
      ' ',
      '\\',
      '"',
    );
    fc.assert(
      fc.property(fc.array(characters, { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        let isJson = true;
        try {
          JSON.parse(text);
        } catch {
          isJson = false;
        }

        expect(parseJsonDocument(text).kind).toBe(isJson ? 'parsed' : 'malformed');
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['{"a": 1,}', 1, 8, 'remove the comma before the closing "}"'],
    ['{\n  "a": 1\n  "b": 2\n}', 3, 3, 'expected "," or "}"'],
    ["{'a': 1}", 1, 2, 'double quotes'],
    ['{a: 1}', 1, 2, 'a key in double quotes, found "a"'],
    ['{\n  // note\n  "a": 1\n}', 2, 3, 'JSON has no comments'],
    ['{"a": NaN}', 1, 7, 'expected a value, found "NaN"'],
    ['{"a": "x\n"}', 1, 7, 'no closing quote'],
    ['{"a": "x\ty"}', 1, 9, 'control character'],
    ['{"a": "\\x"}', 1, 8, 'unknown escape'],
    ['{"a": 1', 1, 8, 'the file ends where "," or "}" should stand'],
    ['', 1, 1, 'the file ends where a value should stand'],
    ['{} {}', 1, 4, 'nothing may follow'],
    ['{"a" 1}', 1, 6, '":" after the key "a"'],
    ['{"a":01}', 1, 7, 'expected "," or "}"'],
  ])('points at the fault in %j', (text, line, column, message) => {
    expect(faultOf(text)).toMatchObject({ line, column, message: expect.stringContaining(message) });
  });

  test('counts lines whatever ends them, and reads past a byte order mark', () => {
    expect(faultOf('\uFEFF{\r\n"a": 1,\r"b": x\n}')).toMatchObject({ line: 3, column: 6 });
  });

  test('refuses nesting that would exhaust the stack', () => {
    expect(faultOf('['.repeat(100_000))?.message).toContain('nested deeper than 100 levels');
  });

  test('reads a long string without exhausting the stack', () => {
    const long = 'x\n"'.repeat(200_000);

    expect(parse(JSON.stringify({ long })).value).toEqual({ long });
  });

  test('reports a key that stands twice at its second place', () => {
    const document = parse('{"a": {"b": 1,\n "b": 2}}');

    expect(document.faults).toEqual([
      { path: ['a', 'b'], message: 'the key "b" stands twice here: remove one', line: 2, column: 2 },
    ]);
  });

  test('refuses __proto__ and leaves prototypes alone', () => {
    const document = parse('{"__proto__": {"polluted": true}}');

    expect(document.faults).toHaveLength(1);
    expect(document.value).toEqual({});
    expect(Object.getPrototypeOf(document.value)).toBe(Object.prototype);
  });

  test('locates keys, values and the nearest enclosing value of what is absent', () => {
    const document = parse('{\n  "a": [\n    {"b": 1}\n  ]\n}');

    expect(document.locate(['a'])).toEqual({ line: 2, column: 3 });
    expect(document.locateValue(['a'])).toEqual({ line: 2, column: 8 });
    expect(document.locate(['a', 0, 'b'])).toEqual({ line: 3, column: 6 });
    expect(document.locate(['a', 0, 'missing', 'deeper'])).toEqual({ line: 3, column: 5 });
    expect(document.locate(['a', 7])).toEqual({ line: 2, column: 8 });
  });
});

describe('formatJsonPath', () => {
  test.each([
    [['routes', 'default', 'targets', 1, 'provider'], 'routes.default.targets[1].provider'],
    [['metrics', 'a.b'], 'metrics["a.b"]'],
    [['a-b', 0, 0], 'a-b[0][0]'],
    [['x y'], '["x y"]'],
    [[], ''],
  ])('writes %j as %s', (path, text) => {
    expect(formatJsonPath(path)).toBe(text);
  });
});
