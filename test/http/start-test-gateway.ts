import { connect } from 'node:net';
import { createKeyGuard, createKeyLimiter, createKeyRing, createSessions } from '../../src/access/index.ts';
import { createLabels, NO_GATE } from '../../src/experiments/index.ts';
import type { HttpServices, HttpSettings, RunningServer, SocketLimits } from '../../src/http/index.ts';
import {
  createApp,
  createDrainSwitch,
  createMetrics,
  type DrainSwitch,
  startServer,
} from '../../src/http/index.ts';
import {
  AppError,
  type Logger,
  seededRandom,
  silentLogger,
  systemClock,
  systemIds,
} from '../../src/kernel/index.ts';
import type { StoredGeneration, StoredScore } from '../../src/ledger/index.ts';
import type { PromptStore } from '../../src/prompts/index.ts';
import type { TargetHealth } from '../../src/providers/index.ts';
import { createRedaction, createScoreService, type OutcomeSubmission } from '../../src/serving/index.ts';
import { idleRetention } from '../fakes/idle-retention.ts';
import { memoryApiKeys } from '../fakes/memory-api-keys.ts';
import { memoryLabelEvents } from '../fakes/memory-label-events.ts';
import { type RecordingLedger, recordingLedger } from '../fakes/recording-ledger.ts';
import { type ScriptedGenerateService, scriptedGenerateService } from '../fakes/scripted-generate-service.ts';
import { scriptedPrompts, scriptedVersion } from '../fakes/scripted-prompts.ts';
import { scriptedScorePolicies } from '../fakes/scripted-score-policies.ts';

