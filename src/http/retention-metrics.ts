import { Counter, Gauge, type Registry } from 'prom-client';
import type { RetentionStatusSource } from '../ledger/index.ts';

const REASONS = ['age', 'size'] as const;

/** Whoever keeps retention counts it: its numbers are read when somebody scrapes. */
export function sampleRetention(registry: Registry, retention: RetentionStatusSource): void {
  const registers = [registry];
  new Gauge({
    name: 'gateway_database_bytes',
    help: 'Size of the database: its file, what of that is used, its write-ahead log.',
    labelNames: ['part'] as const,
    registers,
    collect() {
      const { sizes } = retention.status();
      if (sizes === null) return;
      this.labels('file').set(sizes.fileBytes);
      this.labels('used').set(sizes.usedBytes);
      this.labels('log').set(sizes.logBytes);
    },
  });
  new Gauge({
    name: 'gateway_database_max_bytes',
    help: 'ledger.retention.max_bytes; 0: no limit.',
    registers,
    collect() {
      this.set(retention.status().maxBytes ?? 0);
    },
  });
  new Gauge({
    name: 'gateway_retention_horizon_timestamp_seconds',
    help: 'What was created before has gone: whole rows, or contents alone. 0: nothing has.',
    labelNames: ['kind'] as const,
    registers,
    collect() {
      const { rowsMs, contentsMs } = retention.status().horizons;
      this.labels('rows').set((rowsMs ?? 0) / 1_000);
      this.labels('contents').set((contentsMs ?? 0) / 1_000);
    },
  });
  const counted = (
    name: string,
    help: string,
    read: () => Readonly<Record<(typeof REASONS)[number], number>>,
  ) =>
    new Counter({
      name,
      help,
      labelNames: ['reason'] as const,
      registers,
      collect() {
        this.reset();
        for (const reason of REASONS) this.labels(reason).inc(read()[reason]);
      },
    });
  counted(
    'gateway_retention_deleted_rows_total',
    'Calls, rankings, outcomes and pairs deleted since the start, by why.',
    () => retention.status().rowsDeleted,
  );
  counted(
    'gateway_retention_erased_contents_total',
    'Calls whose contents were erased since the start, by why.',
    () => retention.status().contentsErased,
  );
  new Counter({
    name: 'gateway_retention_steps_total',
    help: 'Steps of retention since the start, those with nothing to do among them.',
    registers,
    collect() {
      this.reset();
      this.inc(retention.status().steps);
    },
  });
}
