import type { JsonSchema } from '../../kernel/index.ts';
import { isPlainObject } from '../picoschema.ts';

/** What is known about a value before there is one. */
export type Shape =
  /** Nothing is known: no schema, or `any`. */
  | { readonly kind: 'any' }
  /** Any of these schemas; `top` resolves their references. */
  | { readonly kind: 'schema'; readonly schemas: readonly JsonSchema[]; readonly top: JsonSchema }
  /** A base value with some keys put over it: the context of a partial that was given parameters. */
  | { readonly kind: 'overlay'; readonly base: Shape; readonly fields: ReadonlyMap<string, Lookup> };

export interface Lookup {
  readonly shape: Shape;
  /**
   * The key is declared, so that only an optional variable can be missing there: it renders empty. Otherwise a missing
   * value is an error.
   */
  readonly declared: boolean;
}

export const ANY_SHAPE: Shape = { kind: 'any' };
const UNKNOWN: Lookup = { shape: ANY_SHAPE, declared: false };

/** References that go round in a circle end here. */
const MAX_REFERENCE_STEPS = 16;

export function shapeOfSchema(schema: JsonSchema | null): Shape {
  return schema === null ? ANY_SHAPE : shapeOf([schema], schema);
}

export function shapeOfType(type: 'string' | 'number' | 'boolean'): Shape {
  return shapeOf([{ type }], {});
}

/** What stands under `key`; null when the schema rules it out. */
export function lookUp(shape: Shape, key: string): Lookup | null {
  if (shape.kind === 'any') return UNKNOWN;
  if (shape.kind === 'overlay') return shape.fields.get(key) ?? lookUp(shape.base, key);
  const found: JsonSchema[] = [];
  let declared = true;
  for (const schema of shape.schemas) {
    const inner = lookUpInSchema(schema, key);
    if (inner === null) continue;
    if (inner.schema === null) return UNKNOWN;
    found.push(inner.schema);
    declared &&= inner.declared;
  }
  return found.length === 0 ? null : { shape: shapeOf(found, shape.top), declared };
}

/** What one loop step over the value sees; null when the schema rules loops out. */
export function itemsOf(shape: Shape): Shape | null {
  if (shape.kind !== 'schema') return ANY_SHAPE;
  const found: JsonSchema[] = [];
  for (const schema of shape.schemas) {
    if (isUnconstrained(schema)) return ANY_SHAPE;
    const items = schema['items'];
    const types = typesOfSchema(schema);
    if (isPlainObject(items)) found.push(items);
    else if (types.includes('array') || types.includes('object')) {
      const values = types.includes('array') ? [] : objectValues(schema);
      if (values.length === 0) return ANY_SHAPE;
      found.push(...values);
    }
  }
  return found.length === 0 ? null : shapeOf(found, shape.top);
}

/** Names of the declared keys, for "did you mean". */
export function keysOf(shape: Shape): readonly string[] {
  if (shape.kind === 'any') return [];
  if (shape.kind === 'overlay') return [...shape.fields.keys(), ...keysOf(shape.base)];
  return [...new Set(shape.schemas.flatMap((schema) => Object.keys(propertiesOf(schema))))];
}

/** JSON types the value may have; null when unknown. */
export function typesOf(shape: Shape): ReadonlySet<string> | null {
  if (shape.kind === 'any') return null;
  if (shape.kind === 'overlay') return new Set(['object']);
  const types = new Set<string>();
  for (const schema of shape.schemas) {
    const own = typesOfSchema(schema);
    if (own.length === 0) return null;
    for (const type of own) types.add(type);
  }
  return types;
}

/** An object schema that names its properties takes no others unless it says so: a typo must not pass. */
export function isOpen(schema: JsonSchema): boolean {
  const additional = schema['additionalProperties'];
  if (additional === true || isPlainObject(additional) || isPlainObject(schema['patternProperties'])) {
    return true;
  }
  return additional === undefined && Object.keys(propertiesOf(schema)).length === 0;
}

