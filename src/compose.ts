import { createExperimentReports, createVersionReports } from './analytics/index.ts';
import type { Environment, GatewayConfig, LoadedConfig } from './config/index.ts';
import {
  createLabels,
  createPolicyRunner,
  createSelector,
  createUnitAssigner,
  defaultVersionWarnings,
  experimentWarnings,
  loadExperiments,
} from './experiments/index.ts';
import { createApp, createDrainSwitch, createMetrics, startServer } from './http/index.ts';
import {
  AppError,
  type Clock,
  createLogger,
  errorCode,
  type Fault,
  HOUR_MS,
  hmacSha256Hex,
  type Ids,
  type Logger,
  type Random,
  systemClock,
  systemIds,
  systemRandom,
} from './kernel/index.ts';
import type { Ledger } from './ledger/index.ts';
import { createPromptStore, type PromptStore, type ReloadReport } from './prompts/index.ts';
import { createRoutes, describeProviders, type ProviderDescription } from './providers/index.ts';
import {
  createGenerateService,
  createOutcomeService,
  createRedaction,
  promptSettingWarnings,
} from './serving/index.ts';
import { openSqliteStorage, type StorageSettings } from './storage/sqlite/index.ts';
import { gatewayVersion } from './version.ts';

const LOOPBACK_HOSTS = ['127.0.0.1', '::1', 'localhost'];
/** How often old idempotency keys are dropped, and how many at a time, so that the writer is never held up. */
const EXPIRY_INTERVAL_MS = 60_000;
const EXPIRY_BATCH = 500;

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
  readonly config: LoadedConfig;
  readonly prompts: PromptStore;
  readonly providers: readonly ProviderDescription[];
  /** What is odd but no reason to refuse the start. */
  readonly warnings: readonly Fault[];
  reloadPrompts(): Promise<ReloadReport>;
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
  refuseOpenNetwork(config.server.host);
  const logger = options.logger ?? createLogger(config.log.level);
  const opened: (() => Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of opened.splice(0).reverse()) await close();
  };

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
    });
    opened.push(() => prompts.close());
    // Before anything is made on disk.
    const experiments = loadExperiments(config, prompts.current());

    const storage = await openSqliteStorage({
      file: loaded.databaseFile,
      durability: config.ledger.durability,
      maxQueuedWrites: config.ledger.max_queued_writes,
      settings: storageSettings(config),
      clock,
      logger,
      threads: true,
    });
    opened.push(() => storage.close());

    const labels = createLabels({
      store: storage.labelEvents,
      registry: () => prompts.current(),
      experiments: (prompt) =>
        experiments.filter((experiment) => experiment.prompt === prompt).map(({ name }) => name),
      ids,
      clock,
      logger,
    });
    opened.push(() => labels.close());
    const labelWarnings = await labels.seed(config.labels);
    labels.start();

    const routes = createRoutes({
      config,
      environment,
      clock,
      random,
      logger,
      version: gatewayVersion(),
    });
    opened.push(() => routes.close());

    const policies = createPolicyRunner({
      experiments,
      metrics: config.metrics,
      snapshots: storage.policySnapshots,
      rewards: storage.experimentReader,
      clock,
      logger,
    });
    opened.push(() => policies.close());
    await policies.restore();
    policies.start();
    const assigner = createUnitAssigner({ assignments: storage.assignments, snapshots: policies, clock });

    const { ledger } = storage;
    const metrics = createMetrics({ prompts, ledger, routes, gatewayVersion: gatewayVersion() });
    const hashKey = unitHashKey(loaded, environment, storage.unitHashKey);
    const generate = createGenerateService({
      prompts,
      selector: createSelector({ labels, experiments, assigner, snapshots: policies, clock }),
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
      redaction: createRedaction(config.ledger.redact),
      storeText: config.ledger.store_text,
      hashUnit: (kind, id) => hmacSha256Hex(hashKey, `${kind}:${id}`),
      configHash: loaded.hash,
      gatewayVersion: gatewayVersion(),
    });
    const outcomes = createOutcomeService({ ledger, metrics: config.metrics, clock, ids, observer: metrics });
    const reports = createVersionReports({
      reader: storage.reportReader,
      prompts: () => prompts.current(),
      config,
      clock,
    });
    const experimentReports = createExperimentReports({
      reader: storage.experimentReader,
      experiments: () => experiments,
      snapshots: storage.policySnapshots,
      config,
      clock,
    });
    const drain = createDrainSwitch();
    const app = createApp({
      generate,
      outcomes,
      reports,
      experimentReports,
      prompts,
      labels,
      ledger,
      ledgerReader: storage.ledgerReader,
      routes,
      metrics,
      drain,
      clock,
      ids,
      logger,
      settings: {
        allowedHosts: [...config.server.allowed_hosts, config.server.host],
        maxBodyBytes: config.server.max_body_bytes,
        maxJsonDepth: config.server.max_json_depth,
        defaultPrompt: config.prompts.default,
        gatewayVersion: gatewayVersion(),
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

    let closing: Promise<void> | null = null;
    return {
      url: server.url,
      config: loaded,
      prompts,
      providers: describeProviders(config, environment),
      warnings: [
        ...loaded.warnings,
        ...routes.warnings.map((message) => ({ path: 'routes', message })),
        ...prompts.current().warnings,
        ...promptSettingWarnings(prompts.current(), config),
        ...labelWarnings,
        ...defaultVersionWarnings(prompts.current(), environment.defaultPromptVersion, {
          labels,
          experiments,
        }),
        ...experimentWarnings(experiments, prompts.current()),
      ],
      reloadPrompts: async () => {
        const report = await prompts.reload();
        // The store logs changes and faults; whoever asked wants an answer also when there were none.
        logger.info({ event: 'prompts_reload_requested', ...report }, 'prompts were read again, as asked');
        return report;
      },
      close: () => {
        closing ??= announceDrain(drain, config.server.drain_delay_ms, clock).then(closeAll);
        return closing;
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** Without API keys whoever reaches the port may spend the provider's money. */
function refuseOpenNetwork(host: string): void {
  if (LOOPBACK_HOSTS.includes(host)) return;
  throw new AppError(
    'config_invalid',
    `refusing to listen on ${host}: there are no API keys, so only loopback is safe. Set server.host (or HOST) to 127.0.0.1 and put an authenticating proxy in front.`,
  );
}

/** What the `tip_scores` view needs to know of the configuration. */
function storageSettings(config: GatewayConfig): StorageSettings {
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

/** Load balancers see 503 at `/readyz` for a while before the listener closes. */
async function announceDrain(drain: { begin(): void }, delayMs: number, clock: Clock): Promise<void> {
  drain.begin();
  if (delayMs > 0) await clock.sleep(delayMs);
}

/** The operator's own key, or the one the database has kept since its first start. */
function unitHashKey(loaded: LoadedConfig, environment: Environment, stored: string): string {
  const variable = loaded.config.ledger.unit_hash_key_env;
  return (variable === undefined ? null : environment.secret(variable)) ?? stored;
}

/** Drops idempotency keys past their time, now and then. Returns how to stop it. */
function expireKeys(ledger: Ledger, ttlHours: number, clock: Clock, logger: Logger): () => Promise<void> {
  const stop = new AbortController();
  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        await ledger.expireIdempotencyKeys(clock.nowMs() - ttlHours * HOUR_MS, EXPIRY_BATCH);
      } catch (error) {
        logger.warn(
          { event: 'key_expiry_failed', code: errorCode(error), err: error },
          'old idempotency keys not dropped',
        );
      }
      await clock.sleep(EXPIRY_INTERVAL_MS, stop.signal);
    }
  };
  const running = run();
  return async () => {
    stop.abort();
    await running;
  };
}
