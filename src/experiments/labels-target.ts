import { AppError, listNames, nearestName } from '../kernel/index.ts';
import type { PromptRegistry } from '../prompts/index.ts';
import type { LabelTarget } from './label-types.ts';

export interface KnownTargets {
  readonly registry: () => PromptRegistry;
  readonly experiments: (prompt: string) => readonly string[];
}

const LABEL_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
/** People would take it for the newest version, which nothing here ever means. */
const RESERVED_NAME = 'latest';

/** What is wrong with a label's name; null when nothing is. */
export function nameFault(label: string): string | null {
  if (label === RESERVED_NAME) return `"${RESERVED_NAME}" is reserved: a label points to what somebody chose`;
  if (LABEL_NAME.test(label)) return null;
  if (label.startsWith('@')) return 'is written without the @ here; only a call writes it with one';
  return 'has 1 to 64 of a-z 0-9 . _ - and starts with a letter or digit';
}

/**
 * Content hash of what a label shall point to; null for an experiment. Fails with `prompt_not_found`,
 * `version_not_found`, `version_retired` and `experiment_not_found`, each listing the known ones.
 */
export function targetHash(known: KnownTargets, prompt: string, to: LabelTarget): string | null {
  if (to.kind === 'experiment') {
    requireExperiment(known.experiments(prompt), prompt, to.experiment);
    return null;
  }
  const { versions } = known.registry().family(prompt);
  const inUse = versions.filter(({ retired }) => !retired).map(({ version }) => version);
  const found = versions.find(({ version }) => version === to.version);
  if (found === undefined) {
    throw new AppError(
      'version_not_found',
      `prompt "${prompt}" has no version "${to.version}"${didYouMean(to.version, inUse)}; known: ${listNames(inUse)}`,
      { details: { prompt, prompt_version: to.version, known: inUse } },
    );
  }
  if (found.retired) {
    throw new AppError(
      'version_retired',
      `prompt "${prompt}" version "${to.version}" is retired; versions in use: ${listNames(inUse)}`,
      { details: { prompt, prompt_version: to.version, known: inUse } },
    );
  }
  return found.hash;
}

/** `version v2`, `experiment tone`. */
export function describeTarget(target: LabelTarget): string {
  return target.kind === 'version' ? `version ${target.version}` : `experiment ${target.experiment}`;
}

function requireExperiment(names: readonly string[], prompt: string, experiment: string): void {
  if (names.includes(experiment)) return;
  throw new AppError(
    'experiment_not_found',
    `prompt "${prompt}" has no experiment "${experiment}"${didYouMean(experiment, names)}; known: ${listNames(names)}`,
    { details: { prompt, experiment, known: names } },
  );
}

function didYouMean(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return nearest === null ? '' : ` (did you mean "${nearest}"?)`;
}
