import type { VersionReport, VersionReportRow } from '../api/wire-types.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { formatCompact, formatCount, formatDurationMs, formatShare, formatUsd, UNKNOWN } from '../format.ts';

const COLUMNS: readonly Column<VersionReportRow>[] = [
  { key: 'version', title: 'Version', isHeading: true, cell: ({ prompt_version }) => prompt_version },
  { key: 'calls', title: 'Calls', isNumber: true, cell: ({ generations }) => formatCount(generations) },
  {
    key: 'mature',
    title: 'Mature',
    hint: 'Calls whose reward is settled: what the mean averages over',
    isNumber: true,
    cell: ({ mature }) => formatCount(mature),
  },
  {
    key: 'pending',
    title: 'Pending',
    hint: 'Calls whose reward may still come',
    isNumber: true,
    cell: ({ pending }) => formatCount(pending),
  },
  { key: 'cost', title: 'Cost', isNumber: true, cell: ({ cost_usd }) => formatUsd(cost_usd) },
  {
    key: 'call-cost',
    title: 'Cost per call',
    isNumber: true,
    cell: ({ mean_cost_usd }) => formatUsd(mean_cost_usd),
  },
  {
    key: 'reward-cost',
    title: 'Cost per reward',
    hint: 'Mean cost of a call over its mean reward',
    isNumber: true,
    cell: ({ cost_per_reward_usd }) => formatUsd(cost_per_reward_usd),
  },
  {
    key: 'latency',
    title: 'Latency p50 · p95',
    isNumber: true,
    cell: ({ latency_ms: { p50, p95 } }) => `${formatDurationMs(p50)} · ${formatDurationMs(p95)}`,
  },
  {
    key: 'tokens',
    title: 'Tokens in · out',
    hint: 'Of all calls whose tokens are known',
    isNumber: true,
    cell: ({ input_tokens, output_tokens }) =>
      input_tokens === null && output_tokens === null
        ? UNKNOWN
        : `${formatCompact(input_tokens)} · ${formatCompact(output_tokens)}`,
  },
  { key: 'errors', title: 'Errors', isNumber: true, cell: ({ error_share }) => formatShare(error_share) },
  {
    key: 'degraded',
    title: 'Authored lines',
    hint: 'Answers with the prompt’s own lines, because no provider answered',
    isNumber: true,
    cell: ({ degraded_share }) => formatShare(degraded_share),
  },
];

/** What each version did and cost. */
export function VersionTable({ report }: { readonly report: VersionReport }) {
  return (
    <DataTable
      caption="Calls, cost and speed of each version"
      columns={COLUMNS}
      rows={report.versions}
      rowKey={({ prompt_version }) => prompt_version}
    />
  );
}
