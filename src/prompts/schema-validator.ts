import type { ErrorObject, ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { errorMessage, type Fault, type JsonSchema, nearestName } from '../kernel/index.ts';
import { isPlainObject } from './picoschema.ts';
import { didYouMean } from './source-file.ts';

/** Faults beyond this number say nothing new to the caller. */
const MAX_FAULTS = 50;

/** Checks a value; no faults means that it fits. Values themselves never enter a fault. */
export type SchemaValidator = (
  value: unknown,
  place: (keys: readonly string[]) => string,
) => readonly Fault[];

export type SchemaCompilation =
  | { readonly ok: true; readonly validate: SchemaValidator }
  | { readonly ok: false; readonly message: string };

/** Compiles JSON Schema 2020-12. One compiler serves one load: it keeps every schema it has seen. */
export interface SchemaCompiler {
  compile(schema: JsonSchema): SchemaCompilation;
}

export function createSchemaCompiler(): SchemaCompiler {
  // Foreign keywords are allowed (`strict: false`), formats are not checked: a format that one validator knows and
  // another does not must not decide about a request.
  const create = (): Ajv2020 =>
    new Ajv2020({ strict: false, allErrors: true, verbose: true, validateFormats: false, logger: false });
  let shared: Ajv2020 | null = null;
  return {
    compile(schema) {
      try {
        // Two prompts may use the same `$id`: such schemas get a compiler of their own.
        if ('$id' in schema) return { ok: true, validate: validator(create().compile(schema)) };
        shared ??= create();
        return { ok: true, validate: validator(shared.compile(schema)) };
      } catch (error) {
        return { ok: false, message: errorMessage(error) };
      }
    },
  };
}

function validator(validate: ValidateFunction): SchemaValidator {
  return (value, place) => {
    if (validate(value)) return [];
    const faults: Fault[] = [];
    for (const error of validate.errors ?? []) {
      if (faults.length === MAX_FAULTS) break;
      const fault = faultOf(error, place);
      if (!faults.some((known) => known.path === fault.path && known.message === fault.message)) {
        faults.push(fault);
      }
    }
    return faults;
  };
}

function faultOf(error: ErrorObject, place: (keys: readonly string[]) => string): Fault {
  const keys = keysOfPointer(error.instancePath);
  const params: Readonly<Record<string, unknown>> = error.params;
  switch (error.keyword) {
    case 'required': {
      const name = String(params['missingProperty']);
      const description = describeProperty(error.parentSchema, name);
      return {
        path: place([...keys, name]),
        message: `required${description === '' ? '' : `: ${description}`}`,
      };
    }
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const name = String(params['additionalProperty'] ?? params['unevaluatedProperty']);
      const known = propertyNames(error.parentSchema);
      return { path: place([...keys, name]), message: `unknown name${didYouMean(nearestName(name, known))}` };
    }
    case 'type':
      return {
        path: place(keys),
        message: `must be ${[params['type']].flat().join(' or ')}, got ${typeName(error.data)}`,
      };
    case 'enum':
      return { path: place(keys), message: `must be one of ${listValues(params['allowedValues'])}` };
    case 'const':
      return { path: place(keys), message: `must be ${listValues([params['allowedValue']])}` };
    default:
      return { path: place(keys), message: error.message ?? `fails "${error.keyword}"` };
  }
}

/** `/user/tags/0` as its keys. */
function keysOfPointer(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** `a.b[0].c`: keys as callers write them. */
export function joinKeys(keys: readonly string[]): string {
  return keys.map((key, index) => (/^\d+$/.test(key) ? `[${key}]` : index === 0 ? key : `.${key}`)).join('');
}

/** `string, How the user feels`: what a property expects, for a fault about its absence. */
function describeProperty(parent: unknown, name: string): string {
  const properties = isPlainObject(parent) ? parent['properties'] : undefined;
  const property = isPlainObject(properties) ? properties[name] : undefined;
  if (!isPlainObject(property)) return '';
  const values = property['enum'];
  const type = [property['type'] ?? []].flat().filter((each) => typeof each === 'string');
  const kind = Array.isArray(values) ? `one of ${listValues(values)}` : type.join(' or ');
  const description = typeof property['description'] === 'string' ? property['description'] : '';
  return [kind, description].filter((piece) => piece !== '').join(', ');
}

function propertyNames(schema: unknown): string[] {
  const properties = isPlainObject(schema) ? schema['properties'] : undefined;
  return isPlainObject(properties) ? Object.keys(properties) : [];
}

function listValues(values: unknown): string {
  const all: readonly unknown[] = Array.isArray(values) ? values : [];
  const shown = all.slice(0, 20).map((value) => JSON.stringify(value));
  return all.length > 20 ? `${shown.join(', ')} and ${all.length - 20} more` : shown.join(', ');
}

export function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value;
}
