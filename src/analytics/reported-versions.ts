import type { RewardSums, VersionTotals } from './report-reader.ts';
import { compareVersionNames } from './version-order.ts';
import type { ReportedVersion } from './version-report-row.ts';

const NO_REWARDS: RewardSums = { n: 0, sum: 0, sumOfSquares: 0 };

/**
 * Every version of the registry, with or without traffic, and every version with traffic, with or without the registry;
 * in natural order of the names, v2 before v10.
 */
export function reportedVersions(
  registered: readonly { readonly version: string; readonly retired: boolean }[],
  totals: readonly VersionTotals[],
): readonly ReportedVersion[] {
  const totalsByVersion = new Map(totals.map((own) => [own.promptVersion, own]));
  const registeredNames = new Set(registered.map(({ version }) => version));
  const known = registered.map(({ version, retired }) => ({
    promptVersion: version,
    known: true,
    retired,
    totals: totalsByVersion.get(version) ?? noTraffic(version),
  }));
  const unknown = totals
    .filter(({ promptVersion }) => !registeredNames.has(promptVersion))
    .map((own) => ({ promptVersion: own.promptVersion, known: false, retired: false, totals: own }));
  return [...known, ...unknown].sort((a, b) => compareVersionNames(a.promptVersion, b.promptVersion));
}

function noTraffic(promptVersion: string): VersionTotals {
  return {
    promptVersion,
    generations: 0,
    delivered: 0,
    errors: 0,
    clientClosed: 0,
    degraded: 0,
    fallbacks: 0,
    forced: 0,
    inputTokens: 0,
    outputTokens: 0,
    costNanoUsd: 0,
    costKnown: 0,
    sources: { body: 0, env: 0, default: 0 },
    hashes: [],
    latency: [],
    outcomes: NO_REWARDS,
    closedOutcomes: NO_REWARDS,
    closedDelivered: 0,
  };
}
