import { type JsonSchema, nearestName } from '../kernel/index.ts';
import { didYouMean } from './source-file.ts';

/** A fault within a schema; `keys` lead to the place, as in the front matter. */
export interface SchemaFault {
  readonly keys: readonly string[];
  readonly message: string;
}

const SCALAR_TYPES = ['string', 'number', 'integer', 'boolean', 'null', 'any'];
const JSON_SCHEMA_TYPES = [...SCALAR_TYPES, 'object', 'array'];
const PARENTHETICAL_TYPES = ['array', 'object', 'enum'];

/** `name`, `name?`, `name(array)`, `name?(enum, what it is for)`. */
const PROPERTY_KEY =
  /^(?<name>[^?()\s]+)(?<optional>\?)?(?:\(\s*(?<type>[a-z]+)\s*(?:,\s*(?<description>.*\S)\s*)?\))?$/s;

/** Names that exist on every JavaScript object: never data. */
const UNREADABLE_NAMES = new Set(['__proto__', 'constructor', 'prototype']);

type PlainObject = Readonly<Record<string, unknown>>;

/**
 * Picoschema (the compact YAML form of dotprompt files) or JSON Schema, as JSON Schema 2020-12. By the published rule
 * a top-level `type` with the name of a type, or top-level `properties`, mean that it is JSON Schema already.
 */
export function expandPicoschema(schema: unknown, faults: SchemaFault[]): JsonSchema | null {
  if (schema === null || schema === undefined) return null;
  if (isPlainObject(schema)) {
    const type = schema['type'];
    if (typeof type === 'string' && JSON_SCHEMA_TYPES.includes(type)) {
      return type === 'any' ? withoutKey(schema, 'type') : schema;
    }
    if (isPlainObject(schema['properties'])) return { ...schema, type: 'object' };
    if ('$schema' in schema || '$ref' in schema) return schema;
  }
  return expandValue(schema, [], faults);
}

export function isPlainObject(value: unknown): value is PlainObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function withoutKey(object: PlainObject, key: string): PlainObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => name !== key));
}

function expandValue(value: unknown, keys: readonly string[], faults: SchemaFault[]): JsonSchema {
  if (typeof value === 'string') return expandScalar(value, keys, faults);
  if (isPlainObject(value)) return expandObject(value, keys, faults);
  const shown = Array.isArray(value) ? 'a list' : JSON.stringify(value);
  faults.push({
    keys,
    message: `a schema consists of type names and maps, not of ${shown}: write for example "string, what it is for"; a list of choices needs "name(enum)"`,
  });
  return {};
}

function expandScalar(text: string, keys: readonly string[], faults: SchemaFault[]): JsonSchema {
  const comma = text.indexOf(',');
  const type = (comma < 0 ? text : text.slice(0, comma)).trim();
  const description = comma < 0 ? '' : text.slice(comma + 1).trim();
  if (!SCALAR_TYPES.includes(type)) {
    const remedy = PARENTHETICAL_TYPES.includes(type)
      ? `: write it behind the name, "name(${type})"`
      : `${didYouMean(nearestName(type, SCALAR_TYPES))}: use one of ${SCALAR_TYPES.join(', ')}`;
    faults.push({ keys, message: `unknown type "${type}"${remedy}` });
    return {};
  }
  return { ...(type === 'any' ? {} : { type }), ...(description === '' ? {} : { description }) };
}

function expandObject(object: PlainObject, keys: readonly string[], faults: SchemaFault[]): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  const required: string[] = [];
  let additionalProperties: JsonSchema | false = false;
  for (const [key, value] of Object.entries(object)) {
    const place = [...keys, key];
    if (key === '(*)') {
      additionalProperties = expandValue(value, place, faults);
      continue;
    }
    const property = readPropertyKey(key, place, faults);
    if (property === null) continue;
    if (Object.hasOwn(properties, property.name)) {
      faults.push({ keys: place, message: `declares "${property.name}" a second time` });
      continue;
    }
    properties[property.name] = expandProperty(property, value, place, faults);
    if (!property.optional) required.push(property.name);
  }
  return {
    type: 'object',
    properties,
    ...(required.length === 0 ? {} : { required }),
    additionalProperties,
  };
}

interface Property {
  readonly name: string;
  readonly optional: boolean;
  readonly type: string | null;
  readonly description: string | null;
}

function readPropertyKey(key: string, place: readonly string[], faults: SchemaFault[]): Property | null {
  const groups = PROPERTY_KEY.exec(key)?.groups;
  if (groups?.['name'] === undefined) {
    faults.push({
      keys: place,
      message: `cannot read the property "${key}": write "name", "name?", "name(array)" or "name?(enum, description)"`,
    });
    return null;
  }
  const name = groups['name'];
  if (UNREADABLE_NAMES.has(name)) {
    faults.push({ keys: place, message: `"${name}" cannot be a variable: choose another name` });
    return null;
  }
  const type = groups['type'] ?? null;
  if (type !== null && !PARENTHETICAL_TYPES.includes(type)) {
    faults.push({
      keys: place,
      message: `unknown type "${type}" in parentheses${didYouMean(nearestName(type, PARENTHETICAL_TYPES))}: use array, object or enum; other types stand behind the colon`,
    });
    return null;
  }
  return {
    name,
    optional: groups['optional'] !== undefined,
    type,
    description: groups['description'] ?? null,
  };
}

function expandProperty(
  property: Property,
  value: unknown,
  place: readonly string[],
  faults: SchemaFault[],
): JsonSchema {
  const schema = expandTyped(property, value, place, faults);
  return property.description === null ? schema : { ...schema, description: property.description };
}

/** Optional properties may also be null, as in the published format. */
function expandTyped(
  property: Property,
  value: unknown,
  place: readonly string[],
  faults: SchemaFault[],
): JsonSchema {
  if (property.type === 'enum') {
    if (!Array.isArray(value) || value.length === 0) {
      faults.push({ keys: place, message: 'an enum is a list of its values, for example [calm, brisk]' });
      return {};
    }
    const values: readonly unknown[] = value;
    return { enum: property.optional && !values.includes(null) ? [...values, null] : values };
  }
  if (property.type === 'array') {
    return {
      type: property.optional ? ['array', 'null'] : 'array',
      items: expandValue(value, place, faults),
    };
  }
  const schema = expandValue(value, place, faults);
  const type = schema['type'];
  return property.optional && typeof type === 'string' && type !== 'null'
    ? { ...schema, type: [type, 'null'] }
    : schema;
}
