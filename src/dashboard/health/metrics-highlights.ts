import type { MetricsView } from './metrics-text.ts';

/** One model behind a route. */
export interface TargetState {
  readonly route: string;
  readonly provider: string;
  readonly model: string;
  readonly circuit: string;
  readonly inFlight: number | null;
  readonly queued: number | null;
}

/** Every target with the state its circuit is in, in the order of the answer. */
export function targetsOf(metrics: MetricsView): readonly TargetState[] {
  return metrics
    .series('gateway_circuit_state')
    .filter(({ value }) => value === 1)
    .map(({ labels }) => {
      const { provider_route = '', provider = '', model = '', state = '' } = labels;
      const target = { provider_route, provider, model };
      return {
        route: provider_route,
        provider,
        model,
        circuit: state,
        inFlight: metrics.sum('gateway_target_calls_in_flight', target),
        queued: metrics.sum('gateway_target_calls_queued', target),
      };
    });
}

const UNITS: readonly (readonly [name: string, seconds: number])[] = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
];

/** `3 d`, `2 h`, `5 min`; `< 1 min`; `–` when the start is not known. */
export function uptimeText(startedAtSeconds: number | null, nowMs: number): string {
  if (startedAtSeconds === null) return '–';
  const seconds = nowMs / 1_000 - startedAtSeconds;
  const [name, unit] = UNITS.find(([, size]) => seconds >= size) ?? [null, 1];
  return name === null ? '< 1 min' : `${Math.floor(seconds / unit)} ${name}`;
}
