import { type Column, DataTable } from '../components/data-table.tsx';
import { Stat, StatList } from '../components/stat.tsx';
import { formatCount, formatDurationMs, formatShare, formatUsd } from '../format.ts';
import { type TargetState, targetsOf, uptimeText } from './metrics-highlights.ts';
import type { MetricsView } from './metrics-text.ts';

interface MetricsPanelsProps {
  readonly metrics: MetricsView;
  readonly nowMs: number;
}

/** The few numbers of `/metrics` that tell how things go; the rest is for the operator's own tools. */
export function MetricsPanels({ metrics, nowMs }: MetricsPanelsProps) {
  return (
    <>
      <Ledger metrics={metrics} />
      <Calls metrics={metrics} />
      <Targets metrics={metrics} />
      <Process metrics={metrics} nowMs={nowMs} />
    </>
  );
}

function Ledger({ metrics }: { readonly metrics: MetricsView }) {
  const writes = metrics.sum('gateway_ledger_committed_writes_total');
  const commits = metrics.sum('gateway_ledger_commits_total');
  const perCommit = writes === null || !commits ? null : writes / commits;
  const unrecorded = metrics.sum('gateway_unrecorded_total');
  return (
    <section class="panel">
      <h2>Ledger</h2>
      <StatList>
        <Stat
          label="Takes writes"
          value={metrics.sum('gateway_ledger_writable') === 1 ? 'yes' : 'no'}
          note={
            unrecorded !== null && unrecorded > 0
              ? `${formatCount(unrecorded)} calls not recorded`
              : undefined
          }
        />
        <Stat label="Writes that wait" value={formatCount(metrics.sum('gateway_ledger_queued_writes'))} />
        <Stat
          label="Writes since the start"
          value={formatCount(writes)}
          note={perCommit === null ? undefined : `${perCommit.toFixed(1)} in each commit`}
        />
        <Stat
          label="Wait for a commit"
          value={secondsText(metrics.quantile('gateway_ledger_commit_duration_seconds', 0.5))}
          note={withinText(metrics.quantile('gateway_ledger_commit_duration_seconds', 0.95))}
        />
        <Stat
          label="Refused configurations"
          value={formatCount(metrics.sum('gateway_config_reloads_total', { result: 'failed' }))}
          note={
            metrics.sum('gateway_config_last_reload_success') === 0
              ? 'the file is not what is in force'
              : undefined
          }
        />
      </StatList>
    </section>
  );
}

function Calls({ metrics }: { readonly metrics: MetricsView }) {
  const all = metrics.sum('gateway_generations_total');
  const ok = metrics.sum('gateway_generations_total', { status: 'ok' }) ?? 0;
  const degraded = metrics.sum('gateway_degraded_total') ?? 0;
  const share = (count: number): string => formatShare(all ? count / all : null);
  return (
    <section class="panel">
      <h2>Calls since the start</h2>
      {!all ? (
        <p class="muted">No call yet: the numbers begin again with every start of the process.</p>
      ) : (
        <StatList>
          <Stat label="Calls" value={formatCount(all)} note={`${share(all - ok)} did not end well`} />
          <Stat label="Authored lines" value={formatCount(degraded)} note={share(degraded)} />
          <Stat
            label="Latency, half within"
            value={secondsText(metrics.quantile('gateway_generation_duration_seconds', 0.5))}
            note={withinText(metrics.quantile('gateway_generation_duration_seconds', 0.95))}
          />
          <Stat
            label="Added by the gateway"
            value={secondsText(metrics.quantile('gateway_overhead_seconds', 0.5))}
            note={withinText(metrics.quantile('gateway_overhead_seconds', 0.95))}
          />
          <Stat
            label="Refused by limits of keys"
            value={formatCount(metrics.sum('gateway_limited_total') ?? 0)}
          />
          <Stat label="Known cost" value={formatUsd(metrics.sum('gateway_cost_usd_total') ?? 0)} />
          <Stat
            label="Outcomes"
            value={formatCount(metrics.sum('gateway_outcomes_total') ?? 0)}
            note={metrics
              .sumsBy('gateway_outcomes_total', 'result')
              .map(([result, count]) => `${formatCount(count)} ${result}`)
              .join(', ')}
          />
        </StatList>
      )}
    </section>
  );
}

const TARGET_COLUMNS: readonly Column<TargetState>[] = [
  {
    key: 'target',
    title: 'Target',
    isHeading: true,
    cell: ({ provider, model }) => `${provider} / ${model}`,
  },
  { key: 'route', title: 'Route', cell: ({ route }) => route },
  {
    key: 'circuit',
    title: 'Circuit',
    cell: ({ circuit }) => (
      <span class={`badge ${circuit === 'closed' ? 'badge-good' : 'badge-warning'}`}>
        {circuit.replace('_', ' ')}
      </span>
    ),
  },
  { key: 'running', title: 'Running', isNumber: true, cell: ({ inFlight }) => formatCount(inFlight) },
  { key: 'waiting', title: 'Waiting', isNumber: true, cell: ({ queued }) => formatCount(queued) },
];

function Targets({ metrics }: { readonly metrics: MetricsView }) {
  const targets = targetsOf(metrics);
  if (targets.length === 0) return null;
  return (
    <section class="panel" aria-label="Targets">
      <DataTable
        caption="Targets of the routes: a circuit that is not closed gets no traffic, or little"
        columns={TARGET_COLUMNS}
        rows={targets}
        rowKey={({ route, provider, model }) => `${route} ${provider} ${model}`}
      />
    </section>
  );
}

function Process({ metrics, nowMs }: MetricsPanelsProps) {
  const version = metrics.series('gateway_build_info')[0]?.labels['version'];
  const memoryBytes = metrics.sum('process_resident_memory_bytes');
  return (
    <section class="panel">
      <h2>Process</h2>
      <StatList>
        <Stat label="Version" value={version ?? '–'} />
        <Stat label="Runs for" value={uptimeText(metrics.sum('process_start_time_seconds'), nowMs)} />
        <Stat
          label="Memory"
          value={memoryBytes === null ? '–' : `${formatCount(memoryBytes / 1_048_576)} MiB`}
        />
        <Stat
          label="Event loop, 99 % within"
          value={secondsText(metrics.sum('nodejs_eventloop_lag_p99_seconds'))}
          note="of its own 10 ms grid"
        />
        <Stat label="Node.js" value={metrics.series('nodejs_version_info')[0]?.labels['version'] ?? '–'} />
      </StatList>
      <p class="muted">
        Everything that is counted: <a href="/metrics">/metrics</a>, for Prometheus.
      </p>
    </section>
  );
}

function withinText(seconds: number | null): string | undefined {
  return seconds === null ? undefined : `95 % within ${secondsText(seconds)}`;
}

function secondsText(seconds: number | null): string {
  if (seconds === null) return '–';
  if (seconds === Number.POSITIVE_INFINITY) return 'longer than measured';
  return seconds < 0.001 ? `${Number((seconds * 1_000).toFixed(2))} ms` : formatDurationMs(seconds * 1_000);
}
