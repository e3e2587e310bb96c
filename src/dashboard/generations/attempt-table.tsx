import type { GenerationAttempt } from '../api/generation-wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { formatDurationMs } from '../format.ts';
import { type AttemptBar, attemptBars } from './generation-facts.ts';

const BAR_WIDTH = 160;
const BAR_HEIGHT = 10;

interface PlacedAttempt extends GenerationAttempt {
  readonly place: number;
  readonly bar: AttemptBar | undefined;
}

const COLUMNS: readonly Column<PlacedAttempt>[] = [
  { key: 'place', title: 'Attempt', isHeading: true, cell: ({ place }) => place },
  { key: 'target', title: 'Target', cell: ({ provider, model }) => `${provider} / ${model}` },
  {
    key: 'outcome',
    title: 'Came to',
    cell: ({ outcome, status, error }) => (
      <span>
        <span class={`badge ${outcome === 'ok' ? 'badge-good' : 'badge-bad'}`}>{outcome}</span>
        {status !== null && ` HTTP ${status}`}
        {error !== null && <span class="cell-note">{error}</span>}
      </span>
    ),
  },
  {
    key: 'began',
    title: 'Began after',
    isNumber: true,
    cell: ({ started_ms }) => formatDurationMs(started_ms),
  },
  { key: 'took', title: 'Took', isNumber: true, cell: ({ duration_ms }) => formatDurationMs(duration_ms) },
  { key: 'bar', title: 'In time', cell: ({ bar }) => bar !== undefined && <Bar bar={bar} /> },
];

/** Upstream calls of one generation, each where it lies in their common time. */
export function AttemptTable({ attempts }: { readonly attempts: readonly GenerationAttempt[] }) {
  const bars = attemptBars(attempts);
  const rows = attempts.map((attempt, index) => ({ ...attempt, place: index + 1, bar: bars[index] }));
  return (
    <DataTable
      caption="Attempts of this call"
      isCaptionHidden
      columns={COLUMNS}
      rows={rows}
      rowKey={({ place }) => String(place)}
    />
  );
}

/** The numbers beside it say the same. */
function Bar({ bar }: { readonly bar: AttemptBar }) {
  return (
    <svg
      class="attempt-bar"
      viewBox={`0 0 ${BAR_WIDTH} ${BAR_HEIGHT}`}
      width={BAR_WIDTH}
      height={BAR_HEIGHT}
      aria-hidden="true"
    >
      <rect class="attempt-ground" width={BAR_WIDTH} height={BAR_HEIGHT} rx="2" />
      <rect
        class="attempt-time"
        x={bar.begin * BAR_WIDTH}
        width={bar.width * BAR_WIDTH}
        height={BAR_HEIGHT}
        rx="2"
      />
    </svg>
  );
}
