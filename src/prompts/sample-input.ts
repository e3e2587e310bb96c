import { isPlainObject } from './picoschema.ts';
import { propertiesOf, resolveSchema } from './template/static-shape.ts';
import type { PromptVersion } from './types.ts';

/** Deeper than any sensible input; ends the walk of a schema that refers to itself. */
const MAX_DEPTH = 6;

/** Values for the variables that a caller must send, made up from the schema: a start for an author to replace. */
export function sampleVariables(version: PromptVersion): Readonly<Record<string, unknown>> {
  const { inputSchema: schema, inputDefaults } = version;
  if (schema === null) return {};
  const sampled = requiredSamples(schema, schema, 0);
  const { profile: _filledByTheGateway, signals: _signals, context: _context, ...variables } = sampled;
  return Object.fromEntries(
    Object.entries(variables).filter(([name]) => !Object.hasOwn(inputDefaults, name)),
  );
}

function requiredSamples(
  schema: unknown,
  top: Readonly<Record<string, unknown>>,
  depth: number,
): Readonly<Record<string, unknown>> {
  const samples: Record<string, unknown> = {};
  for (const part of resolveSchema(schema, top)) {
    const properties = new Map(Object.entries(propertiesOf(part)));
    const required: unknown = part['required'];
    for (const name of Array.isArray(required) ? required : []) {
      if (typeof name === 'string') samples[name] = sampleOf(properties.get(name), name, top, depth + 1);
    }
  }
  return samples;
}

function sampleOf(
  declared: unknown,
  name: string,
  top: Readonly<Record<string, unknown>>,
  depth: number,
): unknown {
  const schema = isPlainObject(declared) ? (resolveSchema(declared, top)[0] ?? declared) : {};
  if ('const' in schema) return schema['const'];
  const choices = schema['enum'];
  if (Array.isArray(choices)) return choices[0];
  const minimum = schema['minimum'];
  switch (firstType(schema['type'])) {
    case 'number':
    case 'integer':
      return typeof minimum === 'number' ? Math.ceil(minimum) : 1;
    case 'boolean':
      return true;
    case 'null':
      return null;
    case 'array':
      return depth > MAX_DEPTH ? [] : [sampleOf(schema['items'], name, top, depth + 1)];
    case 'object':
      return depth > MAX_DEPTH ? {} : requiredSamples(schema, top, depth);
    default:
      return `some ${name.replaceAll('_', ' ')}`;
  }
}

function firstType(type: unknown): unknown {
  return Array.isArray(type) ? type[0] : type;
}
