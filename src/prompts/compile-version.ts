import type { Fault, JsonSchema } from '../kernel/index.ts';
import { nearestName } from '../kernel/index.ts';
import { type FrontMatter, readFrontMatter, splitFrontMatter } from './front-matter.ts';
import { createInputContract, RESERVED_VARIABLES } from './input-contract.ts';
import { createOutputCheck } from './output-contract.ts';
import { EXPANSION_FACTOR, MADE_TEXT_FACTOR, type PromptLimits } from './prompt-limits.ts';
import type { SchemaCompiler, SchemaValidator } from './schema-validator.ts';
import { joinKeys } from './schema-validator.ts';
import { didYouMean, faultAt, type SourceFile } from './source-file.ts';
import type { Compilation } from './template/compilation.ts';
import { compileTemplate } from './template/compile-template.ts';
import { drawBoundary } from './template/fenced-text.ts';
import { MessageOutput } from './template/message-output.ts';
import { type ParsedTemplate, parseTemplate } from './template/parse-template.ts';
import { type Emit, renderNothing } from './template/run.ts';
import { keysOf, lookUp, shapeOfSchema } from './template/static-shape.ts';
import type { PromptVersion, RenderInput } from './types.ts';

/** A prompt file, read but not yet bound to its partials. */
export interface ParsedPromptFile {
  readonly file: SourceFile;
  readonly frontMatter: FrontMatter;
  readonly template: ParsedTemplate;
  readonly faults: readonly Fault[];
}

/** All of a version that depends on its text alone. */
export type CompiledVersion = Omit<PromptVersion, 'retired' | 'locked'>;

export interface VersionCompilation {
  /** Null when there are faults. */
  readonly version: CompiledVersion | null;
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
  readonly frontMatter: FrontMatter;
  readonly file: SourceFile;
}

export function parsePromptFile(file: SourceFile, limits: PromptLimits): ParsedPromptFile {
  const faults: Fault[] = [];
  const split = splitFrontMatter(file, faults);
  const frontMatter = readFrontMatter(file, split, faults);
  const source = { file, text: split.template, start: split.templateStart };
  const template = parseTemplate(source, limits.maxMustaches);
  faults.push(...template.faults);
  if (split.template.trim() === '' && faults.length === 0) {
    faults.push(
      faultAt(file, split.templateStart, 'has no template: write the prompt below the front matter'),
    );
  }
  return { file, frontMatter, template, faults };
}

export interface VersionSources {
  readonly prompt: string;
  readonly version: string;
  readonly hash: string;
  readonly parsed: ParsedPromptFile;
  /** Every partial the prompt can see, by name. */
  readonly partials: ReadonlyMap<string, ParsedTemplate>;
}

/** Compiles schemas and template once; what comes back renders without reading anything again. */
export function compileVersion(
  sources: VersionSources,
  limits: PromptLimits,
  schemas: SchemaCompiler,
): VersionCompilation {
  const { parsed, prompt, version } = sources;
  const { frontMatter, file } = parsed;
  const faults: Fault[] = [...parsed.faults];
  const report = (keys: readonly (string | number)[], message: string): void => {
    faults.push(faultAt(file, frontMatter.locate(keys), message));
  };
  const validateInput = compileSchema(frontMatter.inputSchema, ['input', 'schema'], schemas, report);
  const validateOutput = compileSchema(frontMatter.outputSchema, ['output', 'schema'], schemas, report);
  checkDefaults(frontMatter, schemas, report);
  const checkOutput = createOutputCheck(frontMatter.outputFormat, validateOutput);
  for (const [index, line] of frontMatter.fallbackLines.entries()) {
    const check = checkOutput(line);
    for (const fault of check.ok ? [] : check.faults) {
      report(
        ['gateway.fallback', index],
        `fallback line ${index + 1} does not fit output.schema: ${fault.path}: ${fault.message}`,
      );
    }
  }
  const rootShape = shapeOfSchema(frontMatter.inputSchema);
  const compilation: Compilation = {
    prompt,
    version,
    partials: sources.partials,
    used: { root: rootShape, names: new Set(), whole: false },
    faults: new Map(),
    expressions: 0,
    maxExpressions: limits.maxMustaches * EXPANSION_FACTOR,
  };
  const scope = { shape: rootShape, path: '', parent: null, loops: 0, params: [] };
  const emit = compileTemplate(parsed.template, scope, compilation);
  faults.push(...compilation.faults.values());
  const warnings = faults.length > 0 ? [] : findUnused(parsed, compilation);
  const contract = createInputContract({
    prompt,
    version,
    schema: frontMatter.inputSchema,
    validate: validateInput,
    defaults: deepFreeze(frontMatter.inputDefaults),
  });
  if (faults.length > 0) return { version: null, faults, warnings, frontMatter, file };
  return {
    version: {
      prompt,
      version,
      hash: sources.hash,
      file: file.path,
      description: frontMatter.description,
      model: frontMatter.model,
      parameters: deepFreeze(frontMatter.parameters),
      inputSchema: deepFreeze(frontMatter.inputSchema),
      inputDefaults: deepFreeze(frontMatter.inputDefaults),
      outputFormat: frontMatter.outputFormat,
      outputSchema: deepFreeze(frontMatter.outputSchema),
      fallbackLines: deepFreeze(frontMatter.fallbackLines),
      source: file.text,
      render: (input) => {
        const { data, variables } = contract.prepare(input);
        return { messages: renderMessages(emit, data, input, limits, { prompt, version }), variables };
      },
      checkOutput,
    },
    faults: [],
    warnings,
    frontMatter,
    file,
  };
}

