import type { RolloutEvent } from '../api/experiment-wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Time } from '../components/time.tsx';

const BADGES: Readonly<Record<RolloutEvent['decision'], string>> = {
  allowed: 'badge badge-good',
  exempt: 'badge',
  overridden: 'badge badge-warning',
  refused: 'badge badge-bad',
  stopped: 'badge badge-bad',
  resumed: 'badge badge-good',
  alarmed: 'badge badge-bad',
};

const COLUMNS: readonly Column<RolloutEvent>[] = [
  { key: 'at', title: 'When', isHeading: true, cell: ({ at }) => <Time time={at} /> },
  {
    key: 'decision',
    title: 'Decision',
    cell: ({ decision }) => <span class={BADGES[decision]}>{decision}</span>,
  },
  { key: 'reason', title: 'Reason', cell: ({ reason }) => reason },
  { key: 'actor', title: 'By', cell: ({ actor }) => actor },
];

/** What was decided about a label or an experiment, newest first. */
export function RolloutTable({ events }: { readonly events: readonly RolloutEvent[] }) {
  return (
    <DataTable
      caption="What was decided, newest first"
      columns={COLUMNS}
      rows={events}
      rowKey={({ sequence }) => String(sequence)}
    />
  );
}
