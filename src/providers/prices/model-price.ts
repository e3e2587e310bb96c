/**
 * Prices of one model in pico-dollars per token (1 USD = 10^12; a dollar per million tokens is 1,000,000): input,
 * output, input read from cache, input written to cache, and up to how many input tokens they hold. Null: not known,
 * or, for the last, no bound.
 */
export type ModelPrice = readonly [
  inputPicoUsd: number,
  outputPicoUsd: number,
  cacheReadPicoUsd: number | null,
  cacheWritePicoUsd: number | null,
  maxInputTokens: number | null,
];
