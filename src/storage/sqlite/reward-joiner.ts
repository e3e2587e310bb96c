import type { Connection } from './connection.ts';
import { asGenerationFacts, FACT_COLUMNS, type GenerationFacts } from './generation-facts.ts';
import type { Rollups } from './rollups.ts';

/** An outcome as the table holds it, as far as joining needs it. */
export interface JoinableOutcome {
  readonly seq: number;
  readonly api_key_id: string;
  readonly outcome_id: string;
  readonly generation_id: string | null;
  readonly external_id: string | null;
  readonly score_id: string | null;
  readonly metric: string;
  readonly reward: number;
  readonly effective_at_ms: number;
  readonly window_ms: number;
  readonly test: number;
}

/** Columns of {@link JoinableOutcome}: an outcome took effect when it occurred as sent, else when first received. */
export const JOINABLE_COLUMNS = `seq, api_key_id, outcome_id, generation_id, external_id, score_id, metric, reward,
  COALESCE(occurred_at_ms, received_at_ms) AS effective_at_ms, window_ms, test`;

/** The one outcome that counts for a generation and a metric; found by walking two indexes, never by sorting. */
export const WINNER_SQL = `
  SELECT o.api_key_id, o.outcome_id, o.effective_at_ms, o.reward
  FROM (
    SELECT ${JOINABLE_COLUMNS} FROM outcomes WHERE generation_id = @generationId AND metric = @metric
    UNION ALL
    SELECT ${JOINABLE_COLUMNS} FROM outcomes WHERE external_id = @externalId AND metric = @metric
  ) o
  WHERE o.test = 0 AND o.effective_at_ms - o.window_ms <= @createdAtMs
    AND NOT EXISTS (
      SELECT 1 FROM outcome_voids v WHERE v.api_key_id = o.api_key_id AND v.outcome_id = o.outcome_id
    )
  ORDER BY o.effective_at_ms DESC, o.outcome_id DESC, o.api_key_id DESC
  LIMIT 1`;

/**
 * Keeps `counting_outcomes` and the reward rollups equal to a function of the *set* of generations, outcomes and
 * voids, whatever order they arrive in. For a delivered generation and a metric the reward is the outcome with the
 * greatest (effective time, outcome id, API key id) among those that name the generation, or its external id if it is
 * the latest delivered generation with that id; that are neither test traffic nor void; and that took effect within
 * their window.
 */
export interface RewardJoiner {
  generationArrived(facts: GenerationFacts): void;
  outcomeArrived(outcome: JoinableOutcome): void;
  /** The outcome was voided, or its effective time became earlier. */
  outcomeChanged(outcome: JoinableOutcome): void;
  /** Chooses anew for every metric of a generation; the rebuild's step. */
  settleGeneration(facts: GenerationFacts): void;
  /** Finds all outcomes without a generation; the rebuild's last step. */
  collectOrphans(): void;
}

interface CountingRow {
  readonly api_key_id: string;
  readonly outcome_id: string;
  readonly effective_at_ms: number;
  readonly reward: number;
}

