import { isObject } from '../answer-shape.ts';
import type { Usage } from '../language-model.ts';
import type { ModelPrice } from './model-price.ts';
import { PRICE_TABLE } from './price-table.ts';

/**
 * Cost of a call in nano-dollars by the vendored table, by the first of `models` it knows; null when none is known, when
 * a token count is, or when the call lies beyond what the table prices. Never 0 for unknown.
 */
export function priceOf(
  models: readonly string[],
  usage: Usage,
  table: Readonly<Record<string, ModelPrice>> = PRICE_TABLE,
): number | null {
  const { inputTokens, outputTokens } = usage;
  if (inputTokens === null || outputTokens === null) return null;
  const price = findPrice(models, table);
  if (price === null) return null;
  const [inputPicoUsd, outputPicoUsd, cacheReadPicoUsd, cacheWritePicoUsd, maxInputTokens] = price;
  if (maxInputTokens !== null && inputTokens > maxInputTokens) return null;
  const read = usage.cachedInputTokens ?? 0;
  const written = cacheWriteTokens(usage.raw);
  if (read + written > inputTokens) return null;
  if ((read > 0 && cacheReadPicoUsd === null) || (written > 0 && cacheWritePicoUsd === null)) return null;
  const picoUsd =
    (inputTokens - read - written) * inputPicoUsd +
    read * (cacheReadPicoUsd ?? 0) +
    written * (cacheWritePicoUsd ?? 0) +
    outputTokens * outputPicoUsd;
  return Math.round(picoUsd / 1000);
}

/** Proxies write `openai/gpt-4o-mini`: the last part is the vendor's own name. */
function findPrice(
  models: readonly string[],
  table: Readonly<Record<string, ModelPrice>>,
): ModelPrice | null {
  for (const model of models) {
    const exact = Object.hasOwn(table, model) ? table[model] : undefined;
    if (exact !== undefined) return exact;
    const name = model.slice(model.lastIndexOf('/') + 1);
    const bare = Object.hasOwn(table, name) ? table[name] : undefined;
    if (bare !== undefined) return bare;
  }
  return null;
}

/** Anthropic alone bills writing to its cache, and only its own usage object tells. */
function cacheWriteTokens(raw: unknown): number {
  if (!isObject(raw)) return 0;
  const written = raw['cache_creation_input_tokens'];
  return typeof written === 'number' && written > 0 ? written : 0;
}
