import type { z } from 'zod';

import type { JsonPath } from './json-document.ts';
import { configSchema, type GatewayConfig } from './schema.ts';
import { valueAt } from './schema-fault.ts';

/** Each round removes at least one value; what is left after this many is not worth checking further. */
const MAX_ROUNDS = 20;

/**
 * The configuration that is left when every faulty value gives way to its default, or takes its enclosing entry along
 * where it has none. For further checks only, never to run with. Null when nothing usable is left.
 */
export function withoutFaultyParts(raw: unknown, issues: readonly z.core.$ZodIssue[]): GatewayConfig | null {
  if (!isContainer(raw)) return null;
  const remaining: unknown = structuredClone(raw);
  let found = issues;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    for (const issue of found) removeFaulty(remaining, issue);
    for (const section of ['providers', 'routes']) {
      if (isContainer(remaining) && !isContainer(remaining[section])) remaining[section] = {};
    }
    const result = configSchema.safeParse(remaining);
    if (result.success) return result.data;
    found = result.error.issues;
  }
  return null;
}

function removeFaulty(root: unknown, issue: z.core.$ZodIssue): void {
  const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
  const paths = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path];
  for (const faulty of paths) removeAt(root, faulty);
}

/** Removes the value, or the nearest thing around it that can be removed without moving array elements. */
function removeAt(root: unknown, path: JsonPath): void {
  for (let length = path.length; length > 0; length -= 1) {
    const container = valueAt(root, path.slice(0, length - 1));
    const key = path[length - 1];
    if (typeof key === 'string' && isContainer(container) && Object.hasOwn(container, key)) {
      delete container[key];
      return;
    }
  }
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
