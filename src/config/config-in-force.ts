import { canonicalJson, type Fault } from '../kernel/index.ts';
import { crossCheck } from './cross-checks.ts';
import { formatJsonPath, type JsonPath } from './json-document.ts';
import { configHash, type LoadedConfig } from './load-config.ts';
import type { GatewayConfig } from './schema.ts';

/** Sections that a reload brings into force. Everything else is read at the start: connections, files and limits hang on it. */
export const LIVE_SECTIONS: readonly string[] = ['experiments', 'policies', 'shadow', 'rollout_gates'];

/** Read at the start alone, and no reason to restart: the first value of a label counts until it is moved. */
const SEED_SECTION = 'labels';

const TAKEN_SECTIONS: ReadonlySet<string> = new Set([...LIVE_SECTIONS, SEED_SECTION]);

/** What would be in force: the live sections of the file as it is now, all others as they were at the start. */
export function configInForce(current: LoadedConfig, file: LoadedConfig): LoadedConfig {
  const fileConfig = withLiveSections(current.fileConfig, file.fileConfig);
  return Object.freeze({
    ...current,
    config: Object.freeze(withLiveSections(current.config, file.config)),
    fileConfig,
    hash: configHash(fileConfig),
    fileStamp: file.fileStamp,
    warnings: file.warnings,
    origins: file.origins,
  });
}

/** Live sections in which two configurations differ. */
export function changedSections(next: LoadedConfig, current: LoadedConfig): readonly string[] {
  return LIVE_SECTIONS.filter((section) => !isEqual(section, next, current));
}

/** Values of the file, as formatted paths, that differ from those in force and stay so until a restart. */
export function needsRestart(file: LoadedConfig, inForce: LoadedConfig): readonly string[] {
  const paths = differences(inForce.config, file.config, [])
    .filter(([section]) => section !== '$schema' && !TAKEN_SECTIONS.has(String(section)))
    .map(formatJsonPath);
  // The first metric is the default of prompts that name none.
  const isReordered = firstMetric(inForce) !== firstMetric(file);
  return isReordered && paths.every((path) => !path.startsWith('metrics')) ? [...paths, 'metrics'] : paths;
}

/** Warnings of the file that were not there before; the others have been told. */
export function newWarnings(next: LoadedConfig, current: LoadedConfig): readonly Fault[] {
  const told = new Set(current.warnings.map(({ message }) => message));
  return next.warnings.filter(({ message }) => !told.has(message));
}

/** First values of labels that were added or changed: a running gateway does not read them. */
export function unreadSeeds(next: LoadedConfig, current: LoadedConfig): readonly Fault[] {
  return differences(current.config.labels, next.config.labels, [SEED_SECTION])
    .filter((path) => settingAt(next.config, path) !== undefined)
    .map((path) => ({
      path: formatJsonPath(path),
      message: 'first values of labels are read at the start: move the label to change it now (labels.md)',
    }));
}

/**
 * Live sections that refer to what only a restart brings. The file itself is sound: every fault here is one of the mixture.
 */
export function mixtureFaults(inForce: LoadedConfig, restartPaths: readonly string[]): readonly Fault[] {
  const { config } = inForce;
  return crossCheck({ config, raw: config })
    .filter(({ path: [section] }) => TAKEN_SECTIONS.has(String(section)))
    .map(({ path, message }) => ({
      path: formatJsonPath(path),
      message: `${message}. The file declares what is missing, but a restart has to bring it into force: ${restartPaths.join(', ')}`,
    }));
}

function withLiveSections(base: GatewayConfig, taken: GatewayConfig): GatewayConfig {
  const kept = Object.entries(base).filter(([section]) => !TAKEN_SECTIONS.has(section));
  const live = Object.entries(taken).filter(([section]) => TAKEN_SECTIONS.has(section));
  // Every section keeps the type it has in the schema.
  return Object.fromEntries([...kept, ...live]) as GatewayConfig;
}

function firstMetric({ config }: LoadedConfig): string | undefined {
  return Object.keys(config.metrics)[0];
}

/** As written: the order of arms means something, so another order is another section. */
function isEqual(section: string, next: LoadedConfig, current: LoadedConfig): boolean {
  return (
    JSON.stringify(settingAt(next.config, [section])) === JSON.stringify(settingAt(current.config, [section]))
  );
}

/** Shortest paths below which the two differ; lists are compared whole. */
function differences(before: unknown, after: unknown, path: JsonPath): readonly JsonPath[] {
  if (isGroup(before) && isGroup(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) => differences(before[key], after[key], [...path, key]));
  }
  if (before === undefined || after === undefined) return before === after ? [] : [path];
  return canonicalJson(before) === canonicalJson(after) ? [] : [path];
}

function settingAt(config: GatewayConfig, path: JsonPath): unknown {
  let value: unknown = config;
  for (const step of path) value = isGroup(value) ? value[String(step)] : undefined;
  return value;
}

function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
