import type { ApiKey } from '../api/access-wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Time } from '../components/time.tsx';
import { formatCount, formatUsd } from '../format.ts';

interface KeyTableProps {
  readonly keys: readonly ApiKey[];
  /** Key of the reader's own session. */
  readonly ownKeyId: string | null;
  readonly onRevoke: (key: ApiKey) => void;
}

const STATE_BADGES: Readonly<Record<ApiKey['state'], string>> = {
  active: 'badge badge-good',
  expired: 'badge badge-warning',
  revoked: 'badge badge-bad',
};

export function KeyTable({ keys, ownKeyId, onRevoke }: KeyTableProps) {
  const columns: readonly Column<ApiKey>[] = [
    {
      key: 'name',
      title: 'Key',
      isHeading: true,
      cell: (key) => (
        <>
          {key.name} {key.id === ownKeyId && <span class="badge badge-accent">yours</span>}
          <span class="cell-note">
            <code>pgw_{key.id}_…</code>
          </span>
        </>
      ),
    },
    {
      key: 'state',
      title: 'State',
      cell: (key) => (
        <span>
          <span class={STATE_BADGES[key.state]}>{key.state}</span>
          {key.revoked_reason !== null && <span class="cell-note">{key.revoked_reason}</span>}
        </span>
      ),
    },
    { key: 'scopes', title: 'May', cell: (key) => key.scopes.join(', ') },
    { key: 'limits', title: 'Limits', cell: (key) => <Limits of={key} /> },
    {
      key: 'used',
      title: 'Last used',
      cell: ({ last_used_at }) => (last_used_at === null ? 'never' : <Time time={last_used_at} isAge />),
    },
    {
      key: 'expires',
      title: 'Expires',
      cell: ({ expires_at }) => (expires_at === null ? 'never' : <Time time={expires_at} />),
    },
    {
      key: 'created',
      title: 'Made',
      cell: ({ created_at, created_by }) => (
        <span>
          <Time time={created_at} /> <span class="cell-note">by {created_by}</span>
        </span>
      ),
    },
    {
      key: 'actions',
      title: 'Action',
      cell: (key) =>
        key.state !== 'revoked' && (
          <button type="button" class="button-quiet" onClick={() => onRevoke(key)}>
            Revoke <span class="visually-hidden">{key.name}</span>
          </button>
        ),
    },
  ];
  return <DataTable caption="API keys" columns={columns} rows={keys} rowKey={({ id }) => id} />;
}

function Limits({ of: key }: { readonly of: ApiKey }) {
  const limits = [
    key.requests_per_minute === null ? null : `${formatCount(key.requests_per_minute)} calls/min`,
    key.tokens_per_minute === null ? null : `${formatCount(key.tokens_per_minute)} tokens/min`,
    key.usd_per_day === null ? null : `${formatUsd(key.usd_per_day)}/day`,
  ].filter((limit) => limit !== null);
  if (limits.length === 0) return <span class="muted">none</span>;
  return (
    <span>
      {limits.map((limit) => (
        <span class="line" key={limit}>
          {limit}
        </span>
      ))}
    </span>
  );
}
