import { type Document, isAlias, isMap, isNode, isScalar, LineCounter, type Pair, parseDocument } from 'yaml';
import {
  errorMessage,
  type Fault,
  type JsonSchema,
  type ModelParameters,
  nearestName,
} from '../kernel/index.ts';
import { readModelParameters } from './model-parameters.ts';
import { expandPicoschema, isPlainObject, type SchemaFault } from './picoschema.ts';
import { didYouMean, FILE_START, faultAt, type Position, type SourceFile } from './source-file.ts';

/** What the front matter says, and where it says it. */
export interface FrontMatter {
  readonly description: string | null;
  readonly model: string | null;
  readonly parameters: ModelParameters;
  readonly inputSchema: JsonSchema | null;
  readonly inputDefaults: Readonly<Record<string, unknown>>;
  readonly outputFormat: 'text' | 'json';
  readonly outputSchema: JsonSchema | null;
  readonly fallbackLines: readonly string[];
  /** Place of the key (or list item) at this path, or of its nearest ancestor that exists. */
  locate(keys: readonly (string | number)[]): Position;
  /** Where `input.schema` declares a variable: as JSON Schema, or in Picoschema under any spelling (`name?(array)`). */
  locateVariable(name: string): Position;
}

/** A file cut into front matter and template. */
export interface SplitFile {
  /** YAML text; null when the file has no front matter. */
  readonly yaml: string | null;
  readonly yamlLine: number;
  readonly template: string;
  /** Where the template's first character stands in the file. */
  readonly templateStart: Position;
}

export const PLAIN_KEYS = ['model', 'config', 'input', 'output', 'description'];
export const PATH_KEYS = ['name', 'variant', 'version'];
/** Keys of the published format that mean nothing here: silence would hide a prompt that does less than it says. */
const UNREAD_KEYS = ['tools', 'toolDefs', 'ext', 'raw', 'metadata'];
export const GATEWAY_KEYS = ['gateway.fallback'];
export const OUTPUT_FORMATS = ['text', 'json'];

/** Expanding anchors beyond this many uses is an attack or a mistake. */
const MAX_ALIASES = 50;

/**
 * Cuts at `---` lines. As in the published format, blank lines and `#` lines may stand before the first one, and the
 * template loses the white space around it when there is front matter.
 */
