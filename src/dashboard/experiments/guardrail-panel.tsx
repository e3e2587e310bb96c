import type { ExperimentGuardrail } from '../api/experiment-wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { formatDifference, formatReward } from '../format.ts';

interface GuardrailRow {
  readonly guardrail: ExperimentGuardrail;
  readonly arm: ExperimentGuardrail['arms'][number];
}

const COLUMNS: readonly Column<GuardrailRow>[] = [
  {
    key: 'guardrail',
    title: 'Guardrail',
    isHeading: true,
    cell: ({ guardrail, arm }) => `${guardrail.guardrail}, ${arm.arm}`,
  },
  { key: 'state', title: 'State', cell: (row) => <GuardrailState row={row} /> },
  {
    key: 'limit',
    title: 'Loss tolerated',
    isNumber: true,
    cell: ({ guardrail }) => formatReward(guardrail.limit),
  },
  { key: 'loss', title: 'Loss', isNumber: true, cell: ({ arm }) => formatDifference(arm.loss) },
  {
    key: 'interval',
    title: 'From – to',
    isNumber: true,
    cell: ({ arm }) => `${formatDifference(arm.lower)} to ${formatDifference(arm.upper)}`,
  },
];

/** How much worse than the baseline each arm may be, and is. */
export function GuardrailPanel({ guardrails }: { readonly guardrails: readonly ExperimentGuardrail[] }) {
  const rows = guardrails.flatMap((guardrail) => guardrail.arms.map((arm) => ({ guardrail, arm })));
  if (guardrails.length === 0) {
    return (
      <p class="muted">
        None is configured: only an admin stops this experiment. A guardrail does it by itself when an arm
        certainly loses more than is tolerated.
      </p>
    );
  }
  if (rows.length === 0) return <p class="muted">No arm has anything to compare yet.</p>;
  return (
    <DataTable
      caption="Guardrails"
      isCaptionHidden
      columns={COLUMNS}
      rows={rows}
      rowKey={({ guardrail, arm }) => `${guardrail.guardrail} ${arm.arm}`}
    />
  );
}

function GuardrailState({ row: { guardrail, arm } }: { readonly row: GuardrailRow }) {
  if (!arm.breached) return <span class="badge badge-good">holds</span>;
  return (
    <span class={`badge ${guardrail.waived ? 'badge-warning' : 'badge-bad'}`}>
      {guardrail.waived ? 'breached, waived' : 'breached'}
    </span>
  );
}
