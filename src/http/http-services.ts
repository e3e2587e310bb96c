import type { KeyGuard, KeyLimiter, KeyRing, Sessions } from '../access/index.ts';
import type {
  ExperimentOffPolicy,
  ExperimentReports,
  OverviewReports,
  PolicyReports,
  ShadowReports,
  TimeSeriesReports,
  VersionReports,
} from '../analytics/index.ts';
import type { ConfigStore } from '../config/index.ts';
import type { ExperimentStops, Labels, RolloutHistory } from '../experiments/index.ts';
import type { Clock, Ids, Logger } from '../kernel/index.ts';
import type { Ledger, LedgerReader, RetentionStatusSource } from '../ledger/index.ts';
import type { PromptStore } from '../prompts/index.ts';
import type { Routes } from '../providers/index.ts';
import type { ScorePolicies } from '../ranking/index.ts';
import type { GenerateService, OutcomeService, ScoreService } from '../serving/index.ts';
import type { DrainSwitch } from './drain-switch.ts';
import type { Metrics } from './metrics.ts';

/** Everything behind the edge: ports, and what the edge needs of time, ids and configuration. */
export interface HttpServices {
  readonly access: AccessServices;
  readonly generate: GenerateService;
  readonly scores: ScoreService;
  readonly scorePolicies: Pick<ScorePolicies, 'list' | 'find' | 'current'>;
  readonly outcomes: OutcomeService;
  readonly reports: VersionReports;
  readonly timeSeries: TimeSeriesReports;
  readonly overview: OverviewReports;
  readonly experimentReports: ExperimentReports;
  readonly shadowReports: ShadowReports;
  readonly experimentOffPolicy: ExperimentOffPolicy;
  readonly policyReports: PolicyReports;
  readonly config: Pick<ConfigStore, 'status'>;
  readonly prompts: Pick<PromptStore, 'current' | 'lastReload'>;
  readonly labels: Pick<Labels, 'list' | 'current' | 'history' | 'move'>;
  readonly rollouts: Pick<RolloutHistory, 'page'>;
  readonly stops: Pick<ExperimentStops, 'stop' | 'resume'>;
  readonly ledger: Pick<Ledger, 'health'>;
  readonly retention: RetentionStatusSource;
  readonly ledgerReader: Pick<LedgerReader, 'findGeneration' | 'listGenerations' | 'findScore'>;
  /** Keyed hash of a unit, as the ledger stores it. */
  readonly hashUnit: (kind: string, id: string) => string;
  readonly routes: Pick<Routes, 'names' | 'health'>;
  readonly metrics: Metrics;
  /** Shared with the server: once it is thrown, `/readyz` answers 503. */
  readonly drain: DrainSwitch;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly settings: HttpSettings;
}

export interface AccessServices {
  readonly keys: KeyRing;
  readonly sessions: Sessions;
  /** What keys and links have to pass. */
  readonly guard: Pick<KeyGuard, 'authenticate' | 'redeem'>;
  readonly limits: Pick<KeyLimiter, 'standings'>;
}

export interface HttpSettings {
  /** Names accepted in `Host` beside loopback: `server.allowed_hosts` and the bound host. Without port. */
  readonly allowedHosts: readonly string[];
  /** Addresses and networks whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  /** `ledger.on_failure`. */
  readonly onLedgerFailure: 'fail' | 'serve';
  readonly maxBodyBytes: number;
  readonly maxJsonDepth: number;
  /** `/metrics` answers without a key, too. */
  readonly publicMetrics: boolean;
  /** Prompt of a call that names none. */
  readonly defaultPrompt: string;
  readonly gatewayVersion: string;
  /** What the build of the admin page wrote. */
  readonly dashboardFolder: string;
}
