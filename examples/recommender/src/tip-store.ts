import { openDatabase } from './open-database.ts';

/** A tip as it was shown. `promptVersion` is what the gateway says it used, never what was asked for. */
interface ShownTip {
  readonly tipId: string;
  readonly userId: string;
  readonly text: string;
  /** What the tip is about. */
  readonly idea: string;
  /** The ranking that chose the idea; null: the gateway could not rank, so it was drawn at random. */
  readonly scoreId: string | null;
  readonly generationId: string;
  readonly promptVersion: string;
  readonly degraded: boolean;
  readonly shownAtMs: number;
}

/** Something the user did with a tip. `outcomeId` is minted here, so that it can be reported again without harm. */
export interface TipOutcome {
  readonly outcomeId: string;
  readonly tipId: string;
  readonly metric: 'completed' | 'reaction';
  readonly value: boolean | string;
  readonly occurredAtMs: number;
}

export interface PendingOutcome extends TipOutcome {
  readonly generationId: string;
  readonly scoreId: string | null;
}

/** One row of `tip_scores`: latest value per metric, null when nothing was observed. */
interface TipScore extends ShownTip {
  readonly completed: boolean | null;
  readonly reaction: string | null;
}

export interface ProfileFeatures {
  /** Tips shown in the last seven days. */
  readonly tip_volume: number;
  /** Share of the tips with a known result that the user acted on; absent before the first. */
  readonly completion_rate?: number;
  /** Hour of the day (UTC) at which the user reacts most often; absent before the first reaction. */
  readonly preferred_hour?: number;
}

export interface TipStore {
  addTip(tip: ShownTip): void;
  /** False for an unknown tip: nothing is stored then. */
  addOutcomes(tipId: string, outcomes: readonly TipOutcome[]): boolean;
  profileOf(userId: string, nowMs: number): ProfileFeatures;
  /** Texts, newest first. */
  recentTips(userId: string, limit: number): readonly string[];
  /** When each idea was last shown to the user. */
  lastShown(userId: string): ReadonlyMap<string, number>;
  /** Oldest first. */
  pendingOutcomes(limit: number): readonly PendingOutcome[];
  /** `refusal` is the code the gateway refused the outcome with for good; null: it was stored. */
  settleOutcome(outcomeId: string, refusal: string | null): void;
  tipScores(): readonly TipScore[];
  close(): void;
}

