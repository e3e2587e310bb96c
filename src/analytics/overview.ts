import type { Attention } from './attention.ts';
import type { OverviewPrompt } from './overview-prompt.ts';

/** The gateway at a glance. */
export interface Overview {
  /** ISO 8601. */
  readonly generatedAt: string;
  /** Worst first. */
  readonly attention: readonly Attention[];
  /** In the order of the registry. */
  readonly prompts: readonly OverviewPrompt[];
}
