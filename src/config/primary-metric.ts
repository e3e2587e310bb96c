import type { GatewayConfig } from './schema.ts';

/** The metric a prompt is judged by: its own, else the first one declared; null when none is. */
export function primaryMetricOf(
  config: Pick<GatewayConfig, 'metrics' | 'prompts'>,
  prompt: string,
): string | null {
  const own = Object.hasOwn(config.prompts.settings, prompt) ? config.prompts.settings[prompt] : undefined;
  return own?.primary_metric ?? Object.keys(config.metrics)[0] ?? null;
}
