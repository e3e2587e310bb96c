import { canonicalJson, type Fault, type JsonSchema } from '../kernel/index.ts';
import type { FrontMatter } from './front-matter.ts';
import { RESERVED_VARIABLES } from './input-contract.ts';
import { isPlainObject } from './picoschema.ts';
import { faultAt, type SourceFile } from './source-file.ts';
import { propertiesOf, resolveSchema } from './template/static-shape.ts';

export interface VersionInput {
  readonly version: string;
  readonly file: SourceFile;
  readonly frontMatter: FrontMatter;
}

/**
 * Differences between what one version takes and what the next one does: a label that moves between them, an
 * experiment or a rollback would break callers. Reserved variables do not count, the gateway fills those.
 */
export function inputDifferences(earlier: VersionInput, later: VersionInput): Fault[] {
  const before = earlier.frontMatter.inputSchema;
  const after = later.frontMatter.inputSchema;
  // Without a schema anything is taken: there is no contract to differ from.
  if (before === null || after === null) return [];
  const left = callerVariables(before, earlier.frontMatter.inputDefaults);
  const right = callerVariables(after, later.frontMatter.inputDefaults);
  const faults: Fault[] = [];
  for (const [name, contract] of right) {
    const other = left.get(name);
    const position = later.frontMatter.locateVariable(name);
    if (other === undefined) {
      faults.push(
        faultAt(
          later.file,
          position,
          `takes "${name}", which ${earlier.version} does not: callers cannot move between the two`,
        ),
      );
    } else if (other !== contract) {
      faults.push(
        faultAt(
          later.file,
          position,
          `takes "${name}" as ${contract}, where ${earlier.version} takes ${other}: callers cannot move between the two`,
        ),
      );
    }
  }
  for (const name of left.keys()) {
    if (right.has(name)) continue;
    const position = later.frontMatter.locate(['input', 'schema']);
    faults.push(
      faultAt(
        later.file,
        position,
        `does not take "${name}", which ${earlier.version} does: callers cannot move between the two`,
      ),
    );
  }
  return faults;
}

/**
 * What a caller must know of each variable, as comparable text: type, and whether it may be left out. Reserved ones do
 * not count, the gateway fills those.
 */
export function callerVariables(
  schema: JsonSchema,
  defaults: Readonly<Record<string, unknown>>,
): ReadonlyMap<string, string> {
  const reserved: readonly string[] = RESERVED_VARIABLES;
  const contracts = new Map<string, string>();
  for (const part of resolveSchema(schema, schema)) {
    const required = Array.isArray(part['required']) ? part['required'] : [];
    for (const [name, property] of Object.entries(propertiesOf(part))) {
      if (reserved.includes(name)) continue;
      const optional = !required.includes(name) || Object.hasOwn(defaults, name);
      contracts.set(name, `${optional ? 'optional' : 'required'} ${typeText(property)}`);
    }
  }
  return contracts;
}

/** A type in words where it is simple, else its schema; descriptions may differ freely. */
function typeText(property: unknown): string {
  if (!isPlainObject(property)) return 'any';
  const type = property['type'];
  const rest = Object.entries(property).filter(([key]) => key !== 'type' && key !== 'description');
  if (rest.length > 0) return canonicalJson(withoutDescriptions(property));
  return Array.isArray(type) ? [...type].sort().join(' or ') : typeof type === 'string' ? type : 'any';
}

function withoutDescriptions(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDescriptions);
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => key !== 'description' || typeof inner !== 'string')
      .map(([key, inner]) => [key, withoutDescriptions(inner)]),
  );
}