const WEEK_MS = 7 * 24 * 3_600_000;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS tips (
    tip_id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    text TEXT NOT NULL,
    generation_id TEXT NOT NULL,
    prompt_version TEXT NOT NULL,
    degraded INTEGER NOT NULL,
    shown_at_ms INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS tips_by_user ON tips (user_id, shown_at_ms);
  CREATE TABLE IF NOT EXISTS tip_choices (
    tip_id TEXT PRIMARY KEY REFERENCES tips (tip_id),
    idea TEXT NOT NULL,
    score_id TEXT
  ) STRICT;
  CREATE TABLE IF NOT EXISTS outcomes (
    sequence INTEGER PRIMARY KEY,
    outcome_id TEXT NOT NULL UNIQUE,
    tip_id TEXT NOT NULL REFERENCES tips (tip_id),
    metric TEXT NOT NULL,
    value TEXT NOT NULL,
    occurred_at_ms INTEGER NOT NULL,
    settled INTEGER NOT NULL DEFAULT 0,
    refusal TEXT
  ) STRICT;
  CREATE INDEX IF NOT EXISTS outcomes_by_tip ON outcomes (tip_id, metric, sequence);
  CREATE INDEX IF NOT EXISTS outcomes_pending ON outcomes (sequence) WHERE settled = 0;
  CREATE VIEW IF NOT EXISTS tip_scores AS
    SELECT tips.*,
      (SELECT value FROM outcomes WHERE outcomes.tip_id = tips.tip_id AND metric = 'completed'
        ORDER BY sequence DESC LIMIT 1) AS completed,
      (SELECT value FROM outcomes WHERE outcomes.tip_id = tips.tip_id AND metric = 'reaction'
        ORDER BY sequence DESC LIMIT 1) AS reaction
    FROM tips;
`;

interface TipScoreRow {
  readonly tip_id: string;
  readonly user_id: string;
  readonly text: string;
  readonly idea: string;
  readonly score_id: string | null;
  readonly generation_id: string;
  readonly prompt_version: string;
  readonly degraded: number;
  readonly shown_at_ms: number;
  readonly completed: string | null;
  readonly reaction: string | null;
}

interface PendingRow {
  readonly outcome_id: string;
  readonly tip_id: string;
  readonly metric: TipOutcome['metric'];
  readonly value: string;
  readonly occurred_at_ms: number;
  readonly generation_id: string;
  readonly score_id: string | null;
}

/** Opens the recommender's own database; `:memory:` keeps nothing. Values of outcomes are stored as JSON text. */
export function openTipStore(path: string): TipStore {
  const database = openDatabase(path);
  database.pragma('journal_mode = WAL');
  database.pragma('foreign_keys = ON');
  database.exec(SCHEMA);

  const insertTip = database.prepare<[string, string, string, string, string, number, number]>(
    `INSERT INTO tips (tip_id, user_id, text, generation_id, prompt_version, degraded, shown_at_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  const insertChoice = database.prepare<[string, string, string | null]>(
    'INSERT INTO tip_choices (tip_id, idea, score_id) VALUES (?, ?, ?)',
  );
  const findTip = database.prepare<[string]>('SELECT 1 FROM tips WHERE tip_id = ?');
  const insertOutcome = database.prepare<[string, string, string, string, number]>(
    'INSERT INTO outcomes (outcome_id, tip_id, metric, value, occurred_at_ms) VALUES (?, ?, ?, ?, ?)',
  );
  const selectProfile = database.prepare<
    [number, string],
    { volume: number | null; known: number; done: number }
  >(
    `SELECT sum(shown_at_ms >= ?) AS volume, count(completed) AS known, count(*) FILTER (WHERE completed = 'true') AS done
     FROM tip_scores WHERE user_id = ?`,
  );
  const selectHour = database.prepare<[string], { hour: number }>(
    `SELECT occurred_at_ms / 3600000 % 24 AS hour FROM outcomes JOIN tips USING (tip_id)
     WHERE user_id = ? GROUP BY hour ORDER BY count(*) DESC, hour LIMIT 1`,
  );
  const selectRecent = database.prepare<[string, number], { text: string }>(
    'SELECT text FROM tips WHERE user_id = ? ORDER BY shown_at_ms DESC, rowid DESC LIMIT ?',
  );
  const selectShown = database.prepare<[string], { idea: string; shown_at_ms: number }>(
    `SELECT idea, max(shown_at_ms) AS shown_at_ms FROM tips JOIN tip_choices USING (tip_id)
     WHERE user_id = ? GROUP BY idea`,
  );
  const selectPending = database.prepare<[number], PendingRow>(
    `SELECT outcome_id, tip_id, metric, value, occurred_at_ms, generation_id, score_id
     FROM outcomes JOIN tips USING (tip_id) LEFT JOIN tip_choices USING (tip_id)
     WHERE settled = 0 ORDER BY sequence LIMIT ?`,
  );
  const updateSettled = database.prepare<[string | null, string]>(
    'UPDATE outcomes SET settled = 1, refusal = ? WHERE outcome_id = ?',
  );
  const selectScores = database.prepare<[], TipScoreRow>(
    `SELECT tip_id, user_id, text, ifnull(idea, '') AS idea, score_id, generation_id, prompt_version, degraded, shown_at_ms, completed,
       reaction
     FROM tip_scores LEFT JOIN tip_choices USING (tip_id) ORDER BY shown_at_ms, tip_id`,
  );

  return {
    addTip: database.transaction((tip: ShownTip) => {
      insertTip.run(
        tip.tipId,
        tip.userId,
        tip.text,
        tip.generationId,
        tip.promptVersion,
        tip.degraded ? 1 : 0,
        tip.shownAtMs,
      );
      insertChoice.run(tip.tipId, tip.idea, tip.scoreId);
    }),
    addOutcomes: database.transaction((tipId: string, outcomes: readonly TipOutcome[]) => {
      if (findTip.get(tipId) === undefined) return false;
      for (const outcome of outcomes) {
        insertOutcome.run(
          outcome.outcomeId,
          tipId,
          outcome.metric,
          JSON.stringify(outcome.value),
          outcome.occurredAtMs,
        );
      }
      return true;
    }),
    profileOf: (userId, nowMs) => {
      const counts = selectProfile.get(nowMs - WEEK_MS, userId);
      const hour = selectHour.get(userId)?.hour;
      const known = counts?.known ?? 0;
      return {
        tip_volume: counts?.volume ?? 0,
        ...(known === 0 ? {} : { completion_rate: (counts?.done ?? 0) / known }),
        ...(hour === undefined ? {} : { preferred_hour: hour }),
      };
    },
    recentTips: (userId, limit) => selectRecent.all(userId, limit).map(({ text }) => text),
    lastShown: (userId) =>
      new Map(selectShown.all(userId).map(({ idea, shown_at_ms }) => [idea, shown_at_ms])),
    pendingOutcomes: (limit) =>
      selectPending.all(limit).map((row) => ({
        outcomeId: row.outcome_id,
        tipId: row.tip_id,
        metric: row.metric,
        value: JSON.parse(row.value) as TipOutcome['value'], // written by addOutcomes
        occurredAtMs: row.occurred_at_ms,
        generationId: row.generation_id,
        scoreId: row.score_id,
      })),
    settleOutcome: (outcomeId, refusal) => {
      updateSettled.run(refusal, outcomeId);
    },
    tipScores: () =>
      selectScores.all().map((row) => ({
        tipId: row.tip_id,
        userId: row.user_id,
        text: row.text,
        idea: row.idea,
        scoreId: row.score_id,
        generationId: row.generation_id,
        promptVersion: row.prompt_version,
        degraded: row.degraded === 1,
        shownAtMs: row.shown_at_ms,
        completed: row.completed === null ? null : row.completed === 'true',
        reaction: row.reaction === null ? null : (JSON.parse(row.reaction) as string), // written by addOutcomes
      })),
    close: () => {
      database.close();
    },
  };
}