export function splitFrontMatter(file: SourceFile, faults: Fault[]): SplitFile {
  const lines = file.text.split('\n');
  let opening = 0;
  while (opening < lines.length && /^\s*(#.*)?$/.test(lines[opening] ?? '')) opening += 1;
  if (!/^---[ \t]*$/.test(lines[opening] ?? '')) {
    return { yaml: null, yamlLine: 1, template: file.text, templateStart: FILE_START };
  }
  let closing = opening + 1;
  while (closing < lines.length && !/^---[ \t]*$/.test(lines[closing] ?? '')) closing += 1;
  if (closing >= lines.length) {
    faults.push(
      faultAt(
        file,
        { line: opening + 1, column: 1 },
        'front matter is not closed: add a line with "---" after it',
      ),
    );
    return { yaml: null, yamlLine: 1, template: '', templateStart: FILE_START };
  }
  const body = lines.slice(closing + 1).join('\n');
  const leading = body.length - body.trimStart().length;
  const skipped = body.slice(0, leading).split('\n');
  return {
    yaml: lines.slice(opening + 1, closing).join('\n'),
    yamlLine: opening + 2,
    template: body.trim(),
    templateStart: {
      line: closing + 1 + skipped.length,
      column: (skipped.at(-1) ?? '').length + 1,
    },
  };
}

/** Reads the front matter strictly: every unknown key is a fault with a remedy. All faults at once. */
export function readFrontMatter(file: SourceFile, split: SplitFile, faults: Fault[]): FrontMatter {
  const lineCounter = new LineCounter();
  const document = parseDocument(split.yaml ?? '', { lineCounter, version: '1.2', prettyErrors: false });
  const positionOf = (offset: number): Position => {
    const { line, col } = lineCounter.linePos(offset);
    return { line: line + split.yamlLine - 1, column: col };
  };
  const locate = (keys: readonly (string | number)[]): Position => {
    const offset = offsetOf(document, keys);
    return offset === null ? { line: split.yamlLine, column: 1 } : positionOf(offset);
  };
  const fault = (keys: readonly (string | number)[], message: string): void => {
    faults.push(faultAt(file, locate(keys), message));
  };
  const content = readYaml(document, (offset, message) =>
    faults.push(faultAt(file, positionOf(offset), message)),
  );
  checkKeys(content, fault);
  const input = readSection(content, 'input', ['schema', 'default'], fault);
  const output = readSection(content, 'output', ['format', 'schema'], fault);
  const outputSchema = readSchema(output['schema'], ['output', 'schema'], fault);
  return {
    description: readString(content, 'description', fault),
    model: readString(content, 'model', fault),
    parameters: readModelParameters(content['config'], (key, message) =>
      fault(key === null ? ['config'] : ['config', key], message),
    ),
    inputSchema: readInputSchema(input['schema'], fault),
    inputDefaults: readDefaults(input['default'], fault),
    outputFormat: readOutputFormat(output['format'], outputSchema, fault),
    outputSchema,
    fallbackLines: readFallbackLines(content['gateway.fallback'], fault),
    locate,
    locateVariable: (name) => locate(['input', 'schema', ...variableKeys(input['schema'], name)]),
  };
}

type ReportFault = (keys: readonly (string | number)[], message: string) => void;
type Content = Readonly<Record<string, unknown>>;

function readYaml(document: Document, report: (offset: number, message: string) => void): Content {
  for (const problem of [...document.errors, ...document.warnings]) {
    report(problem.pos[0], `front matter is not valid YAML: ${problem.message}`);
  }
  if (document.errors.length > 0) return {};
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    report(0, `front matter is not valid YAML: ${errorMessage(error)}`);
    return {};
  }
  if (content === null) return {};
  if (isPlainObject(content)) return content;
  report(0, 'front matter must be a map of keys, for example "description: A friendly tip"');
  return {};
}

function checkKeys(content: Content, fault: ReportFault): void {
  for (const key of Object.keys(content)) {
    if (PLAIN_KEYS.includes(key) || GATEWAY_KEYS.includes(key)) continue;
    if (PATH_KEYS.includes(key)) {
      fault([key], `"${key}" has no place here: name and version come from the path; remove the line`);
    } else if (UNREAD_KEYS.includes(key)) {
      fault([key], `"${key}" is not read by this gateway: remove it; tools come with the request`);
    } else if (key === 'gateway' || key.startsWith('gateway.')) {
      const nearest = nearestName(key, GATEWAY_KEYS) ?? GATEWAY_KEYS[0] ?? null;
      fault([key], `unknown key "${key}"${didYouMean(nearest)}; known: ${GATEWAY_KEYS.join(', ')}`);
    } else if (!key.includes('.')) {
      const nearest = nearestName(key, [...PLAIN_KEYS, ...GATEWAY_KEYS]);
      fault(
        [key],
        `unknown key "${key}"${didYouMean(nearest)}; known: ${PLAIN_KEYS.join(', ')}; keys of other tools carry a dot ("mytool.${key}")`,
      );
    }
  }
}

function readSection(
  content: Content,
  section: string,
  known: readonly string[],
  fault: ReportFault,
): Content {
  const value = content[section];
  if (value === undefined || value === null) return {};
  if (!isPlainObject(value)) {
    fault([section], `"${section}" must be a map with ${known.join(' and ')}`);
    return {};
  }
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) {
      fault(
        [section, key],
        `unknown key "${section}.${key}"${didYouMean(nearestName(key, known))}; known: ${known.join(', ')}`,
      );
    }
  }
  return value;
}

