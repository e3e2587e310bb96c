import { fileURLToPath } from 'node:url';
import type { Environment, LoadedConfig } from '../config/index.ts';
import { createExperimentsInForce } from '../experiments/index.ts';
import { createApp, createDrainSwitch, createMetrics, startServer } from '../http/index.ts';
import {
  type Clock,
  createLogger,
  type Fault,
  hmacSha256Hex,
  type Ids,
  type Logger,
  type Random,
  systemClock,
  systemIds,
  systemRandom,
} from '../kernel/index.ts';
import { createPromptStore, type PromptStore } from '../prompts/index.ts';
import { createRoutes, describeProviders, type ProviderDescription } from '../providers/index.ts';
import {
  createGenerateService,
  createOutcomeService,
  createRedaction,
  promptSettingWarnings,
} from '../serving/index.ts';
import { openSqliteStorage } from '../storage/sqlite/index.ts';
import { gatewayVersion } from '../version.ts';
import { keepRetention } from './keep-retention.ts';
import { expireKeys, storageSettings, unitHashKey } from './ledger-settings.ts';
import { openAccess } from './open-access.ts';
import { createReloads, type GatewayReload, openConfig } from './open-config.ts';
import { openRanking } from './open-ranking.ts';
import { openReports } from './open-reports.ts';
import { openRollouts } from './open-rollouts.ts';
import { openSelection } from './open-selection.ts';
import { openShadows } from './open-shadows.ts';

/** The same depth from `src/` and from `dist/`. */
const DASHBOARD_FOLDER = fileURLToPath(new URL('../../dist/dashboard', import.meta.url));

export interface StartOptions {
  readonly environment: Environment;
  readonly loaded: LoadedConfig;
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly ids?: Ids;
}

export interface RunningGateway {
  /** `http://127.0.0.1:8787` */
  readonly url: string;
  /** Works once, for ten minutes: signs in on the admin page with every right. Null: the database took no writes. */
  readonly signInUrl: string | null;
  /** It had no API keys at the start: whoever reaches it may do everything. */
  readonly isOpen: boolean;
  /** As it was at the start. */
  readonly config: LoadedConfig;
  readonly prompts: PromptStore;
  readonly providers: readonly ProviderDescription[];
  /** What is odd but no reason to refuse the start. */
  readonly warnings: readonly Fault[];
  /** Reads prompts and configuration again. Never fails for faulty files: the reports name what is wrong. */
  reload(): Promise<GatewayReload>;
  /** Drains: running calls and streams end, queued writes are committed. Idempotent. */
  close(): Promise<void>;
}

/**
 * The one wiring: configuration → adapters → rooms → server. Fails with `config_invalid`, `prompts_invalid` and
 * `storage_invalid`, all faults at once, and leaves nothing open then.
 */