function renderMessages(
  emit: Emit,
  data: Readonly<Record<string, unknown>>,
  input: RenderInput,
  limits: PromptLimits,
  name: { readonly prompt: string; readonly version: string },
): ReturnType<MessageOutput['finish']> {
  const output = new MessageOutput(input.history, limits.maxOutputBytes);
  let boundary: string | null = null;
  emit(
    { context: data, parent: null, loop: null, params: [] },
    {
      root: data,
      output,
      steps: 0,
      maxSteps: limits.maxLoopSteps,
      madeUnits: 0,
      maxMadeUnits: limits.maxOutputBytes * MADE_TEXT_FACTOR,
      boundary: () => {
        boundary ??= drawBoundary(input.random);
        return boundary;
      },
    },
  );
  const messages = output.finish();
  if (messages.length === 0) throw renderNothing(name.prompt, name.version);
  return messages;
}

type Report = (keys: readonly (string | number)[], message: string) => void;

function compileSchema(
  schema: JsonSchema | null,
  keys: readonly string[],
  schemas: SchemaCompiler,
  report: Report,
): SchemaValidator | null {
  if (schema === null) return null;
  const compiled = schemas.compile(schema);
  if (compiled.ok) return compiled.validate;
  report(keys, `${keys.join('.')} is not valid JSON Schema: ${compiled.message}`);
  return null;
}

/** A default that its own schema refuses would fail every call that relies on it. */
function checkDefaults(frontMatter: FrontMatter, schemas: SchemaCompiler, report: Report): void {
  const schema = frontMatter.inputSchema;
  if (schema === null) return;
  const shape = shapeOfSchema(schema);
  for (const name of Object.keys(frontMatter.inputDefaults)) {
    if (lookUp(shape, name) !== null) continue;
    const near = nearestName(name, keysOf(shape));
    report(
      ['input', 'default', name],
      `input.default sets "${name}", which input.schema does not declare${didYouMean(near)}`,
    );
  }
  if (Object.keys(frontMatter.inputDefaults).length === 0) return;
  const compiled = schemas.compile(withoutRequired(schema));
  if (!compiled.ok) return;
  const known = Object.entries(frontMatter.inputDefaults).filter(([name]) => lookUp(shape, name) !== null);
  for (const fault of compiled.validate(Object.fromEntries(known), joinKeys)) {
    const keys = fault.path.split(/[.[\]]+/).filter((key) => key !== '');
    report(
      ['input', 'default', ...keys],
      `input.default does not fit input.schema: ${fault.path}: ${fault.message}`,
    );
  }
}

/** Defaults need not be complete: the top level and the profile, which is merged key by key, may lack names. */
function withoutRequired(schema: JsonSchema): JsonSchema {
  const { required: _required, ...rest } = schema;
  const properties = rest['properties'];
  if (typeof properties !== 'object' || properties === null) return rest;
  const profile: unknown = Reflect.get(properties, 'profile');
  if (typeof profile !== 'object' || profile === null) return rest;
  const { required: _profileRequired, ...profileRest } = profile as Readonly<Record<string, unknown>>;
  return { ...rest, properties: { ...properties, profile: profileRest } };
}

function findUnused(parsed: ParsedPromptFile, compilation: Compilation): Fault[] {
  const { used } = compilation;
  if (used.whole) return [];
  const reserved: readonly string[] = RESERVED_VARIABLES;
  return keysOf(used.root)
    .filter((name) => !used.names.has(name) && !reserved.includes(name))
    .map((name) => {
      const position = parsed.frontMatter.locateVariable(name);
      return faultAt(
        parsed.file,
        position,
        `declares "${name}", which the template does not use: use it or remove it`,
      );
    });
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