export function propertiesOf(schema: JsonSchema): Readonly<Record<string, unknown>> {
  const properties = schema['properties'];
  return isPlainObject(properties) ? properties : {};
}

/** The schemas a value may follow: references resolved, choices spread, `allOf` merged into its parts. */
export function resolveSchema(schema: unknown, top: JsonSchema, steps = 0): readonly JsonSchema[] {
  if (!isPlainObject(schema) || steps > MAX_REFERENCE_STEPS) return [{}];
  const reference = schema['$ref'];
  if (typeof reference === 'string') return resolveSchema(followPointer(top, reference), top, steps + 1);
  const choices = [schema['anyOf'], schema['oneOf']].find((each) => Array.isArray(each));
  if (Array.isArray(choices) && choices.length > 0) {
    const spread = choices.flatMap((choice: unknown) => resolveSchema(choice, top, steps + 1));
    return Object.keys(propertiesOf(schema)).length > 0 ? [schema, ...spread] : spread;
  }
  const parts = schema['allOf'];
  if (Array.isArray(parts) && parts.length > 0) {
    const spread = parts.flatMap((part: unknown) => resolveSchema(part, top, steps + 1));
    const constrained = [schema, ...spread].filter((each) => !isUnconstrained(each));
    return constrained.length > 0 ? constrained : [{}];
  }
  return [schema];
}

function shapeOf(schemas: readonly unknown[], top: JsonSchema): Shape {
  const resolved = schemas.flatMap((schema) => resolveSchema(schema, top));
  return resolved.every(isUnconstrained) ? ANY_SHAPE : { kind: 'schema', schemas: resolved, top };
}

function lookUpInSchema(
  schema: JsonSchema,
  key: string,
): { readonly schema: JsonSchema | null; readonly declared: boolean } | null {
  if (isUnconstrained(schema)) return { schema: null, declared: false };
  const property = propertiesOf(schema)[key];
  if (property !== undefined && Object.hasOwn(propertiesOf(schema), key)) {
    return { schema: isPlainObject(property) ? property : {}, declared: true };
  }
  const types = typesOfSchema(schema);
  if (key === 'length' && (types.includes('array') || types.includes('string'))) {
    return { schema: { type: 'integer' }, declared: true };
  }
  if (types.includes('array') && /^\d+$/.test(key)) {
    const items = schema['items'];
    return { schema: isPlainObject(items) ? items : null, declared: false };
  }
  if (!types.includes('object') || !isOpen(schema)) return null;
  const additional = schema['additionalProperties'];
  return { schema: isPlainObject(additional) ? additional : null, declared: false };
}

function objectValues(schema: JsonSchema): readonly JsonSchema[] {
  const additional = schema['additionalProperties'];
  const open = isOpen(schema) ? [isPlainObject(additional) ? additional : {}] : [];
  return [...Object.values(propertiesOf(schema)).filter(isPlainObject), ...open];
}

function isUnconstrained(schema: JsonSchema): boolean {
  return typesOfSchema(schema).length === 0;
}

function typesOfSchema(schema: JsonSchema): readonly string[] {
  const type = schema['type'];
  if (typeof type === 'string') return [type];
  if (Array.isArray(type)) return type.map(String);
  const values: unknown = schema['enum'] ?? ('const' in schema ? [schema['const']] : undefined);
  if (Array.isArray(values)) return [...new Set(values.map(jsonType))];
  if (Object.keys(propertiesOf(schema)).length > 0) return ['object'];
  return isPlainObject(schema['items']) ? ['array'] : [];
}

function jsonType(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

/** Local references only (`#`, `#/$defs/name`): the compiler of the schema refuses the others. */
function followPointer(top: JsonSchema, reference: string): unknown {
  if (!reference.startsWith('#')) return {};
  let node: unknown = top;
  for (const key of reference.slice(1).split('/').slice(1)) {
    node = isPlainObject(node) ? node[key.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined;
  }
  return node;
}
