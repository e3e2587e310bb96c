import { z } from 'zod';

import { suggestion } from './config-fault.ts';
import type { JsonPath } from './json-document.ts';

/** A fault at one place of the document, before positions are known. */
export interface PathFault {
  readonly path: JsonPath;
  readonly message: string;
}

/** The part of JSON Schema the generator uses for our schema. */
export interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: SchemaNode | false;
  readonly items?: SchemaNode;
  /** Of a tuple. */
  readonly prefixItems?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly anyOf?: readonly SchemaNode[];
}

/** The input side of a zod schema as JSON Schema 2020-12. */
export function jsonSchemaOf(schema: z.ZodType): SchemaNode {
  return z.toJSONSchema(schema, { io: 'input' }) as SchemaNode;
}

type Issue = z.core.$ZodIssue;

const EXPECTED: Readonly<Record<string, string>> = {
  number: 'a number',
  int: 'a whole number',
  string: 'a string',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
};

/** The issues of a failed parse of `raw` in words that say what to do, one fault per unknown key. */
export function schemaFaults(
  issues: readonly Issue[],
  raw: unknown,
  schema: SchemaNode,
): readonly PathFault[] {
  return issues.flatMap((issue) => faultsOf(issue, raw, schema));
}

/** The value at a path of plain JSON; undefined when nothing is there. */
export function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const step of path) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, step)) return undefined;
    value = (value as Readonly<Record<PropertyKey, unknown>>)[step];
  }
  return value;
}

function faultsOf(issue: Issue, raw: unknown, schema: SchemaNode): readonly PathFault[] {
  const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], message: unknownKey(key, path, raw, schema) }));
  }
  return [{ path, message: messageOf(issue, valueAt(raw, path)) }];
}

function messageOf(issue: Issue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type': {
      const expected = EXPECTED[issue.expected] ?? issue.expected;
      if (value === undefined) return `required: ${expected}`;
      const quoted = typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value));
      const hint = quoted && expected.endsWith('number') ? ': write it without quotes' : '';
      return `expected ${expected}, got ${shown(value)}${hint}`;
    }
    case 'invalid_value':
      return choice(issue.values.map(String), value);
    case 'invalid_union':
      return 'options' in issue && Array.isArray(issue.options)
        ? choice(issue.options.map(String), value)
        : issue.message;
    case 'too_small':
      if (issue.origin === 'string') return 'must not be empty';
      if (issue.origin === 'array') return `needs at least ${issue.minimum} entry`;
      return `must be ${issue.inclusive === true ? 'at least' : 'above'} ${issue.minimum}, got ${shown(value)}`;
    case 'too_big':
      if (issue.origin === 'string') return `must have at most ${issue.maximum} characters`;
      return `must be ${issue.inclusive === true ? 'at most' : 'below'} ${issue.maximum}, got ${shown(value)}`;
    case 'invalid_key':
      return issue.issues[0] === undefined ? issue.message : messageOf(issue.issues[0], undefined);
    default:
      return issue.message;
  }
}

function choice(options: readonly string[], value: unknown): string {
  const list = options.map((option) => JSON.stringify(option)).join(', ');
  if (value === undefined) return `required: one of ${list}`;
  const near = typeof value === 'string' ? suggestion(value, options, '') : '';
  return `expected one of ${list}, got ${shown(value)}${near.startsWith(' (') ? near : ''}`;
}

function unknownKey(key: string, path: JsonPath, raw: unknown, schema: SchemaNode): string {
  const node = nodeAt(schema, raw, path);
  const known = Object.keys(node?.properties ?? {});
  const inner = Object.entries(node?.properties ?? {}).find(
    ([, child]) => child.properties?.[key] !== undefined,
  );
  if (inner !== undefined) return `unknown key "${key}" here: it belongs into "${inner[0]}"`;
  return `unknown key "${key}"${suggestion(key, known, 'known keys')}`;
}

/** The schema that governs the value at `path`: alternatives are told apart by their constant property. */
function nodeAt(schema: SchemaNode, raw: unknown, path: JsonPath): SchemaNode | null {
  let node: SchemaNode | null = alternativeFor(schema, raw);
  for (const [index, step] of path.entries()) {
    if (node === null) return null;
    const next: SchemaNode | false | undefined =
      typeof step === 'number' ? node.items : (node.properties?.[step] ?? node.additionalProperties);
    if (next === undefined || next === false) return null;
    node = alternativeFor(next, valueAt(raw, path.slice(0, index + 1)));
  }
  return node;
}

function alternativeFor(node: SchemaNode, value: unknown): SchemaNode | null {
  if (node.oneOf === undefined) return node;
  return (
    node.oneOf.find((option) =>
      Object.entries(option.properties ?? {}).some(
        ([name, child]) => child.const !== undefined && child.const === valueAt(value, [name]),
      ),
    ) ?? null
  );
}

function shown(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
