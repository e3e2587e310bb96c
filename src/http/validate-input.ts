import { z } from 'zod';
import { AppError, type Fault, listNames, nearestName } from '../kernel/index.ts';

/** Longest piece of a caller's key that a fault repeats. */
const MAX_ECHO_CHARACTERS = 64;

/**
 * `value` as the schema's output. Fails with `invalid_request` and every fault at once, each with its JSON path;
 * unknown fields name the nearest known one.
 */
export function validateInput<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  what: string,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new AppError('invalid_request', `${what} is not valid.`, {
    faults: result.error.issues.flatMap((issue) => faultsOf(issue, schema, value)),
  });
}

function faultsOf(issue: z.core.$ZodIssue, schema: z.ZodType, value: unknown): Fault[] {
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schemaAt(schema, issue.path));
    return issue.keys.map((key) => ({
      path: jsonPath([...issue.path, key]),
      message: unknownField(key, known),
    }));
  }
  return [{ path: jsonPath(issue.path), message: messageOf(issue, valueAt(value, issue.path)) }];
}

function messageOf(issue: z.core.$ZodIssue, value: unknown): string {
  if (issue.code === 'invalid_type' && value === undefined) return 'is required';
  if (issue.code === 'invalid_key')
    return `has a name that is not allowed: ${issue.issues[0]?.message ?? issue.message}`;
  // Our own messages in the schemas are whole; zod's begin with these.
  if (issue.code === 'too_small' && issue.message.startsWith('Too small')) {
    return `must ${bound(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum)}`;
  }
  if (issue.code === 'too_big' && issue.message.startsWith('Too big')) {
    return `must ${bound(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum)}`;
  }
  return issue.message
    .replace(/^Invalid input: expected /, 'must be ')
    .replace(/^must be record/, 'must be object')
    .replace(/, received /, ', not ');
}

/** `be at most 2`, `hold at most 1000 items`, `have at least 1 character`. */
function bound(origin: string, relation: string, limit: number | bigint): string {
  const plural = Number(limit) === 1 ? '' : 's';
  if (origin === 'array') return `hold ${relation} ${limit} item${plural}`;
  if (origin === 'string') return `have ${relation} ${limit} character${plural}`;
  return `be ${relation} ${limit}`;
}

function unknownField(key: string, known: readonly string[]): string {
  const nearest = nearestName(key, known);
  if (nearest !== null) return `is not a known field; did you mean \`${nearest}\`?`;
  return known.length === 0
    ? 'is not a known field'
    : `is not a known field; known are ${listNames(known, 40)}`;
}

/** `outcomes[3].value`; empty for the whole body. */
function jsonPath(path: readonly PropertyKey[]): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += `${text === '' ? '' : '.'}${String(step).slice(0, MAX_ECHO_CHARACTERS)}`;
  }
  return text;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let inner = value;
  for (const step of path) {
    if (inner === null || typeof inner !== 'object') return undefined;
    inner = Object.getOwnPropertyDescriptor(inner, step)?.value;
  }
  return inner;
}

function schemaAt(schema: z.ZodType, path: readonly PropertyKey[]): z.core.$ZodType {
  let inner: z.core.$ZodType = unwrapped(schema);
  for (const step of path) {
    if (inner instanceof z.ZodObject) inner = unwrapped(inner.shape[String(step)] ?? z.unknown());
    else if (inner instanceof z.ZodArray) inner = unwrapped(inner.element);
  }
  return inner;
}

function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  let inner = schema;
  while (
    inner instanceof z.ZodOptional ||
    inner instanceof z.ZodNullable ||
    inner instanceof z.ZodDefault ||
    inner instanceof z.ZodPrefault
  ) {
    inner = inner.unwrap();
  }
  return inner;
}

function knownKeys(schema: z.core.$ZodType): readonly string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}
