import type { LabelTarget, OverviewPrompt } from '../api/wire-types.ts';

/** Where a label points, in words: `v1`, `experiment tone`. */
export function targetText(target: LabelTarget): string {
  return 'version' in target ? target.version : `experiment ${target.experiment}`;
}

/** What callers get that name no version. */
export function servedText({ reference, version, experiment, problem }: OverviewPrompt['serves']): string {
  if (problem !== null) return 'nothing: such a call fails';
  const chosen = experiment === null ? (version ?? reference) : `experiment ${experiment}`;
  return reference === chosen ? chosen : `${chosen} by ${reference}`;
}
