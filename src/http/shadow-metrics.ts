import { Counter, type Registry } from 'prom-client';
import type { ShadowObserver } from '../serving/index.ts';

/** What shadow runs count. Rules are named by the configuration alone: a caller cannot grow the series. */
export function createShadowMetrics(registry: Registry): ShadowObserver {
  const registers = [registry];
  const runs = new Counter({
    name: 'gateway_shadow_runs_total',
    help: 'Shadow runs by how they ended.',
    labelNames: ['rule', 'status'] as const,
    registers,
  });
  const dropped = new Counter({
    name: 'gateway_shadow_dropped_total',
    help: 'Sampled calls that were not run on the candidate, by reason.',
    labelNames: ['rule', 'reason'] as const,
    registers,
  });
  const cost = new Counter({
    name: 'gateway_shadow_cost_usd_total',
    help: 'Cost of shadow runs whose cost is known, in US dollars; no part of gateway_cost_usd_total.',
    labelNames: ['rule'] as const,
    registers,
  });
  return {
    shadowRun: ({ rule, status, costNanoUsd }) => {
      runs.labels(rule, status).inc();
      if (costNanoUsd !== null) cost.labels(rule).inc(costNanoUsd / 1e9);
    },
    shadowDropped: ({ rule, reason }) => dropped.labels(rule, reason).inc(),
  };
}