export function createRewardJoiner(database: Connection, rollups: Rollups): RewardJoiner {
  const facts = FACT_COLUMNS.join(', ');
  const generationById = database.prepare(`SELECT ${facts} FROM generations WHERE id = ?`);
  const latestDelivered = database.prepare(
    `SELECT ${facts} FROM generations WHERE external_id = ? AND delivered = 1
     ORDER BY created_at_ms DESC, id DESC LIMIT 2`,
  );
  const directMetrics = database.prepare(distinctMetrics('generation_id')).pluck();
  const externalMetrics = database.prepare(distinctMetrics('external_id')).pluck();
  const winner = database.prepare(WINNER_SQL);
  const isVoid = database
    .prepare('SELECT 1 FROM outcome_voids WHERE api_key_id = ? AND outcome_id = ?')
    .pluck();
  const counting = database.prepare(
    `SELECT api_key_id, outcome_id, effective_at_ms, reward FROM counting_outcomes
     WHERE generation_id = ? AND metric = ?`,
  );
  // Compared by the database: its order of texts is the one that `winner` sorts by.
  const beats = database
    .prepare(
      `SELECT 1 FROM counting_outcomes WHERE generation_id = ? AND metric = ?
         AND (?, ?, ?) > (effective_at_ms, outcome_id, api_key_id)`,
    )
    .pluck();
  const setCounting = database.prepare(
    `INSERT INTO counting_outcomes (generation_id, metric, api_key_id, outcome_id, effective_at_ms, reward)
     VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (generation_id, metric) DO UPDATE SET
       api_key_id = excluded.api_key_id, outcome_id = excluded.outcome_id,
       effective_at_ms = excluded.effective_at_ms, reward = excluded.reward`,
  );
  const clearCounting = database.prepare(
    'DELETE FROM counting_outcomes WHERE generation_id = ? AND metric = ?',
  );
  const addOrphan = database.prepare('INSERT INTO orphan_outcomes (outcome_seq) VALUES (?)');
  const adoptDirect = database.prepare(
    'DELETE FROM orphan_outcomes WHERE outcome_seq IN (SELECT seq FROM outcomes WHERE generation_id = ?)',
  );
  const adoptExternal = database.prepare(
    'DELETE FROM orphan_outcomes WHERE outcome_seq IN (SELECT seq FROM outcomes WHERE external_id = ?)',
  );
  const findOrphans = database.prepare(
    `INSERT INTO orphan_outcomes (outcome_seq)
     SELECT o.seq FROM outcomes o
     WHERE (o.generation_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM generations g WHERE g.id = o.generation_id))
        OR (o.external_id IS NOT NULL AND NOT EXISTS (
          SELECT 1 FROM generations g WHERE g.external_id = o.external_id AND g.delivered = 1
        ))`,
  );

  // Row mappers: the columns are those named in the statements above.
  const latestTwo = (externalId: string): readonly GenerationFacts[] =>
    latestDelivered.all(externalId) as GenerationFacts[];
  const metricsOf = (statement: typeof directMetrics, id: string): readonly string[] =>
    statement.all({ target: id }) as string[];

  const ownerOf = (outcome: JoinableOutcome): GenerationFacts | null => {
    if (outcome.generation_id !== null) {
      const row = generationById.get(outcome.generation_id);
      return row === undefined ? null : asGenerationFacts(row as object);
    }
    return outcome.external_id === null ? null : (latestTwo(outcome.external_id)[0] ?? null);
  };

  const replace = (
    generation: GenerationFacts,
    metric: string,
    before: CountingRow | undefined,
    after: CountingRow | undefined,
  ): void => {
    if (after === undefined) clearCounting.run(generation.id, metric);
    else {
      setCounting.run(
        generation.id,
        metric,
        after.api_key_id,
        after.outcome_id,
        after.effective_at_ms,
        after.reward,
      );
    }
    rollups.changeReward(generation, metric, before?.reward ?? null, after?.reward ?? null);
  };

  /** Chooses the winner among all candidates: needed when one of them went away or changed hands. */
  const settle = (generation: GenerationFacts, metric: string): void => {
    if (generation.delivered !== 1) return;
    const { external_id: externalId } = generation;
    const ownsExternal = externalId !== null && latestTwo(externalId)[0]?.id === generation.id;
    const after = winner.get({
      generationId: generation.id,
      externalId: ownsExternal ? externalId : null,
      metric,
      createdAtMs: generation.created_at_ms,
    }) as CountingRow | undefined;
    const before = counting.get(generation.id, metric) as CountingRow | undefined;
    if (before === undefined && after === undefined) return;
    if (before?.outcome_id === after?.outcome_id && before?.api_key_id === after?.api_key_id) {
      if (before?.effective_at_ms === after?.effective_at_ms) return;
    }
    replace(generation, metric, before, after);
  };

  /** One more candidate needs one comparison, however many there are already. */
  const consider = (generation: GenerationFacts, outcome: JoinableOutcome): void => {
    if (generation.delivered !== 1 || outcome.test === 1) return;
    if (outcome.effective_at_ms - outcome.window_ms > generation.created_at_ms) return;
    if (isVoid.get(outcome.api_key_id, outcome.outcome_id) !== undefined) return;
    const { metric, effective_at_ms, outcome_id, api_key_id } = outcome;
    const before = counting.get(generation.id, metric) as CountingRow | undefined;
    if (
      before !== undefined &&
      beats.get(generation.id, metric, effective_at_ms, outcome_id, api_key_id) === undefined
    ) {
      return;
    }
    replace(generation, metric, before, outcome);
  };

  return {
    generationArrived: (generation) => {
      const direct = metricsOf(directMetrics, generation.id);
      if (direct.length > 0) {
        adoptDirect.run(generation.id);
        for (const metric of direct) settle(generation, metric);
      }
      if (generation.external_id === null || generation.delivered !== 1) return;
      const external = metricsOf(externalMetrics, generation.external_id);
      if (external.length === 0) return;
      const [latest, previous] = latestTwo(generation.external_id);
      if (latest?.id !== generation.id) return;
      // Only the first generation of an external id finds orphans.
      if (previous === undefined) adoptExternal.run(generation.external_id);
      for (const metric of external) {
        if (previous !== undefined) settle(previous, metric);
        settle(generation, metric);
      }
    },
    outcomeArrived: (outcome) => {
      if (outcome.generation_id === null && outcome.external_id === null) return;
      const owner = ownerOf(outcome);
      if (owner === null) addOrphan.run(outcome.seq);
      else consider(owner, outcome);
    },
    outcomeChanged: (outcome) => {
      const owner = ownerOf(outcome);
      if (owner !== null) settle(owner, outcome.metric);
    },
    settleGeneration: (generation) => {
      if (generation.delivered !== 1) return;
      const metrics = new Set(metricsOf(directMetrics, generation.id));
      const { external_id: externalId } = generation;
      if (externalId !== null && latestTwo(externalId)[0]?.id === generation.id) {
        for (const metric of metricsOf(externalMetrics, externalId)) metrics.add(metric);
      }
      for (const metric of metrics) settle(generation, metric);
    },
    collectOrphans: () => {
      findOrphans.run();
    },
  };
}

/** Steps from one metric to the next in the index: SELECT DISTINCT would read every outcome of the target. */
function distinctMetrics(column: 'generation_id' | 'external_id'): string {
  return `WITH RECURSIVE metrics (metric) AS (
      SELECT min(metric) FROM outcomes WHERE ${column} = @target
      UNION ALL
      SELECT (SELECT min(o.metric) FROM outcomes o WHERE o.${column} = @target AND o.metric > metrics.metric)
      FROM metrics WHERE metrics.metric IS NOT NULL
    )
    SELECT metric FROM metrics WHERE metric IS NOT NULL`;
}