interface LogLine {
  readonly level: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export interface TestGateway {
  readonly url: string;
  readonly port: number;
  readonly server: RunningServer;
  readonly drain: DrainSwitch;
  readonly generate: ScriptedGenerateService;
  readonly ledger: RecordingLedger;
  readonly retention: ReturnType<typeof idleRetention>;
  readonly submissions: OutcomeSubmission[];
  readonly generations: Map<string, StoredGeneration>;
  readonly storedScores: Map<string, StoredScore>;
  readonly targets: TargetHealth[];
  readonly logLines: LogLine[];
  readonly services: HttpServices;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  put(path: string, body: unknown): Promise<Response>;
  /** Writes bytes on a bare socket and resolves with all that came back before it closed. */
  raw(bytes: string, closeAfterMs?: number): Promise<string>;
  close(): Promise<void>;
}

export interface TestGatewayOptions {
  readonly settings?: Partial<HttpSettings>;
  readonly limits?: Partial<SocketLimits>;
  readonly prompts?: PromptStore;
  /** Default: one policy that has learnt. */
  readonly scorePolicies?: HttpServices['scorePolicies'];
  readonly services?: Partial<HttpServices>;
  readonly config?: HttpServices['config'];
}

/** The real app on a real socket over scripted rooms. */
export async function startTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const generate = scriptedGenerateService();
  const ledger = recordingLedger();
  const submissions: OutcomeSubmission[] = [];
  const generations = new Map<string, StoredGeneration>();
  const storedScores = new Map<string, StoredScore>();
  const targets: TargetHealth[] = [];
  const logLines: LogLine[] = [];
  const drain = createDrainSwitch();
  const retention = idleRetention();
  const prompts =
    options.prompts ??
    scriptedPrompts([
      scriptedVersion('tip', 'v1'),
      scriptedVersion('tip', 'v2'),
      scriptedVersion('digest', 'v1'),
    ]);
  const config = options.config ?? {
    status: () => ({ lastReload: null, counts: { changed: 0, unchanged: 0, failed: 0 } }),
  };
  const routes = { names: () => ['default', 'cheap/fast'], health: () => targets };
  const stops = {
    find: () => null,
    alarm: () => null,
    stop: async () => {
      throw new Error('no stop scripted');
    },
    resume: async () => {
      throw new Error('no resumption scripted');
    },
  };
  const keys = createKeyRing({ store: memoryApiKeys(), clock: systemClock, logger: silentLogger });
  const limits = createKeyLimiter({
    limitsOf: keys.limitsOf,
    spend: { spentOn: async () => 0 },
    clock: systemClock,
  });
  const links = {
    redeem: async () => {
      throw new AppError('unauthorized', 'no link scripted');
    },
  };
  const guard = createKeyGuard({
    keys,
    links,
    maxWrongPerMinute: 20,
    clock: systemClock,
    logger: silentLogger,
  });
  const metrics = createMetrics({
    guard,
    config,
    experiments: { experiments: () => [], stops },
    prompts,
    ledger,
    retention,
    routes,
    limits,
    gatewayVersion: '0.0.0-test',
  });
  const scorePolicies = options.scorePolicies ?? scriptedScorePolicies();
  const services: HttpServices = {
    access: {
      keys,
      sessions: createSessions(Buffer.from('signing key of the test'), systemClock),
      guard,
      limits,
    },
    generate,
    scores: createScoreService({
      policies: scorePolicies,
      ledger,
      ids: systemIds(),
      clock: systemClock,
      random: seededRandom(1),
      logger: silentLogger,
      observer: metrics,
      onLedgerFailure: 'fail',
      redaction: createRedaction([]),
      hashUnit: (kind, id) => `hash(${kind}:${id})`,
      configHash: () => 'config-hash',
      gatewayVersion: '0.0.0-test',
    }),
    scorePolicies,
    outcomes: {
      record: async (given) => {
        submissions.push(...given);
        return {
          accepted: given.length,
          duplicates: 0,
          outcomeIds: given.map((entry, n) => entry.outcomeId ?? `out_${n}`),
        };
      },
    },
    hashUnit: (kind, id) => `hash(${kind}:${id})`,
    overview: {
      overview: async () => {
        throw new Error('no overview scripted');
      },
    },
    timeSeries: {
      timeSeries: async () => {
        throw new Error('no time series scripted');
      },
    },
    experimentReports: {
      list: () => [],
      experimentReport: async () => {
        throw new Error('no report scripted');
      },
      experimentHistory: async () => {
        throw new Error('no history scripted');
      },
    },
    policyReports: {
      policyReport: async () => {
        throw new Error('no report scripted');
      },
    },
    experimentOffPolicy: {
      evaluate: async () => {
        throw new Error('no evaluation scripted');
      },
    },
    shadowReports: {
      list: async () => [],
      shadowReport: async () => {
        throw new Error('no report scripted');
      },
    },
    reports: {
      versionReport: async () => {
        throw new Error('no report scripted');
      },
    },
    config,
    prompts,
    rollouts: { page: async () => [] },
    stops,
    labels: createLabels({
      gates: { admitMove: async () => ({ finding: NO_GATE, live: [] }) },
      store: memoryLabelEvents(),
      registry: () => prompts.current(),
      experiments: (prompt) => (prompt === 'tip' ? ['tone'] : []),
      ids: systemIds(),
      clock: systemClock,
      logger: silentLogger,
    }),
    ledger,
    retention,
    ledgerReader: {
      findGeneration: async (id) => generations.get(id) ?? null,
      listGenerations: async () => ({ generations: [], next: null }),
      findScore: async (id) => storedScores.get(id) ?? null,
    },
    routes,
    metrics,
    drain,
    clock: systemClock,
    ids: systemIds(),
    logger: recordingLogger(logLines),
    settings: {
      allowedHosts: [],
      trustedProxies: [],
      onLedgerFailure: 'fail',
      maxBodyBytes: 1_048_576,
      publicMetrics: false,
      maxJsonDepth: 64,
      defaultPrompt: 'tip',
      gatewayVersion: '0.0.0-test',
      dashboardFolder: '/nonexistent/dashboard',
      ...options.settings,
    },
    ...options.services,
  };
  const server = await startServer({
    app: createApp(services),
    host: '127.0.0.1',
    port: 0,
    drain,
    clock: systemClock,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  return {
    url: server.url,
    port: server.port,
    server,
    drain,
    generate,
    ledger,
    retention,
    submissions,
    generations,
    storedScores,
    targets,
    logLines,
    services,
    post: (path, body, headers = {}) =>
      fetch(`${server.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    put: (path, body) =>
      fetch(`${server.url}${path}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    raw: (bytes, closeAfterMs) => exchange(server.port, bytes, closeAfterMs),
    close: async () => {
      await server.closeGracefully({ drainTimeoutMs: 50 });
    },
  };
}

function recordingLogger(lines: LogLine[]): Logger {
  const at = (level: string) => (fields: object, message: string) => {
    lines.push({ level, fields: { ...fields }, message });
  };
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}

function exchange(port: number, bytes: string, closeAfterMs = 5_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    const timer = setTimeout(() => socket.destroy(), closeAfterMs);
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
    });
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(received);
    });
    socket.write(bytes, 'latin1');
  });
}
