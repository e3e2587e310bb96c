import type { Overview, OverviewPrompt, RecentTraffic } from '../analytics/index.ts';
import { labelToWire } from './labels-wire.ts';
import { wireKeys, wireRecord } from './wire-case.ts';

export function overviewToWire({ generatedAt, attention, prompts }: Overview) {
  return {
    generated_at: generatedAt,
    attention: wireRecord(attention),
    prompts: prompts.map(promptToWire),
  };
}

function promptToWire(prompt: OverviewPrompt) {
  return {
    ...wireKeys(prompt),
    labels: prompt.labels.map(labelToWire),
    versions: wireRecord(prompt.versions),
    generations: recentToWire(prompt.generations),
    cost_usd: recentToWire(prompt.costUsd),
    error_share: recentToWire(prompt.errorShare),
    degraded_share: recentToWire(prompt.degradedShare),
  };
}

/** A number within a name begins no word, which the general mapping cannot know. */
function recentToWire<T>({ last24h, last7d }: RecentTraffic<T>) {
  return { last_24h: last24h, last_7d: last7d };
}
