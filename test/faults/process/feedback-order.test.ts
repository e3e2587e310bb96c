import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type CompiledGateway, compileGateway } from '../../helpers/compiled-gateway.ts';
import { noteFigure } from '../../helpers/fault-figures.ts';
import { verifyLedger } from '../../helpers/fault-gateway.ts';
import { type ProcessBench, processBench } from '../../helpers/gateway-process.ts';

const GENERATIONS = 60;
const OUTCOMES_EACH = 4;
const CALLERS = 24;
const VERSIONS = ['v1', 'v2'] as const;

let compiled: CompiledGateway;
let bench: ProcessBench;

beforeAll(() => {
  compiled = compileGateway();
  bench = processBench(() => [compiled.entry]);
});

afterAll(async () => {
  await bench.cleanUp();
  compiled.remove();
});

interface Step {
  readonly path: '/generate' | '/feedback';
  readonly body: Readonly<Record<string, unknown>>;
}

/** The same for every version: outcomes of one generation in every second, the last one withdrawn of every third. */
function outcomesOf(version: string, generation: number, baseMs: number): readonly Step[] {
  const externalId = `${version}-${generation}`;
  const outcomes = Array.from({ length: OUTCOMES_EACH }, (_, index) => ({
    external_id: externalId,
    metric: 'completed',
    value: isTrue(generation, index),
    outcome_id: `${externalId}-${index}`,
    occurred_at: new Date(baseMs + index * 1_000).toISOString(),
  }));
  const withdrawn = isLastWithdrawn(generation)
    ? [{ outcome_id: `${externalId}-${OUTCOMES_EACH - 1}`, void: true }]
    : [];
  return [...outcomes, ...withdrawn].map((body) => ({ path: '/feedback', body }));
}

const isTrue = (generation: number, index: number): boolean => (generation * 7 + index * 5) % 3 === 0;
const isLastWithdrawn = (generation: number): boolean => generation % 3 === 0;

/** By the rule of the ledger: the latest that is not withdrawn counts, whatever arrived when. */
function expectedMean(): number {
  const rewards = Array.from({ length: GENERATIONS }, (_, generation) =>
    isTrue(generation, OUTCOMES_EACH - (isLastWithdrawn(generation) ? 2 : 1)) ? 1 : 0,
  );
  return rewards.reduce<number>((sum, reward) => sum + reward, 0) / GENERATIONS;
}

/** An order that depends on `seed` alone (Fisher and Yates, over a linear congruential generator). */
function shuffled<Item>(items: readonly Item[], seed: number): readonly Item[] {
  const order = [...items];
  let state = seed;
  for (let last = order.length - 1; last > 0; last -= 1) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    const chosen = state % (last + 1);
    [order[last], order[chosen]] = [order[chosen] as Item, order[last] as Item];
  }
  return order;
}

describe('feedback at once, twice, out of order and before its generation', () => {
  test('comes to the same numbers in every order', async () => {
    const folder = await bench.freshFolder();
    const gateway = bench.start(folder);
    const url = await gateway.url;
    const baseMs = Date.now() - 60_000;
    let accepted = 0;
    let duplicates = 0;
    const refused: string[] = [];
    const send = async ({ path, body }: Step): Promise<void> => {
      const response = await fetch(url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      const text = await response.text();
      if (!response.ok) refused.push(`${path} ${response.status} ${text}`);
      if (path !== '/feedback' || !response.ok) return;
      const receipt = JSON.parse(text) as { accepted: number; duplicates: number };
      accepted += receipt.accepted;
      duplicates += receipt.duplicates;
    };
    const feedback = VERSIONS.flatMap((version) =>
      Array.from({ length: GENERATIONS }, (_, generation) => outcomesOf(version, generation, baseMs)).flat(),
    );
    const generations = VERSIONS.flatMap((version) =>
      Array.from(
        { length: GENERATIONS },
        (_, generation): Step => ({
          path: '/generate',
          body: {
            prompt: 'tip',
            prompt_version: version,
            variables: {},
            external_id: `${version}-${generation}`,
          },
        }),
      ),
    );

    // Every outcome twice, in between the generations, in an order that has nothing to do with theirs.
    const steps = [...shuffled([...generations, ...feedback, ...feedback], 42)];
    await Promise.all(
      Array.from({ length: CALLERS }, async () => {
        for (let step = steps.pop(); step !== undefined; step = steps.pop()) await send(step);
      }),
    );

    expect(refused).toEqual([]);
    expect({ accepted, duplicates }).toEqual({ accepted: feedback.length, duplicates: feedback.length });
    const report = (await (await fetch(`${url}/analytics/prompts/tip/versions?metric=completed`)).json()) as {
      versions: readonly { prompt_version: string; generations: number; outcomes: number; mean: number }[];
    };
    for (const version of VERSIONS) {
      const row = report.versions.find(({ prompt_version }) => prompt_version === version);
      expect(row).toMatchObject({ generations: GENERATIONS, outcomes: GENERATIONS });
      expect(row?.mean).toBeCloseTo(expectedMean(), 12);
    }
    noteFigure('feedback', `${accepted} accepted, ${duplicates} duplicates, equal means`);
    gateway.child.kill('SIGTERM');
    expect(await gateway.exit).toEqual({ code: 0, signal: null });
    expect(await verifyLedger(compiled, folder)).toMatchObject({ code: 0 });
  });
});
