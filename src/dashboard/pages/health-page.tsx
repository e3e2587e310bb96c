import { useApi } from '../api/api-context.ts';
import type { ShadowRule } from '../api/experiment-wire.ts';
import { REPORT_POLL_MS, useResource } from '../api/use-resource.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { PageHeading } from '../components/page-heading.tsx';
import { ProblemNote } from '../components/problem-note.tsx';
import { ResourceView } from '../components/resource-view.tsx';
import { Verdict } from '../components/verdict.tsx';
import type { VerdictTone } from '../components/verdict-tone.ts';
import { formatCount, formatUsd } from '../format.ts';
import { MetricsPanels } from '../health/metrics-panels.tsx';
import { readMetrics } from '../health/metrics-text.ts';
import { type Readiness, type ReadinessPart, readinessOf, readinessText } from '../health/readiness.ts';
import type { PageProps } from '../page-props.ts';

/** Whether the gateway works, and what it did since its start. */
export function HealthPage(_props: PageProps) {
  const { session } = useApi();
  const ready = useResource<Readiness>('/readyz', { pollMs: REPORT_POLL_MS });
  const metrics = useResource<string>('/metrics', { pollMs: REPORT_POLL_MS });
  const shadow = useResource<{ readonly shadow: readonly ShadowRule[] }>('/analytics/shadow', {
    pollMs: REPORT_POLL_MS,
  });
  const readiness = readinessOf(ready);
  return (
    <>
      <PageHeading title="Health" />
      {readiness === null && ready.problem !== null && <ProblemNote problem={ready.problem} />}
      {ready.isLoading && <p class="muted">Loading…</p>}
      {readiness !== null && <Parts readiness={readiness} />}
      {session.open && (
        <p class="note note-warning">
          This gateway has no keys: everybody who reaches it may do everything. It listens on this machine
          only.
        </p>
      )}
      <ResourceView resource={metrics} what="the numbers">
        {(text) => <MetricsPanels metrics={readMetrics(text)} nowMs={Date.now()} />}
      </ResourceView>
      {shadow.data !== null && shadow.data.shadow.length > 0 && (
        <section class="panel" aria-label="Shadow runs">
          <DataTable
            caption="Candidates that run in shadow"
            columns={SHADOW_COLUMNS}
            rows={shadow.data.shadow}
            rowKey={(rule) => rule.shadow}
          />
        </section>
      )}
    </>
  );
}

const TONES: Readonly<Record<Readiness['status'], readonly [tone: VerdictTone, heading: string]>> = {
  ready: ['settled', 'Ready'],
  degraded: ['warning', 'Degraded'],
  not_ready: ['warning', 'Not ready'],
};

const PART_BADGES: Readonly<Record<ReadinessPart['status'], string>> = {
  ok: 'badge badge-good',
  degraded: 'badge badge-warning',
  failed: 'badge badge-bad',
};

type NamedPart = readonly [name: string, part: ReadinessPart];

const PART_COLUMNS: readonly Column<NamedPart>[] = [
  { key: 'part', title: 'Part', isHeading: true, cell: ([name]) => name },
  {
    key: 'state',
    title: 'State',
    cell: ([, part]) => <span class={PART_BADGES[part.status]}>{part.status}</span>,
  },
  { key: 'detail', title: 'What is wrong, or waits', cell: ([, part]) => part.detail ?? 'nothing' },
];

function Parts({ readiness }: { readonly readiness: Readiness }) {
  const [tone, heading] = TONES[readiness.status];
  return (
    <>
      <Verdict tone={tone} heading={heading}>
        {readinessText(readiness)}
      </Verdict>
      <section class="panel" aria-label="Parts">
        <DataTable
          caption="Parts of the gateway"
          columns={PART_COLUMNS}
          rows={Object.entries(readiness.parts)}
          rowKey={([name]) => name}
        />
      </section>
    </>
  );
}

const SHADOW_COLUMNS: readonly Column<ShadowRule>[] = [
  { key: 'rule', title: 'Rule', isHeading: true, cell: (rule) => rule.shadow },
  { key: 'runs', title: 'Runs', isNumber: true, cell: (rule) => formatCount(rule.runs) },
  {
    key: 'dropped',
    title: 'Dropped',
    cell: ({ dropped }) =>
      dropped.length === 0
        ? 'none'
        : dropped.map(({ reason, calls }) => `${formatCount(calls)} ${reason}`).join(', '),
  },
  {
    key: 'spent',
    title: 'Spent today',
    isNumber: true,
    cell: (rule) => `${formatUsd(rule.spent_today_usd)} of ${formatUsd(rule.budget_usd_per_day)}`,
  },
];
