import type { DefaultPromptVersion } from '../config/index.ts';
import { AppError, listNames, nearestName } from '../kernel/index.ts';
import type { VersionSource } from '../ledger/index.ts';
import type { PromptFamily, PromptVersion } from '../prompts/index.ts';
import type { Experiment } from './experiment-types.ts';
import type { LabelView } from './label-types.ts';
import { namedVersion, originOf, selectableNames } from './named-version.ts';

/** What a call without any wish gets. */
const LAST_RESORT_VERSION = 'v1';

export interface WishParts {
  readonly labels: LabelView;
  /** Those in force. */
  readonly experiments: () => readonly Experiment[];
}

/** What a value leads to: a version, or an experiment that will assign one. */
export type ResolvedWish = { readonly source: VersionSource; readonly label: string | null } & (
  | { readonly kind: 'version'; readonly version: PromptVersion }
  | { readonly kind: 'experiment'; readonly experiment: Experiment }
);

/**
 * Precedence: body, then `DEFAULT_PROMPT_VERSION`, then `v1`. Fails with the codes of `namedVersion`, with
 * `label_not_found` listing the known labels, and with `experiment_not_found` for a label that points to an experiment
 * which is not configured (any more).
 */
export function resolveWish(
  family: PromptFamily,
  request: { readonly bodyValue: string | null; readonly environment: DefaultPromptVersion },
  parts: WishParts,
): ResolvedWish {
  const { value, source } = wishOf(family.name, request);
  if (!value.startsWith('@')) {
    const version = namedVersion(family, { version: value, source, through: null });
    return { kind: 'version', version, source, label: null };
  }
  const label = value.slice(1);
  const event = parts.labels.find(family.name, label);
  if (event === null) throw unknownLabel(family, label, source, parts.labels.names(family.name));
  if (event.to.kind === 'version') {
    const through = `label "@${label}"`;
    const version = namedVersion(family, { version: event.to.version, source, through });
    return { kind: 'version', version, source, label };
  }
  const name = event.to.experiment;
  const experiments = parts.experiments();
  const experiment = experiments.find(
    (candidate) => candidate.name === name && candidate.prompt === family.name,
  );
  if (experiment !== undefined) return { kind: 'experiment', experiment, source, label };
  const known = experiments.filter(({ prompt }) => prompt === family.name).map((known) => known.name);
  throw new AppError(
    'experiment_not_found',
    `label "@${label}" of prompt "${family.name}" points to experiment "${name}", which is not configured${originOf(source)}; move the label, or put the experiment back. Known: ${listNames(known)}`,
    { details: { prompt: family.name, label: `@${label}`, experiment: name, known } },
  );
}

/** What a call asks for, and who says so. */
export function wishOf(
  prompt: string,
  {
    bodyValue,
    environment,
  }: { readonly bodyValue: string | null; readonly environment: DefaultPromptVersion },
): { readonly value: string; readonly source: VersionSource } {
  if (bodyValue !== null) return { value: bodyValue, source: 'body' };
  const fromEnvironment = environment.byPrompt.get(prompt) ?? environment.everywhere;
  if (fromEnvironment !== null) return { value: fromEnvironment, source: 'env' };
  return { value: LAST_RESORT_VERSION, source: 'default' };
}

function unknownLabel(
  family: PromptFamily,
  label: string,
  source: VersionSource,
  labels: readonly string[],
): AppError {
  const known = labels.map((name) => `@${name}`);
  const nearest = nearestName(`@${label}`, known);
  const hint = nearest === null ? '' : ` (did you mean "${nearest}"?)`;
  return new AppError(
    'label_not_found',
    `prompt "${family.name}" has no label "@${label}"${originOf(source)}${hint}; labels: ${listNames(known)}. Versions: ${listNames(selectableNames(family))}`,
    { details: { prompt: family.name, label: `@${label}`, known } },
  );
}
