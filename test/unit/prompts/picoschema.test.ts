import { describe, expect, test } from '@jest/globals';
import { expandPicoschema, type SchemaFault } from '../../../src/prompts/picoschema.ts';

function expand(schema: unknown): unknown {
  const faults: SchemaFault[] = [];
  const expanded = expandPicoschema(schema, faults);
  expect(faults).toEqual([]);
  return expanded;
}

function faultsOf(schema: unknown): readonly string[] {
  const faults: SchemaFault[] = [];
  expandPicoschema(schema, faults);
  return faults.map((fault) => `${fault.keys.join('/')}: ${fault.message}`);
}

const object = (
  properties: object,
  required?: readonly string[],
  additionalProperties: unknown = false,
): object => ({
  type: 'object',
  properties,
  ...(required === undefined ? {} : { required }),
  additionalProperties,
});

describe('Picoschema', () => {
  test.each([
    ['string', { type: 'string' }],
    ['integer, how many, at most', { type: 'integer', description: 'how many, at most' }],
    ['any', {}],
    ['any, whatever', { description: 'whatever' }],
  ])('scalar %p', (text, expected) => {
    expect(expand(text)).toEqual(expected);
    expect(expand({ a: text })).toEqual(object({ a: expected }, ['a']));
  });

  test('optional properties may be null', () => {
    expect(
      expand({
        'a?': 'string, why',
        'b?(array)': 'number',
        'c?': { d: 'boolean' },
        'e?': 'any',
        'f?': 'null',
      }),
    ).toEqual(
      object({
        a: { type: ['string', 'null'], description: 'why' },
        b: { type: ['array', 'null'], items: { type: 'number' } },
        c: { ...object({ d: { type: 'boolean' } }, ['d']), type: ['object', 'null'] },
        e: {},
        f: { type: 'null' },
      }),
    );
  });

  test('arrays, objects and enums with descriptions', () => {
    expect(
      expand({
        'list(array, things)': { name: 'string' },
        'map(object, a map)': { 'x?': 'integer' },
        'choice(enum, one of)': ['A', 'B'],
        'maybe?(enum)': ['A'],
        nested: { deep: { er: 'string' } },
      }),
    ).toEqual(
      object(
        {
          list: {
            type: 'array',
            items: object({ name: { type: 'string' } }, ['name']),
            description: 'things',
          },
          map: { ...object({ x: { type: ['integer', 'null'] } }), description: 'a map' },
          choice: { enum: ['A', 'B'], description: 'one of' },
          maybe: { enum: ['A', null] },
          nested: object({ deep: object({ er: { type: 'string' } }, ['er']) }, ['deep']),
        },
        ['list', 'map', 'choice', 'nested'],
      ),
    );
  });

  test('a wildcard opens the object', () => {
    expect(expand({ a: 'string', '(*)': 'number, any other' })).toEqual(
      object({ a: { type: 'string' } }, ['a'], { type: 'number', description: 'any other' }),
    );
  });

  test.each([
    [{ type: 'object', properties: { a: { type: 'string' } } }, undefined],
    [{ type: 'array', items: {} }, undefined],
    [{ properties: { a: {} } }, { type: 'object', properties: { a: {} } }],
    [{ $ref: '#/$defs/x', $defs: { x: {} } }, undefined],
    [null, null],
    [undefined, null],
  ])('JSON Schema and nothing stay as they are: %j', (schema, expected) => {
    expect(expand(schema)).toEqual(expected === undefined ? schema : expected);
  });

  test.each([
    [{ a: 'strng' }, 'a: unknown type "strng" (did you mean "string"?)'],
    [{ a: { 'b(list)': 'string' } }, 'a/b(list): unknown type "list" in parentheses'],
    [{ a: 'array' }, 'a: unknown type "array": write it behind the name, "name(array)"'],
    [{ a: 3 }, 'a: a schema consists of type names and maps, not of 3'],
    [{ a: ['x'] }, 'a: a schema consists of type names and maps, not of a list'],
    [{ 'a(enum)': 'x' }, 'a(enum): an enum is a list of its values'],
    [{ 'a(enum)': [] }, 'a(enum): an enum is a list of its values'],
    [{ 'a(array)?': 'string' }, 'a(array)?: cannot read the property "a(array)?"'],
    [{ a: 'string', 'a?': 'string' }, 'a?: declares "a" a second time'],
    [JSON.parse('{"__proto__": "string"}'), '__proto__: "__proto__" cannot be a variable'],
    [{ constructor: 'string' }, 'constructor: "constructor" cannot be a variable'],
    ['Named', ': unknown type "Named"'],
  ])('refuses %j', (schema, fault) => {
    expect(faultsOf(schema).join('\n')).toContain(fault);
  });
});
