import { AppError, type Clock, listNames, nearestName, usdFromNanoUsd } from '../kernel/index.ts';
import type { PromptRegistry } from '../prompts/index.ts';
import type { ShadowActivity, ShadowRule } from '../serving/index.ts';
import { latencyQuantileMs } from './latency-quantile.ts';
import {
  costComparison,
  errorShares,
  latencyRatio,
  SHADOW_ALPHA,
  schemaShares,
  shareOf,
  tokenComparison,
} from './shadow-comparison.ts';
import type { LatencyHistogram, ShadowReader, ShadowSeriesTotals } from './shadow-reader.ts';
import type { LatencyShown, ShadowReport, ShadowRuleSummary } from './shadow-report.ts';
import { shadowSummary } from './shadow-summary.ts';
import { addedSums } from './shadow-sums.ts';

export interface ShadowReportsOptions {
  readonly reader: ShadowReader;
  /** The rules in force at the time of the report. */
  readonly rules: () => readonly ShadowRule[];
  readonly activity: (rule: string) => ShadowActivity;
  readonly prompts: () => PromptRegistry;
  readonly clock: Clock;
}

export interface ShadowReports {
  /** Every configured rule, by name. Fails with the codes of the reader. */
  list(): Promise<readonly ShadowRuleSummary[]>;
  /**
   * What the shadow runs of a rule have shown, as it is defined now; may be read at any moment. Fails with
   * `shadow_not_found` naming the known ones, and with the codes of the reader.
   */
  shadowReport(name: string): Promise<ShadowReport>;
}

export function createShadowReports(options: ShadowReportsOptions): ShadowReports {
  const { reader, activity, clock } = options;

  /** Whether the runs were made by the rule as it is now, on the version's text as it is now. */
  const isCurrent = (rule: ShadowRule) => {
    const hash = candidateHash(rule, options.prompts());
    return (series: ShadowSeriesTotals): boolean =>
      series.ruleRevision === rule.revision && (hash === null || series.shadowHash === hash);
  };
  const summaryOf = (rule: ShadowRule, runs: number) => ruleSummary(rule, runs, activity(rule.name));

  return {
    list: async () => {
      const totals = await reader.shadowTotals({ rule: null, prompt: null, fromMs: 0 });
      return options
        .rules()
        .map((rule) => {
          const series = totals.filter((entry) => entry.rule === rule.name).filter(isCurrent(rule));
          return summaryOf(rule, addedSums(series).runs);
        })
        .sort((a, b) => (a.shadow < b.shadow ? -1 : 1));
    },

    shadowReport: async (name) => {
      const rule = findRule(options.rules(), name);
      const [totals, histograms] = await Promise.all([
        reader.shadowTotals({ rule: name, prompt: null, fromMs: 0 }),
        reader.shadowLatency({
          rule: name,
          ruleRevision: rule.revision,
          shadowHash: candidateHash(rule, options.prompts()),
        }),
      ]);
      const series = totals.filter(isCurrent(rule));
      const sums = addedSums(series);
      const summary = summaryOf(rule, sums.runs);
      const errors = errorShares(sums);
      const schemaFailures = schemaShares(sums);
      const ratio = latencyRatio(sums);
      const cost = costComparison(sums);
      const choices =
        sums.choicePairs === 0
          ? null
          : { pairs: sums.choicePairs, agreed: shareOf(sums.choicePairs, sums.choicesAgreed) };
      return {
        ...summary,
        generatedAt: new Date(clock.nowMs()).toISOString(),
        summary: shadowSummary({
          ...summary,
          errors,
          schemaFailures,
          latencyRatio: ratio,
          costRatio: cost.ratio,
          choices,
        }),
        earlierRuns: addedSums(totals).runs - sums.runs,
        confidence: 1 - SHADOW_ALPHA,
        errors,
        schemaFailures,
        degraded: {
          live: shareOrZero(sums.liveDegraded, sums.runs),
          shadow: shareOrZero(sums.shadowDegraded, sums.runs),
        },
        latency: {
          pairs: sums.latencyPairs,
          live: quantiles(histograms.live),
          shadow: quantiles(histograms.shadow),
          ratio,
        },
        cost,
        tokens: tokenComparison(sums),
        choices,
        versions: series.map(({ liveVersion, shadowVersion, shadowHash, runs }) => ({
          liveVersion,
          shadowVersion,
          shadowHash,
          runs,
        })),
      };
    },
  };
}

/** Content hash of the rule's candidate version as it is now; null where the rule names none. */
function candidateHash(rule: ShadowRule, registry: PromptRegistry): string | null {
  if (rule.kind === 'policy' || rule.version === null) return null;
  const family = registry.prompts.find(({ name }) => name === rule.prompt);
  return family?.versions.find(({ version }) => version === rule.version)?.hash ?? null;
}

function ruleSummary(rule: ShadowRule, runs: number, activity: ShadowActivity): ShadowRuleSummary {
  const isPrompt = rule.kind === 'prompt';
  return {
    shadow: rule.name,
    kind: rule.kind,
    revision: rule.revision,
    changes: rule.changes.split('+'),
    prompt: isPrompt ? rule.prompt : null,
    version: isPrompt ? rule.version : null,
    route: isPrompt ? rule.route : null,
    model: isPrompt ? rule.model : null,
    onlyVersion: isPrompt ? rule.onlyVersion : null,
    policy: isPrompt ? null : rule.policy,
    of: isPrompt ? null : rule.of,
    sample: rule.sample,
    runs,
    running: activity.running,
    queued: activity.queued,
    dropped: Object.entries(activity.dropped)
      .map(([reason, calls]) => ({ reason, calls: calls ?? 0 }))
      .sort((a, b) => b.calls - a.calls || (a.reason < b.reason ? -1 : 1)),
    budgetUsdPerDay: usdFromNanoUsd(rule.budgetNanoUsdPerDay) ?? 0,
    spentTodayUsd: usdFromNanoUsd(activity.spentTodayNanoUsd) ?? 0,
  };
}

function findRule(rules: readonly ShadowRule[], name: string): ShadowRule {
  const found = rules.find((rule) => rule.name === name);
  if (found !== undefined) return found;
  const known = rules.map((rule) => rule.name).sort();
  const near = nearestName(name, known);
  const hint = near === null ? '' : ` Did you mean ${near}?`;
  throw new AppError(
    'shadow_not_found',
    `There is no shadow rule ${JSON.stringify(name.slice(0, 80))}.${hint} Known shadow rules: ${listNames(known)}.`,
    { details: { known } },
  );
}

function quantiles(histogram: LatencyHistogram): LatencyShown {
  return { p50Ms: latencyQuantileMs(histogram, 0.5), p95Ms: latencyQuantileMs(histogram, 0.95) };
}

function shareOrZero(count: number, n: number): number {
  return n === 0 ? 0 : count / n;
}