export async function startGateway(options: StartOptions): Promise<RunningGateway> {
  const { environment, loaded } = options;
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom;
  const ids = options.ids ?? systemIds();
  const { config } = loaded;
  const logger = options.logger ?? createLogger(config.log.level);
  const opened: (() => Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of opened.splice(0).reverse()) await close();
  };

  const store = openConfig(loaded, environment, clock, logger);
  const reloads = createReloads(store, logger);

  try {
    const prompts = await createPromptStore({
      directory: loaded.promptsDirectory,
      limits: {
        maxSourceBytes: config.prompts.max_source_bytes,
        maxMustaches: config.prompts.max_mustaches,
        maxLoopSteps: config.prompts.max_loop_steps,
        maxOutputBytes: config.prompts.max_output_bytes,
      },
      strict: config.prompts.strict,
      clock,
      logger,
      onReload: (report) => reloads.afterPrompts(report, experiments.current(), prompts.current()),
    });
    opened.push(() => prompts.close());
    const registry = () => prompts.current();
    // Before anything is made on disk.
    const experiments = createExperimentsInForce(store, registry);

    const storage = await openSqliteStorage({
      file: loaded.databaseFile,
      durability: config.ledger.durability,
      maxQueuedWrites: config.ledger.max_queued_writes,
      maxBytes: config.ledger.retention.max_bytes,
      settings: storageSettings(config),
      clock,
      logger,
      threads: true,
    });
    opened.push(() => storage.close());
    const retention = keepRetention({
      ledger: storage.retention,
      config,
      policies: () => Object.keys(store.current().config.policies),
      clock,
      logger,
    });
    opened.push(retention.close);

    const access = await openAccess({
      storage,
      host: config.server.host,
      maxWrongKeysPerMinute: config.server.max_wrong_keys_per_minute,
      clock,
      logger,
    });
    opened.push(access.close);

    const rollouts = await openRollouts({
      store,
      storage,
      registry,
      experiments: experiments.current,
      ids,
      clock,
      logger,
    });
    opened.push(rollouts.close);

    const selection = await openSelection({
      store,
      experiments,
      gates: rollouts.gates,
      running: rollouts.running,
      prompts,
      storage,
      environment,
      ids,
      clock,
      logger,
    });
    opened.push(selection.close);
    const { labels } = selection;
    await rollouts.guard(labels);

    const routes = createRoutes({
      config,
      environment,
      clock,
      random,
      logger,
      version: gatewayVersion(),
    });
    opened.push(() => routes.close());

    const { ledger } = storage;
    const metrics = createMetrics({
      config: store,
      experiments: { experiments: experiments.current, stops: rollouts.stops },
      prompts,
      ledger,
      retention,
      routes,
      limits: access.limits,
      guard: access.guard,
      gatewayVersion: gatewayVersion(),
    });
    const hashKey = unitHashKey(loaded, environment, storage.unitHashKey);
    const recording = {
      redaction: createRedaction(config.ledger.redact),
      storeText: config.ledger.store_text,
      hashUnit: (kind: string, id: string) => hmacSha256Hex(hashKey, `${kind}:${id}`),
      configHash: () => store.current().hash,
      gatewayVersion: gatewayVersion(),
    };
    const shadows = await openShadows({
      ...recording,
      store,
      environment,
      prompts,
      storage,
      liveRoutes: routes,
      policies: () => ranking.policies,
      observer: metrics,
      ids,
      clock,
      random,
      logger,
    });
    opened.push(shadows.close);
    const generate = createGenerateService({
      ...recording,
      shadows: shadows.runner,
      limits: access.limits,
      callers: access.keys,
      prompts,
      selector: selection.selector,
      defaultPromptVersion: environment.defaultPromptVersion,
      config,
      routes,
      ids,
      clock,
      random,
      ledger,
      logger,
      observer: metrics,
      onLedgerFailure: config.ledger.on_failure,
    });
    const ranking = await openRanking({
      ...recording,
      shadows: shadows.runner,
      store,
      storage,
      observer: metrics,
      ids,
      clock,
      random,
      logger,
    });
    opened.push(ranking.close);
    const outcomes = createOutcomeService({
      ledger,
      metrics: config.metrics,
      redaction: recording.redaction,
      clock,
      ids,
      observer: metrics,
    });
    const reports = openReports({
      storage,
      store,
      config,
      environment,
      prompts,
      labels,
      experiments: experiments.current,
      rollouts,
      policies: ranking.policies,
      keys: access.keys,
      routes,
      clock,
      logger,
    });
    opened.push(reports.close);
    const drain = createDrainSwitch();
    const app = createApp({
      access,
      generate,
      scores: ranking.scores,
      scorePolicies: ranking.policies,
      outcomes,
      ...reports.services,
      shadowReports: shadows.reports,
      config: store,
      prompts,
      labels,
      rollouts: rollouts.history,
      stops: rollouts.stops,
      ledger,
      retention,
      ledgerReader: storage.ledgerReader,
      hashUnit: recording.hashUnit,
      routes,
      metrics,
      drain,
      clock,
      ids,
      logger,
      settings: {
        allowedHosts: [...config.server.allowed_hosts, config.server.host],
        trustedProxies: config.server.trusted_proxies,
        onLedgerFailure: config.ledger.on_failure,
        maxBodyBytes: config.server.max_body_bytes,
        maxJsonDepth: config.server.max_json_depth,
        publicMetrics: config.server.public_metrics,
        defaultPrompt: config.prompts.default,
        gatewayVersion: gatewayVersion(),
        dashboardFolder: DASHBOARD_FOLDER,
      },
    });
    const server = await startServer({
      app,
      host: config.server.host,
      port: config.server.port,
      drain,
      clock,
    });
    opened.push(async () => {
      await server.closeGracefully({ drainTimeoutMs: config.server.drain_timeout_ms });
    });
    opened.push(expireKeys(ledger, config.ledger.idempotency_ttl_hours, clock, logger));
    if (config.prompts.watch) prompts.watch();
    if (config.watch_config) store.watch();
    // The first to close: a reload needs everything else.
    opened.push(() => store.close());

    // No reason to refuse a start: keys sign in too.
    const signInToken = await access.links.issue().catch(() => null);
    let closing: Promise<void> | null = null;
    return {
      url: server.url,
      // In the fragment, which browsers send to nobody: it stands in no log of a server or a proxy.
      signInUrl: signInToken === null ? null : `${server.url}/admin/sign-in#${signInToken}`,
      isOpen: access.keys.isOpen(),
      config: loaded,
      prompts,
      providers: describeProviders(config, environment),
      warnings: [
        ...loaded.warnings,
        ...routes.warnings.map((message) => ({ path: 'routes', message })),
        ...prompts.current().warnings,
        ...promptSettingWarnings(prompts.current(), config),
        ...selection.warnings,
      ],
      reload: () => reloads.all(prompts),
      close: () => {
        shadows.runner.beginDrain();
        closing ??= announceDrain(drain, config.server.drain_delay_ms, clock).then(closeAll);
        return closing;
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** Load balancers see 503 at `/readyz` for a while before the listener closes. */
async function announceDrain(drain: { begin(): void }, delayMs: number, clock: Clock): Promise<void> {
  drain.begin();
  if (delayMs > 0) await clock.sleep(delayMs);
}
