import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Writes `price-table.ts` from LiteLLM's price file. Run by hand, see README.md:
 *
 *   npx tsx src/providers/prices/vendor-prices.ts <model_prices_and_context_window_backup.json> <wheel version> <date>
 */

const PICO_USD = 1_000_000_000_000;

/** Whose own names are taken. Others host the same models under names of their own making, at other prices. */
const VENDORS = ['openai', 'anthropic', 'gemini', 'xai', 'mistral', 'deepseek'];

/** Priced by more than text tokens, or (open weights) served by anybody at any price under the same name. */
const EXCLUDED =
  /audio|realtime|search|image|tts|transcribe|live|deep-research|computer-use|embed|moderation|gpt-oss|gemma|^ft:|learnlm|robotics|experimental|beta|deepseek-(?:r1|v3|coder)/;

/** Mistral publishes weights under its short names: only those that the API alone knows. */
const MISTRAL_OWN = /-(?:latest|\d{4})$/;

interface LitellmEntry {
  readonly litellm_provider?: string;
  readonly mode?: string;
  readonly [field: string]: unknown;
}

function vendorPrices(path: string, wheelVersion: string, date: string): string {
  const source = JSON.parse(readFileSync(path, 'utf8')) as Readonly<Record<string, LitellmEntry>>;
  const rows = new Map<string, string>();
  for (const vendor of VENDORS) {
    for (const [key, entry] of Object.entries(source)) {
      if (entry.litellm_provider !== vendor || (entry.mode !== 'chat' && entry.mode !== 'responses'))
        continue;
      const name = key.slice(key.lastIndexOf('/') + 1);
      if (rows.has(name) || EXCLUDED.test(name) || (vendor === 'mistral' && !MISTRAL_OWN.test(name)))
        continue;
      const row = priceRow(entry);
      if (row !== null) rows.set(name, row);
    }
  }
  const lines = [...rows.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, row]) => `  '${name}': ${row},`);
  return [
    '// Made by vendor-prices.ts from the price file of LiteLLM (MIT licence, see README.md). Do not edit.',
    "import type { ModelPrice } from './model-price.ts';",
    '',
    `export const PRICE_TABLE_VERSION = '${date}+litellm-${wheelVersion}';`,
    '',
    '/** Input, output, cache read, cache write in pico-dollars per token; most input tokens at this price. */',
    'export const PRICE_TABLE: Readonly<Record<string, ModelPrice>> = {',
    ...lines,
    '};',
    '',
  ].join('\n');
}

function priceRow(entry: LitellmEntry): string | null {
  const input = picoUsd(entry['input_cost_per_token']);
  const output = picoUsd(entry['output_cost_per_token']);
  if (input === null || output === null || (input === 0 && output === 0)) return null;
  const cacheRead = picoUsd(entry['cache_read_input_token_cost']);
  const cacheWrite = picoUsd(entry['cache_creation_input_token_cost']);
  return `[${input}, ${output}, ${cacheRead}, ${cacheWrite}, ${firstTier(entry)}]`;
}

function picoUsd(usd: unknown): number | null {
  return typeof usd === 'number' && Number.isFinite(usd) ? Math.round(usd * PICO_USD) : null;
}

/** `input_cost_per_token_above_200k_tokens` means: the plain price holds up to 200,000 input tokens. */
function firstTier(entry: LitellmEntry): number | null {
  const tiers = Object.keys(entry)
    .map((field) => /^input_cost_per_token_above_(\d+)k_tokens$/.exec(field)?.[1])
    .filter((thousands) => thousands !== undefined)
    .map((thousands) => Number(thousands) * 1000);
  return tiers.length === 0 ? null : Math.min(...tiers);
}

const [path, wheelVersion, date] = process.argv.slice(2);
if (path === undefined || wheelVersion === undefined || date === undefined) {
  throw new Error('usage: vendor-prices.ts <model_prices json> <wheel version> <date>');
}
writeFileSync(new URL('./price-table.ts', import.meta.url), vendorPrices(path, wheelVersion, date));
