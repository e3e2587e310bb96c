import { readFileSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, relative, resolve } from 'node:path';

import { canonicalJson, errorMessage, type Fault, sha256Hex } from '../kernel/index.ts';
import { type ConfigFault, configInvalid } from './config-fault.ts';
import { applyOverrides, baseUrlFaults, type ConfigOrigin, overrideFaults } from './config-overrides.ts';
import {
  type CrossCheckFault,
  crossCheck,
  crossCheckWarnings,
  lowerDefaultsToBounds,
} from './cross-checks.ts';
import { databaseFileOf } from './database-url.ts';
import type { Environment } from './environment.ts';
import { formatJsonPath, type JsonDocument, type JsonPath, parseJsonDocument } from './json-document.ts';
import { configSchema, type GatewayConfig } from './schema.ts';
import { jsonSchemaOf, type PathFault, schemaFaults } from './schema-fault.ts';
import { withoutFaultyParts } from './without-faulty-parts.ts';

/** The file of a start that names none, in the working directory. */
const DEFAULT_FILE = 'gateway.config.json';
/** A configuration is written by people; more than this is another kind of file. */
const MAX_FILE_BYTES = 1_048_576;

export interface LoadConfigOptions {
  /** Default: `GATEWAY_CONFIG`, then `gateway.config.json` in the working directory. */
  readonly path?: string | undefined;
  readonly environment: Environment;
  /** Faults of the environment found before, to be reported together with those of the file. */
  readonly environmentFaults?: readonly ConfigFault[];
}

export interface LoadedConfig {
  /** In force: file, defaults and environment overrides. Deeply frozen. */
  readonly config: GatewayConfig;
  /** The same before environment overrides, without `$schema`: what `hash` is of. Deeply frozen. */
  readonly fileConfig: GatewayConfig;
  /**
   * `sha256:<64 hex>` over the canonical JSON of the file after defaults, without `$schema` and before environment
   * overrides: equal on every machine that runs the same file.
   */
  readonly hash: string;
  /** Absolute path of the file, and its folder: what relative paths in the file count from. */
  readonly file: string;
  readonly directory: string;
  /** The file as it was named: what the places of faults begin with. */
  readonly name: string;
  /** What the file looked like when it was read ({@link fileStampOf}). */
  readonly fileStamp: string;
  /** Absolute `prompts.directory`. */
  readonly promptsDirectory: string;
  /** Absolute path of the SQLite file of `ledger.database_url`. */
  readonly databaseFile: string;
  readonly warnings: readonly Fault[];
  /** Origin of the values that differ from the defaults, by formatted path (`server.port`). */
  readonly origins: ReadonlyMap<string, ConfigOrigin>;
}

/**
 * Reads, checks and freezes the configuration. Fails with `config_invalid`, all faults at once, each a
 * {@link ConfigFault} with JSON path, line and column.
 */
export function loadConfig(options: LoadConfigOptions): LoadedConfig {
  const name = options.path ?? options.environment.configPath ?? DEFAULT_FILE;
  const file = resolve(name);
  const faults: ConfigFault[] = [
    ...(options.environmentFaults ?? []),
    ...overrideFaults(options.environment),
  ];
  const { text, fileStamp } = readConfigText(name, file, faults);
  const parsed = parseJsonDocument(text);
  if (parsed.kind === 'malformed') {
    throw configInvalid(name, [
      ...faults,
      fileFault(name, { ...parsed.fault, message: `malformed JSON: ${parsed.fault.message}` }),
    ]);
  }
  const { document } = parsed;
  faults.push(...document.faults.map((fault) => fileFault(name, fault)));
  const checked = checkDocument(document, dirname(file), options.environment);
  faults.push(...checked.faults.map((fault) => locatedFault(name, document, fault)));
  if (checked.config !== null) faults.push(...baseUrlFaults(checked.config, options.environment));
  if (faults.length > 0 || checked.config === null) throw configInvalid(name, inReadingOrder(faults));

  const { config: fromFile } = checked;
  const directory = dirname(file);
  const { $schema: _hint, ...meaning } = fromFile;
  const { config, origins } = applyOverrides(fromFile, document.value, options.environment);
  config.network.ca_files = config.network.ca_files.map((path) => resolve(directory, path));
  return Object.freeze({
    config: deepFreeze(config),
    fileConfig: deepFreeze(meaning),
    hash: configHash(meaning),
    file,
    directory,
    name,
    fileStamp,
    promptsDirectory: resolve(directory, config.prompts.directory),
    databaseFile: databaseFileOf(config.ledger.database_url, directory) ?? '',
    warnings: crossCheckWarnings(config).map((fault) => locatedFault(name, document, fault)),
    origins,
  });
}

/** Of a configuration before environment overrides and without `$schema`. */
export function configHash(fileConfig: GatewayConfig): string {
  return `sha256:${sha256Hex(canonicalJson(fileConfig))}`;
}

