import type { Environment, GatewayConfig, LoadedConfig } from '../config/index.ts';
import { type Clock, errorCode, HOUR_MS, type Logger } from '../kernel/index.ts';
import type { Ledger } from '../ledger/index.ts';
import type { StorageSettings } from '../storage/sqlite/index.ts';

/** How often old idempotency keys are dropped, and how many at a time, so that the writer is never held up. */
const EXPIRY_INTERVAL_MS = 60_000;
const EXPIRY_BATCH = 500;
/** Between two batches when there are more: a busy gateway ages more keys in a minute than one batch holds. */
const EXPIRY_PAUSE_MS = 100;

/** What the `tip_scores` view needs to know of the configuration. */
export function storageSettings(config: GatewayConfig): StorageSettings {
  const primaryMetrics: Record<string, string> = {};
  for (const [prompt, settings] of Object.entries(config.prompts.settings)) {
    if (settings.primary_metric !== undefined) primaryMetrics[prompt] = settings.primary_metric;
  }
  return {
    metrics: Object.entries(config.metrics).map(([metric, declared]) => ({
      metric,
      type: declared.type,
      optimize: declared.optimize,
      windowMs: Math.round(declared.attribution_window_hours * HOUR_MS),
      missing: declared.missing,
    })),
    primaryMetrics,
    defaultPrimaryMetric: Object.keys(config.metrics)[0] ?? null,
  };
}

/** The operator's own key, or the one the database has kept since its first start. */
export function unitHashKey(loaded: LoadedConfig, environment: Environment, stored: string): string {
  const variable = loaded.config.ledger.unit_hash_key_env;
  return (variable === undefined ? null : environment.secret(variable)) ?? stored;
}

/** Drops idempotency keys past their time, now and then. Returns how to stop it. */
export function expireKeys(
  ledger: Ledger,
  ttlHours: number,
  clock: Clock,
  logger: Logger,
): () => Promise<void> {
  const stop = new AbortController();
  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      let dropped = 0;
      try {
        dropped = await ledger.expireIdempotencyKeys(clock.nowMs() - ttlHours * HOUR_MS, EXPIRY_BATCH);
      } catch (error) {
        logger.warn(
          { event: 'key_expiry_failed', code: errorCode(error), err: error },
          'old idempotency keys not dropped',
        );
      }
      await clock.sleep(dropped < EXPIRY_BATCH ? EXPIRY_INTERVAL_MS : EXPIRY_PAUSE_MS, stop.signal);
    }
  };
  const running = run();
  return async () => {
    stop.abort();
    await running;
  };
}
