import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { GenerationListQuery, GenerationRecord } from '../../../src/ledger/index.ts';
import { generationAccess } from '../../../src/storage/sqlite/generation-access.ts';
import { createGenerationLists } from '../../../src/storage/sqlite/generation-list.ts';
import { generationRecord, outcomeRecord } from '../../helpers/ledger-records.ts';
import { appendGeneration, appendOutcomes, writerCoreInMemory } from '../../helpers/writer-core-in-memory.ts';

const START_MS = Date.UTC(2026, 10, 20);

const EVERYTHING: GenerationListQuery = {
  prompt: null,
  promptVersion: null,
  status: null,
  experiment: null,
  arm: null,
  label: null,
  externalId: null,
  unitKey: null,
  search: null,
  fromMs: null,
  toMs: null,
  limit: 50,
  after: null,
};

function listsOver(records: readonly GenerationRecord[]) {
  const core = writerCoreInMemory();
  core.apply(...records.map(appendGeneration));
  const { listGenerations } = createGenerationLists(core.database);
  return { core, listGenerations };
}

const recordArbitrary = fc.record({
  // Few milliseconds: many calls of one moment.
  createdAtMs: fc.integer({ min: 0, max: 8 }).map((offset) => START_MS + offset),
  prompt: fc.constantFrom('tip', 'digest', null),
  promptVersion: fc.constantFrom('v1', 'v2'),
  status: fc.constantFrom('ok', 'error', 'client_closed'),
  experiment: fc.constantFrom(null, 'tone'),
  arm: fc.constantFrom('calm', 'warm'),
  label: fc.constantFrom(null, 'live'),
  externalId: fc.constantFrom(null, 'ext-1', 'ext-2'),
  unitKey: fc.constantFrom(null, 'u1', 'u2'),
  delivered: fc.boolean(),
} as const);

const maybe = <const T>(...values: readonly T[]) => fc.constantFrom(null, ...values);

const queryArbitrary = fc.record({
  prompt: maybe('tip', 'none'),
  promptVersion: maybe('v1'),
  status: maybe('ok', 'error', 'client_closed'),
  experiment: maybe('tone'),
  arm: maybe('warm'),
  label: maybe('live'),
  externalId: maybe('ext-1'),
  unitKey: maybe('u1'),
  search: maybe('gen_', 'gen_1', 'ext-2', 'nothing'),
  fromMs: maybe(START_MS + 2),
  toMs: maybe(START_MS + 6),
} as const);

const FILTERS = [
  'prompt',
  'promptVersion',
  'status',
  'experiment',
  'arm',
  'label',
  'externalId',
  'unitKey',
] as const;

/** The rule written down a second time: in memory, without any index. */
function expectedIds(records: readonly GenerationRecord[], query: GenerationListQuery): readonly string[] {
  const { search, fromMs, toMs } = query;
  return records
    .map((record, sequence) => ({ record, sequence }))
    .filter(({ record }) => FILTERS.every((name) => query[name] === null || record[name] === query[name]))
    .filter(({ record }) => search === null || record.id.startsWith(search) || record.externalId === search)
    .filter(({ record }) => fromMs === null || record.createdAtMs >= fromMs)
    .filter(({ record }) => toMs === null || record.createdAtMs < toMs)
    .sort((a, b) => b.record.createdAtMs - a.record.createdAtMs || b.sequence - a.sequence)
    .map(({ record }) => record.id);
}

