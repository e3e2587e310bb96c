import type { VersionReport } from '../api/wire-types.ts';
import { formatUsd } from '../format.ts';

/** What a reward costs with each version, in one sentence; null while no cost is known. */
export function costText({ versions }: Pick<VersionReport, 'versions'>): string | null {
  const parts = versions.flatMap(({ prompt_version, cost_per_reward_usd: cost }) =>
    cost === null ? [] : [`${formatUsd(cost)} with ${prompt_version}`],
  );
  return parts.length === 0 ? null : `A reward of 1 costs ${parts.join(', ')}.`;
}
