const NATURAL_ORDER = new Intl.Collator('en', { numeric: true });

/** v2 before v10. Names the collator calls equal (v1, v01) go by code units, so that the order is total. */
export function compareVersionNames(a: string, b: string): number {
  return NATURAL_ORDER.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}