describe('lists of calls', () => {
  test('hold every call that fits once, newest first, whatever the filters and the pages', () => {
    fc.assert(
      fc.property(
        fc.array(recordArbitrary, { maxLength: 40 }),
        fc.array(queryArbitrary, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 7 }),
        (given, queries, limit) => {
          const records = given.map((fields, n) => generationRecord({ ...fields, id: `gen_${n}` }));
          const { listGenerations } = listsOver(records);

          for (const filters of queries) {
            const query = { ...EVERYTHING, ...filters, limit };
            const ids: string[] = [];
            let page = listGenerations(query);
            ids.push(...page.generations.map(({ id }) => id));
            while (page.next !== null) {
              expect(page.generations.length).toBe(limit);
              page = listGenerations({ ...query, after: page.next });
              ids.push(...page.generations.map(({ id }) => id));
            }

            expect(ids).toEqual(expectedIds(records, query));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('never sort and never scan: an index finds each page', () => {
    const { core } = listsOver([]);
    const queries: Partial<GenerationListQuery>[] = [
      {},
      { prompt: 'tip' },
      { prompt: 'tip', promptVersion: 'v1' },
      { promptVersion: 'v1' },
      { status: 'error' },
      { status: 'ok' },
      { experiment: 'tone', arm: 'warm' },
      { unitKey: 'u1', status: 'error' },
      { prompt: 'tip', fromMs: 1, toMs: 2 },
    ];
    for (const filters of queries) {
      for (const after of [null, { createdAtMs: 5, sequence: 7 }]) {
        const { sql, parameters } = generationAccess({ ...EVERYTHING, ...filters, after });
        const plan = core.database
          .prepare(`EXPLAIN QUERY PLAN ${sql}`)
          .all(parameters)
          .map((row) => String((row as { detail: unknown }).detail))
          .join('\n');

        expect(plan).toMatch(/USING (COVERING )?INDEX generations_by_/);
        expect(plan).not.toMatch(/TEMP B-TREE/);
        if (after !== null) expect(plan).toMatch(/created_at_ms[<>]/);
      }
    }
  });

  test('show the counting rewards, the begin of the text and how many attempts there were', () => {
    const attempt = { provider: 'openai', model: 'm', outcome: 'ok' };
    const { core, listGenerations } = listsOver([
      generationRecord({
        id: 'gen_1',
        text: `${'ä'.repeat(159)}🙂 and more`,
        // A test states what matters to it: the list counts them.
        attempts: [attempt, attempt] as unknown as GenerationRecord['attempts'],
        degraded: true,
        costNanoUsd: null,
      }),
      generationRecord({ id: 'gen_2', text: null }),
    ]);
    core.apply(
      appendOutcomes(
        'key-a',
        outcomeRecord({ outcomeId: 'a', metric: 'completed', reward: 1 }),
        outcomeRecord({ outcomeId: 'b', metric: 'reaction', reward: 0.7 }),
      ),
    );

    const [second, first] = listGenerations(EVERYTHING).generations;

    expect(first).toMatchObject({
      id: 'gen_1',
      textStart: `${'ä'.repeat(159)}🙂`,
      attempts: 2,
      degraded: true,
      forced: false,
      costNanoUsd: null,
      rewards: [
        { metric: 'completed', reward: 1 },
        { metric: 'reaction', reward: 0.7 },
      ],
    });
    expect(second).toMatchObject({ id: 'gen_2', textStart: null, rewards: [] });
  });

  test('look at a bounded number of calls for one page, and go on from there', () => {
    const records = Array.from({ length: 450 }, (_, n) =>
      generationRecord({
        id: `gen_${n}`,
        createdAtMs: START_MS + n,
        label: n === 10 ? 'rare' : null,
      }),
    );
    const { listGenerations } = createGenerationLists(listsOver(records).core.database, 200);
    const query = { ...EVERYTHING, prompt: 'tip', label: 'rare' };

    const pages = [listGenerations(query)];
    for (let next = pages[0]?.next ?? null; next !== null; next = pages.at(-1)?.next ?? null) {
      pages.push(listGenerations({ ...query, after: next }));
    }

    expect(pages.map(({ generations }) => generations.map(({ id }) => id))).toEqual([[], [], ['gen_10']]);
    expect(pages[0]?.next?.createdAtMs).toBe(START_MS + 250);
  });

  test('a search ends its page at the newest ids that begin so', () => {
    const records = Array.from({ length: 250 }, (_, n) =>
      generationRecord({ id: `gen_${String(n).padStart(4, '0')}`, createdAtMs: START_MS + n }),
    );
    const { listGenerations } = listsOver(records);

    const found = listGenerations({ ...EVERYTHING, search: 'gen_0', limit: 200 });

    expect(found.generations.map(({ id }) => id)).toEqual(
      records
        .slice(50)
        .map(({ id }) => id)
        .reverse(),
    );
    expect(listGenerations({ ...EVERYTHING, search: 'gen_0249' }).generations).toHaveLength(1);
  });
});