function readString(content: Content, key: string, fault: ReportFault): string | null {
  const value = content[key];
  if (value === undefined || value === null) return null;
  if (typeof value === 'string' && value.trim() !== '') return value.trim();
  fault([key], `"${key}" must be text, for example ${key}: "…"`);
  return null;
}

function readSchema(value: unknown, keys: readonly string[], fault: ReportFault): JsonSchema | null {
  if (Array.isArray(value)) {
    fault(
      keys,
      `"${keys.join('.')}" must be a map of names and types (Picoschema) or JSON Schema, not a list`,
    );
    return null;
  }
  const schemaFaults: SchemaFault[] = [];
  const schema = expandPicoschema(value, schemaFaults);
  for (const problem of schemaFaults) fault([...keys, ...problem.keys], problem.message);
  return schemaFaults.length > 0 ? null : schema;
}

function readInputSchema(value: unknown, fault: ReportFault): JsonSchema | null {
  const schema = readSchema(value, ['input', 'schema'], fault);
  if (schema === null || schema['type'] === 'object' || '$ref' in schema) return schema;
  fault(
    ['input', 'schema'],
    'input.schema must describe a map of variables; a variable named "type" needs JSON Schema: {type: object, properties: {type: {type: string}}}',
  );
  return null;
}

function readDefaults(value: unknown, fault: ReportFault): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null) return {};
  if (isPlainObject(value)) return value;
  fault(['input', 'default'], 'input.default must be a map of variables and values');
  return {};
}

function readOutputFormat(
  value: unknown,
  outputSchema: JsonSchema | null,
  fault: ReportFault,
): 'text' | 'json' {
  // As in the published format, a schema without a format means JSON.
  if (value === undefined || value === null) return outputSchema === null ? 'text' : 'json';
  if (value === 'json') return 'json';
  if (value !== 'text') {
    const nearest = typeof value === 'string' ? nearestName(value, OUTPUT_FORMATS) : null;
    fault(['output', 'format'], `output.format must be text or json${didYouMean(nearest)}`);
  } else if (outputSchema !== null) {
    fault(['output', 'format'], 'output.schema needs "format: json": text has no schema');
  }
  return 'text';
}

function readFallbackLines(value: unknown, fault: ReportFault): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    fault(['gateway.fallback'], 'gateway.fallback must be a list of lines');
    return [];
  }
  const lines: string[] = [];
  for (const [index, line] of value.entries()) {
    if (typeof line === 'string' && line.trim() !== '') lines.push(line.trim());
    else fault(['gateway.fallback', index], 'a fallback line must be text that is not empty (quote it)');
  }
  return lines;
}

function variableKeys(schema: unknown, name: string): readonly string[] {
  if (!isPlainObject(schema)) return [];
  const properties = schema['properties'];
  if (isPlainObject(properties) && Object.hasOwn(properties, name)) return ['properties', name];
  const spelling = Object.keys(schema).find((key) => key.replace(/[?(].*$/s, '') === name);
  return spelling === undefined ? [] : [spelling];
}

/** Character offset of the key or item at `keys`, or of the last step of it that exists. */
function offsetOf(document: Document, keys: readonly (string | number)[]): number | null {
  let node: unknown = document.contents;
  let offset: number | null = null;
  for (const key of keys) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair: Pair | undefined = node.items.find(
        (each) => (isScalar(each.key) ? String(each.key.value) : String(each.key)) === String(key),
      );
      if (pair === undefined) break;
      offset = (isNode(pair.key) ? pair.key.range?.[0] : undefined) ?? offset;
      node = pair.value;
    } else if (isNode(node) && 'items' in node && Array.isArray(node.items)) {
      node = node.items[Number(key)];
      offset = (isNode(node) ? node.range?.[0] : undefined) ?? offset;
    } else break;
  }
  return offset;
}
