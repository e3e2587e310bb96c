import { createShadowReports, type ShadowReports } from '../analytics/index.ts';
import type { ConfigStore, Environment } from '../config/index.ts';
import type { Clock, Ids, Logger, Random } from '../kernel/index.ts';
import type { PromptStore } from '../prompts/index.ts';
import { type CreatedRoutes, createRoutes } from '../providers/index.ts';
import {
  createShadowRunner,
  loadShadowRules,
  type ShadowRunner,
  type ShadowRunnerOptions,
  shadowRuleFaults,
} from '../serving/index.ts';
import type { SqliteStorage } from '../storage/sqlite/index.ts';

/** How shadow calls are recorded: as live ones are. */
type Recording = Pick<
  ShadowRunnerOptions,
  'redaction' | 'storeText' | 'hashUnit' | 'configHash' | 'gatewayVersion'
>;

export interface ShadowsOptions extends Recording {
  readonly store: ConfigStore;
  readonly environment: Environment;
  readonly prompts: PromptStore;
  readonly storage: Pick<SqliteStorage, 'ledger' | 'shadowLedger' | 'shadowReader'>;
  readonly liveRoutes: ShadowRunnerOptions['liveRoutes'];
  readonly observer: ShadowRunnerOptions['observer'];
  /** Asked only once something is ranked. */
  readonly policies: () => ShadowRunnerOptions['policies'];
  readonly ids: Ids;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface Shadows {
  readonly runner: ShadowRunner;
  readonly reports: ShadowReports;
  close(): Promise<void>;
}

/** Shadow runs; their rules follow every reload. Fails with `config_invalid` when a rule names a missing version. */
export async function openShadows(options: ShadowsOptions): Promise<Shadows> {
  const { store, environment, prompts, storage, clock, random, logger, gatewayVersion: version } = options;
  const { config } = store.current();
  const registry = () => prompts.current();
  let rules = loadShadowRules(config, registry());
  store.addCheck(async (next) => shadowRuleFaults(next.config, registry()));
  store.addPreparation(async (next) => {
    const loaded = loadShadowRules(next.config, registry());
    return () => {
      rules = loaded;
    };
  });

  // Breakers, limits and connections of their own; not made before somebody shadows something.
  let made: CreatedRoutes | null = null;
  const routes = (): CreatedRoutes => {
    made ??= createRoutes({ config, environment, clock, random, logger, version });
    return made;
  };
  const runner = createShadowRunner({
    ...options,
    rules: () => rules,
    routes,
    policies: {
      find: (name) => options.policies().find(name),
      current: (name) => options.policies().current(name),
    },
    ledger: storage.ledger,
    maxQueuedWrites: config.ledger.max_queued_writes,
    shadowLedger: storage.shadowLedger,
    spending: storage.shadowReader,
    // A turn of the event loop later the answer is with the socket.
    defer: (run) => {
      setImmediate(run);
    },
    drainTimeoutMs: config.server.drain_timeout_ms,
  });
  await runner.restore();
  return {
    runner,
    reports: createShadowReports({
      reader: storage.shadowReader,
      rules: () => rules,
      activity: runner.activity,
      prompts: registry,
      clock,
    }),
    close: async () => {
      await runner.close();
      await made?.close();
    },
  };
}
