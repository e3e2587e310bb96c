/** One US dollar in nano-dollars: money is an integer everywhere, fine enough for a single cheap token. */
const NANO_USD = 1_000_000_000;

export const HOUR_MS = 3_600_000;

/** Nano-dollars from dollars, rounded to the nearest integer; null stays null (unknown is never 0). */
export function nanoUsdFromUsd(usd: number | null): number | null {
  return usd === null || !Number.isFinite(usd) || usd < 0 ? null : Math.round(usd * NANO_USD);
}

/** Dollars for the wire; null stays null. */
export function usdFromNanoUsd(nanoUsd: number | null): number | null {
  return nanoUsd === null ? null : nanoUsd / NANO_USD;
}

/** Start of the UTC hour that holds `epochMs`. */
export function hourOf(epochMs: number): number {
  return Math.floor(epochMs / HOUR_MS) * HOUR_MS;
}
