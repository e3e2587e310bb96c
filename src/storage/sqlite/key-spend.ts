import type { Connection } from './connection.ts';
import type { GenerationFacts } from './generation-facts.ts';
import { dayOf } from './rollup-grains.ts';

/** Adds the cost of a call to what its key spent that day; runs in the transaction of its row. Shadows have budgets of their own. */
export function createKeySpend(database: Connection): (facts: GenerationFacts) => void {
  const add = database.prepare(
    `INSERT INTO api_key_spend (api_key_id, day_ms, cost_nano_usd) VALUES (?, ?, ?)
     ON CONFLICT (api_key_id, day_ms) DO UPDATE SET
       cost_nano_usd = api_key_spend.cost_nano_usd + excluded.cost_nano_usd`,
  );
  return ({ api_key_id, created_at_ms, cost_nano_usd, shadow_of }) => {
    if (cost_nano_usd === null || cost_nano_usd === 0 || shadow_of !== null) return;
    add.run(api_key_id, dayOf(created_at_ms), cost_nano_usd);
  };
}

export interface KeySpendReads {
  readonly keySpend: (query: { readonly keyId: string; readonly dayMs: number }) => number;
}

export function createKeySpendReads(database: Connection): KeySpendReads {
  const spent = database
    .prepare('SELECT cost_nano_usd FROM api_key_spend WHERE api_key_id = ? AND day_ms = ?')
    .pluck();
  return { keySpend: ({ keyId, dayMs }) => Number(spent.get(keyId, dayMs) ?? 0) };
}
