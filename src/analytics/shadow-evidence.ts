import { hourOf } from '../kernel/index.ts';
import type { PromptRegistry } from '../prompts/index.ts';
import { costRatio, latencyRatio } from './shadow-comparison.ts';
import type { ShadowReader, ShadowSeriesTotals } from './shadow-reader.ts';
import { addedSums } from './shadow-sums.ts';

/** Which shadow runs speak for a change: of one prompt's version, or of one definition of a scoring policy. */
export interface ShadowEvidenceQuery {
  /** Null: shadow runs of `/score`. */
  readonly prompt: string | null;
  /** The candidate version; null: every version of the prompt. */
  readonly version: string | null;
  /** Content hash of the candidate policy's definition. */
  readonly policyDefinition?: string;
  /** Runs that began at or after this, epoch milliseconds; counted in whole hours, an hour begun counts whole. */
  readonly sinceMs: number;
}

export interface ShadowTotals {
  readonly runs: number;
  /** Runs whose shadow call failed, and those whose live call did. */
  readonly errors: number;
  readonly liveErrors: number;
  /** Answered, but not as `output.schema` asks. Part of the errors where the answer could not be served. */
  readonly schemaFailures: number;
  readonly liveSchemaFailures: number;
  /** Geometric mean of shadow over live latency, over pairs that both answered; null without one. */
  readonly latencyRatio: number | null;
  /** Cost of the shadow calls over that of their live calls, over pairs with both known; null without one. */
  readonly costRatio: number | null;
}

/** What shadow runs say about a candidate, for whoever decides whether it may go live. */
export interface ShadowEvidence {
  totals(query: ShadowEvidenceQuery): Promise<ShadowTotals>;
}

/**
 * Counts runs that changed nothing but the version (or the policy): a version that was tried on another route says
 * nothing about the route it would go live on. Runs of another text of the same version do not count either.
 */
export function createShadowEvidence(options: {
  readonly reader: Pick<ShadowReader, 'shadowTotals'>;
  readonly prompts: () => PromptRegistry;
}): ShadowEvidence {
  return {
    totals: async (query) => {
      const totals = await options.reader.shadowTotals({
        rule: null,
        prompt: query.prompt ?? '',
        fromMs: hourOf(query.sinceMs),
      });
      const registry = options.prompts();
      const sums = addedSums(totals.filter((series) => speaksFor(series, query, registry)));
      return {
        runs: sums.runs,
        errors: sums.shadowFailed,
        liveErrors: sums.liveFailed,
        schemaFailures: sums.shadowSchemaFailed,
        liveSchemaFailures: sums.liveSchemaFailed,
        latencyRatio: latencyRatio(sums)?.value ?? null,
        costRatio: costRatio(sums),
      };
    },
  };
}

function speaksFor(
  series: ShadowSeriesTotals,
  { prompt, version, policyDefinition }: ShadowEvidenceQuery,
  registry: PromptRegistry,
): boolean {
  if (prompt === null) {
    return series.changes === 'policy' && series.shadowVersion === (policyDefinition ?? series.shadowVersion);
  }
  if (series.changes !== 'version' || series.shadowVersion !== (version ?? series.shadowVersion))
    return false;
  const family = registry.prompts.find(({ name }) => name === prompt);
  const current = family?.versions.find((candidate) => candidate.version === series.shadowVersion);
  return current?.hash === series.shadowHash;
}
