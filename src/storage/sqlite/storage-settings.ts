import type { Connection } from './connection.ts';

/** What the `tip_scores` view needs of the configuration: copied into tables at every start. */
export interface StorageSettings {
  readonly metrics: readonly MetricDefinition[];
  /** Prompt → metric, for prompts that name one. */
  readonly primaryMetrics: Readonly<Record<string, string>>;
  /** Metric of every other prompt; null when no metric is declared. */
  readonly defaultPrimaryMetric: string | null;
}

interface MetricDefinition {
  readonly metric: string;
  readonly type: 'boolean' | 'float' | 'categorical';
  readonly optimize: 'max' | 'min';
  readonly windowMs: number;
  readonly missing: 'exclude' | 'zero';
}

const UNIT_HASH_KEY = 'unit_hash_key';

export function syncSettings(database: Connection, settings: StorageSettings): void {
  const insertMetric = database.prepare(
    'INSERT INTO metric_definitions (metric, type, optimize, window_ms, missing) VALUES (?, ?, ?, ?, ?)',
  );
  const insertPrompt = database.prepare('INSERT INTO prompt_settings (prompt, primary_metric) VALUES (?, ?)');
  database
    .transaction(() => {
      database.exec('DELETE FROM metric_definitions; DELETE FROM prompt_settings');
      for (const { metric, type, optimize, windowMs, missing } of settings.metrics) {
        insertMetric.run(metric, type, optimize, windowMs, missing);
      }
      for (const [prompt, metric] of Object.entries(settings.primaryMetrics))
        insertPrompt.run(prompt, metric);
      if (settings.defaultPrimaryMetric !== null) insertPrompt.run('', settings.defaultPrimaryMetric);
    })
    .immediate();
}

/** The key of the unit hash: made once per database, so that one user has one key for as long as the file lives. */
export function unitHashKey(database: Connection, makeKey: () => string): string {
  database
    .prepare('INSERT INTO instance_settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING')
    .run(UNIT_HASH_KEY, makeKey());
  return String(
    database.prepare('SELECT value FROM instance_settings WHERE name = ?').pluck().get(UNIT_HASH_KEY),
  );
}