interface CheckedDocument {
  readonly config: GatewayConfig | null;
  readonly faults: readonly PathFault[];
}

function checkDocument(document: JsonDocument, directory: string, environment: Environment): CheckedDocument {
  const raw = document.value;
  const result = configSchema.safeParse(raw);
  const issues = result.success ? [] : result.error.issues;
  const faults = issues.length === 0 ? [] : schemaFaults(issues, raw, jsonSchemaOf(configSchema));
  // Cross-checks run on what is sound, so that one round of corrections is enough.
  const config = result.success ? result.data : withoutFaultyParts(raw, issues);
  if (config === null) return { config: null, faults };
  lowerDefaultsToBounds({ config, raw });
  const isMoot = (fault: CrossCheckFault): boolean =>
    fault.basedOn.some((path) =>
      faults.some((known) => startsWith(path, known.path) || startsWith(known.path, path)),
    );
  const crossFaults = [...crossCheck({ config, raw }), ...surroundingFaults(config, directory, environment)];
  return { config, faults: [...faults, ...crossFaults.filter((fault) => !isMoot(fault))] };
}

/** References to what lies outside the file: certificate files and required variables. */
function surroundingFaults(
  config: GatewayConfig,
  directory: string,
  environment: Environment,
): readonly CrossCheckFault[] {
  const faults: CrossCheckFault[] = [];
  for (const [index, path] of config.network.ca_files.entries()) {
    const place = ['network', 'ca_files', index];
    const file = resolve(directory, path);
    if (statSync(file, { throwIfNoEntry: false })?.isFile() === true) continue;
    faults.push({ path: place, message: `there is no file ${file}`, basedOn: [place] });
  }
  const keyVariable = config.ledger.unit_hash_key_env;
  if (keyVariable !== undefined && environment.secret(keyVariable) === null) {
    const place = ['ledger', 'unit_hash_key_env'];
    const message = `${keyVariable} is not set: with another key every user would count as a new one`;
    faults.push({ path: place, message, basedOn: [place] });
  }
  return faults;
}

function readConfigText(
  name: string,
  file: string,
  faults: readonly ConfigFault[],
): { readonly text: string; readonly fileStamp: string } {
  const refuse = (message: string): Error =>
    configInvalid(name, [
      ...faults,
      { path: name, message, jsonPath: null, line: null, column: null, variable: null },
    ]);
  let size: number;
  try {
    // Before the content: a change in between is seen as one by whoever watches the file.
    const stats = statSync(file);
    size = stats.size;
    if (size <= MAX_FILE_BYTES) return { text: readFileSync(file, 'utf8'), fileStamp: fileStampOf(stats) };
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw refuse(`cannot be read: ${errorMessage(error)}`);
    throw refuse(
      `there is no such file (${shortPath(file)}). Name another one with GATEWAY_CONFIG or --config, start in the folder ` +
        'that holds gateway.config.json, or write one that begins like this: { "providers": { "offline": ' +
        '{ "kind": "offline" } }, "routes": { "default": { "targets": [{ "provider": "offline" }] } } }',
    );
  }
  throw refuse(`has ${size} bytes: at most ${MAX_FILE_BYTES} are read`);
}

/** Differs as soon as a file was written or replaced. */
export function fileStampOf({ size, mtimeMs, ino }: Pick<Stats, 'size' | 'mtimeMs' | 'ino'>): string {
  return `${size} ${mtimeMs} ${ino}`;
}

function systemErrorCode(error: unknown): unknown {
  return error !== null && typeof error === 'object' && 'code' in error ? error.code : null;
}

function shortPath(file: string): string {
  const local = relative(process.cwd(), file);
  return local === basename(file) ? `in ${process.cwd()}` : file;
}

function locatedFault(name: string, document: JsonDocument, fault: PathFault): ConfigFault {
  return fileFault(name, { ...fault, ...document.locate(fault.path) });
}

function fileFault(
  name: string,
  fault: {
    readonly path: JsonPath;
    readonly message: string;
    readonly line: number;
    readonly column: number;
  },
): ConfigFault {
  const jsonPath = formatJsonPath(fault.path);
  return {
    path: `${name}:${fault.line}:${fault.column}`,
    message: jsonPath === '' ? fault.message : `${jsonPath}: ${fault.message}`,
    jsonPath,
    line: fault.line,
    column: fault.column,
    variable: null,
  };
}

/** The environment's faults first, then the file's from top to bottom. */
function inReadingOrder(faults: readonly ConfigFault[]): readonly ConfigFault[] {
  return faults.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}

function startsWith(path: JsonPath, prefix: JsonPath): boolean {
  return prefix.length > 0 && prefix.every((step, index) => path[index] === step);
}

function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
