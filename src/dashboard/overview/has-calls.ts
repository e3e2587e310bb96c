import type { OverviewPrompt } from '../api/wire-types.ts';

/** Whether the prompt was ever called: without a call its numbers say nothing. */
export function hasCalls({ versions }: Pick<OverviewPrompt, 'versions'>): boolean {
  return versions.some(({ generations }) => generations > 0);
}
