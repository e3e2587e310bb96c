import { Counter, Gauge, type Registry } from 'prom-client';
import type { ConfigStore } from '../config/index.ts';

/** The store counts its reloads itself: they are read when somebody scrapes. */
export function sampleReloads(registry: Registry, config: Pick<ConfigStore, 'status'>): void {
  const registers = [registry];
  new Counter({
    name: 'gateway_config_reloads_total',
    help: 'Reads of the configuration file since the start, by result; failed ones left the last good configuration in force.',
    labelNames: ['result'] as const,
    registers,
    collect() {
      this.reset();
      for (const [result, count] of Object.entries(config.status().counts)) this.labels(result).inc(count);
    },
  });
  new Gauge({
    name: 'gateway_config_last_reload_success',
    help: '0 while the file differs from what is in force because its last reload was refused.',
    registers,
    collect() {
      this.set((config.status().lastReload?.faults.length ?? 0) === 0 ? 1 : 0);
    },
  });
}
