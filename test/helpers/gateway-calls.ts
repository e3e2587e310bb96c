import { openDatabase } from '../../src/storage/sqlite/sqlite-driver.ts';

export interface Answered {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly json: Readonly<Record<string, unknown>>;
}

/** Plain calls of a gateway of its own process. */
export function gatewayCalls(url: string) {
  const answered = async (response: Response): Promise<Answered> => ({
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    json: (await response.json()) as Answered['json'],
  });
  const get = async (path: string): Promise<Answered> => answered(await fetch(url + path));
  const post = async (path: string, body: object, headers: Record<string, string> = {}): Promise<Answered> =>
    answered(
      await fetch(url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      }),
    );
  return {
    get,
    post,
    generate: (externalId: string, headers: Record<string, string> = {}) =>
      post('/generate', { variables: {}, external_id: externalId }, headers),
    feedback: (generationId: string, outcomeId: string) =>
      post('/feedback', {
        generation_id: generationId,
        metric: 'completed',
        value: true,
        outcome_id: outcomeId,
      }),
    ready: () => get('/readyz'),
    /** Asks until it is so; `/readyz` itself makes the ledger try. */
    untilReady: async (status: number, everyMs = 50): Promise<Answered> => {
      for (let tries = 0; tries < 400; tries += 1) {
        const state = await get('/readyz');
        if (state.status === status) return state;
        await new Promise((done) => setTimeout(done, everyMs));
      }
      throw new Error(`/readyz never answered ${status}`);
    },
  };
}

/** How often each value of the column is in the file. */
export function countsOf(file: string, table: string, column: string): ReadonlyMap<string, number> {
  const database = openDatabase(file, { readonly: true });
  try {
    const rows = database
      .prepare(`SELECT ${column} AS value, count(*) AS n FROM ${table} GROUP BY 1`)
      .all() as readonly { value: string; n: number }[];
    return new Map(rows.map(({ value, n }) => [value, n]));
  } finally {
    database.close();
  }
}
