import Database from 'better-sqlite3';

import type { FakeUpstream } from './fake-upstream.ts';
import type { Plan } from './group.ts';
import type { RequestSet } from './load.ts';
import { databaseFileIn, startBenchGateway } from './start-target.ts';
import type { Target } from './target.ts';

/** More than any gateway of this kind takes, so that no round runs out of outcomes and none is sent twice. */
const MAX_REQUESTS_PER_SECOND = 30_000;
const MAX_BATCHES_PER_SECOND = 1_000;
const OUTCOMES_PER_BATCH = 100;
/** Longer measurements would need millions of generations to be about. */
const MAX_SECONDS = 2;
/** How long outcomes are measured where other calls are measured for so long. */
export function feedbackSeconds(seconds: number): number {
  return Math.min(seconds, MAX_SECONDS);
}

/** Columns of a copy that are its own or empty. */
const LEFT_OUT = ['seq', 'id', 'external_id', 'variables_json', 'messages_json', 'text'];
const METRICS = [
  { metric: 'completed', value: true },
  { metric: 'reaction', value: 'like' },
] as const;

/**
 * A gateway with as many generations as outcomes will be about, one per generation and metric. They are copies of one real
 * call without its texts, made by SQL while the gateway is down: what is measured is what comes later.
 */
export async function openFeedbackGateway(
  upstream: FakeUpstream,
  folder: string,
  plan: Plan,
): Promise<{ readonly target: Target; requestsOf(itemsPerRequest: number, round: number): RequestSet }> {
  const seconds = feedbackSeconds(plan.seconds);
  const outcomesPerRound = seconds * (MAX_REQUESTS_PER_SECOND + MAX_BATCHES_PER_SECOND * OUTCOMES_PER_BATCH);
  // One round more, for warming up.
  const generations = Math.ceil(((plan.rounds + 1) * outcomesPerRound) / METRICS.length);
  const once = await startBenchGateway(upstream, { name: 'gateway', folder });
  await once.server.stop();
  copyGeneration(databaseFileIn(folder), generations);
  const target = await startBenchGateway(upstream, {
    name: 'gateway',
    folder,
    ...(plan.nodeArguments === undefined ? {} : { nodeArguments: plan.nodeArguments }),
  });
  const outcome = (index: number): string => {
    const { metric, value } = METRICS[Math.floor(index / generations) % METRICS.length] ?? METRICS[0];
    const id = generationId(index % generations);
    return JSON.stringify({ generation_id: id, metric, value, outcome_id: `${id}-${metric}` });
  };
  return {
    target,
    requestsOf: (itemsPerRequest, round) => {
      const first = round * outcomesPerRound;
      const bodies =
        itemsPerRequest === 1
          ? Array.from({ length: seconds * MAX_REQUESTS_PER_SECOND }, (_, index) => outcome(first + index))
          : Array.from({ length: seconds * MAX_BATCHES_PER_SECOND }, (_, batch) => {
              const start = first + seconds * MAX_REQUESTS_PER_SECOND + batch * itemsPerRequest;
              const items = Array.from({ length: itemsPerRequest }, (_item, index) => outcome(start + index));
              return `{"outcomes":[${items.join(',')}]}`;
            });
      return { path: '/feedback', headers: { 'content-type': 'application/json' }, bodies, isOnce: true };
    },
  };
}

function generationId(index: number): string {
  return `gen_bench_${index}`;
}

function copyGeneration(file: string, copies: number): void {
  const database = new Database(file);
  try {
    database.pragma('synchronous = OFF');
    const kept = database
      .prepare(
        "SELECT name FROM pragma_table_info('generations') WHERE name NOT IN (SELECT value FROM json_each(?))",
      )
      .pluck()
      .all(JSON.stringify(LEFT_OUT))
      .join(', ');
    database
      .prepare(
        `WITH RECURSIVE counted (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counted WHERE n + 1 < ?)
         INSERT INTO generations (id, ${kept})
         SELECT 'gen_bench_' || n, ${kept} FROM counted, (SELECT ${kept} FROM generations ORDER BY seq LIMIT 1)`,
      )
      .run(copies);
  } finally {
    database.close();
  }
}
