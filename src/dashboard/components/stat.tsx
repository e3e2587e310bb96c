import type { ComponentChildren } from 'preact';

interface StatProps {
  readonly label: string;
  readonly value: ComponentChildren;
  readonly note?: ComponentChildren;
}

/** One number that stands for itself. Stats go into a {@link StatList}. */
export function Stat({ label, value, note }: StatProps) {
  return (
    <div class="stat">
      <dt>{label}</dt>
      <dd>
        <span class="stat-value">{value}</span>
        {note !== undefined && <span class="stat-note">{note}</span>}
      </dd>
    </div>
  );
}

export function StatList({ children }: { readonly children: ComponentChildren }) {
  return <dl class="stats">{children}</dl>;
}
