import { AppError, listNames, nearestName } from '../kernel/index.ts';
import type { VersionSource } from '../ledger/index.ts';
import type { PromptFamily, PromptVersion } from '../prompts/index.ts';

/** Who asked for a version, for the message that refuses it. */
export interface VersionWish {
  readonly version: string;
  readonly source: VersionSource;
  /** `label "@live"`, `arm "warm" of experiment "tone"`; null when the version was named itself. */
  readonly through: string | null;
}

/**
 * The version asked for, never another one. Fails with `version_not_found` listing the known ones, and with
 * `version_retired` for a version that is no longer selectable.
 */
export function namedVersion(family: PromptFamily, wish: VersionWish): PromptVersion {
  const { source, through } = wish;
  const known = selectableNames(family);
  const found = family.versions.find((candidate) => candidate.version === wish.version);
  const origin = `${through === null ? '' : `, which ${through} points to`}${originOf(source)}`;
  const details = { prompt: family.name, prompt_version: wish.version, version_source: source, known };
  if (found === undefined) {
    const nearest = nearestName(wish.version, known);
    const hint = nearest === null ? '' : ` (did you mean "${nearest}"?)`;
    throw new AppError(
      'version_not_found',
      `prompt "${family.name}" has no version "${wish.version}"${origin}${hint}; known: ${listNames(known)}`,
      { details },
    );
  }
  if (found.retired) {
    throw new AppError(
      'version_retired',
      `prompt "${family.name}" version "${wish.version}" is retired${origin}; versions in use: ${listNames(known)}`,
      { details },
    );
  }
  return found;
}

export function selectableNames(family: PromptFamily): readonly string[] {
  return family.versions.filter((version) => !version.retired).map((version) => version.version);
}

export function originOf(source: VersionSource): string {
  if (source === 'env') return ', which DEFAULT_PROMPT_VERSION asks for';
  if (source === 'default') return ', the default when neither body nor DEFAULT_PROMPT_VERSION names one';
  return '';
}
