import type { DefaultPromptVersion } from '../config/index.ts';
import { AppError, type Fault, listNames, nearestName } from '../kernel/index.ts';
import type { VersionSource } from '../ledger/index.ts';
import type { PromptRegistry, PromptVersion } from '../prompts/index.ts';

/** What a call without any wish gets. */
const LAST_RESORT_VERSION = 'v1';

export interface Selection {
  readonly version: PromptVersion;
  readonly source: VersionSource;
  /** The label that led to the version; null when a version was named. */
  readonly label: string | null;
  readonly experiment: string | null;
  readonly arm: string | null;
  readonly propensity: number | null;
}

export interface SelectionRequest {
  readonly prompt: string;
  /** `prompt_version` of the body; null when it names none. */
  readonly bodyValue: string | null;
  readonly environment: DefaultPromptVersion;
}

/**
 * Picks the version by precedence: body, then `DEFAULT_PROMPT_VERSION`, then `v1`. Never substitutes another version:
 * fails with `prompt_not_found`, `version_not_found` or `label_not_found` listing the known ones, and with
 * `version_retired` for a version that is no longer selectable.
 */
export function selectVersion(registry: PromptRegistry, request: SelectionRequest): Selection {
  const { value, source } = wishOf(request);
  const family = registry.family(request.prompt);
  if (value.startsWith('@')) {
    throw new AppError(
      'label_not_found',
      `prompt "${request.prompt}" has no label "${value}"${originOf(source)}; labels: (none). Name a version instead: ${listNames(selectable(family.versions))}`,
      { details: { prompt: request.prompt, label: value, known: [] } },
    );
  }
  const version = family.versions.find((candidate) => candidate.version === value);
  if (version === undefined) throw unknownVersion(request.prompt, value, source, selectable(family.versions));
  if (version.retired) {
    throw new AppError(
      'version_retired',
      `prompt "${request.prompt}" version "${value}" is retired${originOf(source)}; versions in use: ${listNames(selectable(family.versions))}`,
      { details: { prompt: request.prompt, prompt_version: value, known: selectable(family.versions) } },
    );
  }
  return { version, source, label: null, experiment: null, arm: null, propensity: null };
}

/** Prompts that the default in force would refuse, for a warning at start and after a reload. */
export function defaultVersionWarnings(
  registry: PromptRegistry,
  environment: DefaultPromptVersion,
): readonly Fault[] {
  const warnings: Fault[] = [];
  for (const name of environment.byPrompt.keys()) {
    if (registry.prompts.some((family) => family.name === name)) continue;
    warnings.push({
      path: 'DEFAULT_PROMPT_VERSION',
      message: `names prompt "${name}", which does not exist; known: ${listNames(registry.prompts.map((family) => family.name))}`,
    });
  }
  for (const family of registry.prompts) {
    try {
      selectVersion(registry, { prompt: family.name, bodyValue: null, environment });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      warnings.push({ path: `prompts/${family.name}`, message: error.message });
    }
  }
  return warnings;
}

function wishOf(request: SelectionRequest): { readonly value: string; readonly source: VersionSource } {
  if (request.bodyValue !== null) return { value: request.bodyValue, source: 'body' };
  const fromEnvironment = request.environment.byPrompt.get(request.prompt) ?? request.environment.everywhere;
  if (fromEnvironment !== null) return { value: fromEnvironment, source: 'env' };
  return { value: LAST_RESORT_VERSION, source: 'default' };
}

function unknownVersion(
  prompt: string,
  value: string,
  source: VersionSource,
  known: readonly string[],
): AppError {
  const nearest = nearestName(value, known);
  const hint = nearest === null ? '' : ` (did you mean "${nearest}"?)`;
  return new AppError(
    'version_not_found',
    `prompt "${prompt}" has no version "${value}"${originOf(source)}${hint}; known: ${listNames(known)}`,
    { details: { prompt, prompt_version: value, version_source: source, known } },
  );
}

function originOf(source: VersionSource): string {
  if (source === 'env') return ', which DEFAULT_PROMPT_VERSION asks for';
  if (source === 'default') return ', the default when neither body nor DEFAULT_PROMPT_VERSION names one';
  return '';
}

function selectable(versions: readonly PromptVersion[]): readonly string[] {
  return versions.filter((version) => !version.retired).map((version) => version.version);
}
