import { type GatewayConfig, primaryMetricOf } from '../config/index.ts';
import { AppError, listNames, nearestName } from '../kernel/index.ts';
import { metricScale } from './metric-scale.ts';
import type { Metric } from './settled-rewards.ts';

/** The metric a report is about: the one asked for, else the prompt's primary one. Null: none is declared. */
export function findMetric(
  config: Pick<GatewayConfig, 'metrics' | 'prompts'>,
  request: { readonly prompt: string; readonly metric: string | null },
): Metric | null {
  const declared = new Map(Object.entries(config.metrics));
  const name = request.metric ?? primaryMetricOf(config, request.prompt);
  if (name === null) return null;
  const found = declared.get(name);
  if (found === undefined) throw unknownMetric(name, [...declared.keys()]);
  return { name, config: found, scale: metricScale(found) };
}

/** Fails with `invalid_request` for a metric that is not declared, and where none is. */
export function chooseMetric(
  config: Pick<GatewayConfig, 'metrics' | 'prompts'>,
  request: { readonly prompt: string; readonly metric: string | null },
): Metric {
  const metric = findMetric(config, request);
  if (metric !== null) return metric;
  throw new AppError(
    'invalid_request',
    'No metric is declared: add one under `metrics` in the configuration.',
  );
}

function unknownMetric(name: string, known: readonly string[]): AppError {
  const near = nearestName(name, known);
  const hint = near === null ? '' : ` Did you mean ${near}?`;
  return new AppError(
    'invalid_request',
    `The metric ${JSON.stringify(name.slice(0, 80))} is not declared.${hint} Known metrics: ${listNames(known)}.`,
    { faults: [{ path: 'metric', message: 'is not declared' }], details: { known } },
  );
}
