import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { KeyGuard, KeyLimiter } from '../access/index.ts';
import type { ConfigStore } from '../config/index.ts';
import type { Ledger, RetentionStatusSource } from '../ledger/index.ts';
import type { PromptStore } from '../prompts/index.ts';
import type { Routes } from '../providers/index.ts';
import type { GenerationObserver, ScoreObserver, ShadowObserver } from '../serving/index.ts';
import { sampleGuesses, sampleRefusals } from './access-metrics.ts';
import { sampleReloads } from './config-metrics.ts';
import { type ExperimentStates, sampleExperiments } from './experiment-metrics.ts';
import { createPromptLabels } from './prompt-labels.ts';
import { sampleRetention } from './retention-metrics.ts';
import { createShadowMetrics } from './shadow-metrics.ts';

/** What `/metrics` shows, and where it is counted. */
export interface Metrics extends GenerationObserver, ScoreObserver, ShadowObserver {
  request(observation: {
    /** Pattern of the route, never the raw path. */
    readonly route: string;
    readonly method: string;
    readonly status: number;
    readonly durationMs: number;
  }): void;
  /** Prometheus text format 0.0.4. */
  scrape(): Promise<string>;
  readonly contentType: string;
}

export interface MetricsSources {
  readonly config: Pick<ConfigStore, 'status'>;
  readonly experiments: ExperimentStates;
  readonly prompts: Pick<PromptStore, 'current'>;
  readonly ledger: Pick<Ledger, 'health'>;
  readonly retention: RetentionStatusSource;
  readonly routes: Pick<Routes, 'health'>;
  readonly limits: Pick<KeyLimiter, 'refusals'>;
  readonly guard: Pick<KeyGuard, 'guesses'>;
  readonly gatewayVersion: string;
}

/** From half a millisecond (a validation error) to the longest default deadline, in seconds. */
const REQUEST_BUCKETS_SECONDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];
/** What the gateway itself may cost, in seconds. */
const OVERHEAD_BUCKETS_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5];

/** `promtool check metrics` objects to their names, and nothing here depends on them. */
const DROPPED_DEFAULTS = [
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_requests',
  'nodejs_active_requests_total',
  'nodejs_active_resources',
  'nodejs_active_resources_total',
];

const KNOWN_METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
]);
const CIRCUIT_STATES = ['closed', 'half_open', 'open'] as const;

/** Own registry: two gateways in one process (tests) must not share counters. */
export function createMetrics(sources: MetricsSources): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of DROPPED_DEFAULTS) registry.removeSingleMetric(name);
  const calls = callMetrics(registry);
  sampleHealth(registry, sources);
  sampleReloads(registry, sources.config);
  sampleRefusals(registry, sources.limits);
  sampleGuesses(registry, sources.guard);
  sampleExperiments(registry, sources.experiments);
  sampleRetention(registry, sources.retention);
  const promptLabels = createPromptLabels(sources.prompts);

  return {
    ...createShadowMetrics(registry),
    contentType: registry.contentType,
    scrape: () => registry.metrics(),
    request({ route, method, status, durationMs }) {
      calls.request
        .labels(route, KNOWN_METHODS.has(method) ? method : 'other', String(status))
        .observe(durationMs / 1_000);
    },
    generation(observation) {
      const { prompt, promptVersion } = promptLabels(observation.prompt, observation.promptVersion);
      const provider = observation.provider ?? 'none';
      const { surface } = observation;
      calls.generations
        .labels(surface, prompt, promptVersion, provider, observation.status, observation.errorCode ?? 'none')
        .inc();
      calls.generationSeconds.labels(surface, prompt, promptVersion).observe(observation.totalMs / 1_000);
      calls.overheadSeconds
        .labels(surface)
        .observe(Math.max(0, observation.totalMs - observation.providerMs) / 1_000);
      calls.providerSeconds.labels(provider).observe(observation.providerMs / 1_000);
      calls.commitSeconds.observe(observation.commitMs / 1_000);
      if (observation.firstTokenMs !== null) {
        calls.firstTokenSeconds.labels(provider).observe(observation.firstTokenMs / 1_000);
      }
      if (observation.inputTokens !== null) {
        calls.tokens.labels(prompt, promptVersion, provider, 'input').inc(observation.inputTokens);
      }
      if (observation.outputTokens !== null) {
        calls.tokens.labels(prompt, promptVersion, provider, 'output').inc(observation.outputTokens);
      }
      if (observation.costNanoUsd !== null) {
        calls.cost.labels(prompt, promptVersion, provider).inc(observation.costNanoUsd / 1e9);
      }
      for (const attempt of observation.attempts)
        calls.attempts.labels(attempt.provider, attempt.outcome).inc();
      if (observation.degraded) calls.degraded.labels(prompt, promptVersion).inc();
      if (!observation.recorded) calls.unrecorded.inc();
      if (observation.leftOut !== null) {
        calls.leftOut.labels(observation.leftOut.experiment, observation.leftOut.reason).inc();
      }
    },
    score({ policy, status, rankMs, commitMs, totalMs }) {
      // Names come from the configuration, never from the caller: the series are bounded.
      const label = policy ?? 'unknown';
      calls.scores.labels(label, status).inc();
      calls.scoreSeconds.labels(label).observe(totalMs / 1_000);
      calls.rankSeconds.labels(label).observe(rankMs / 1_000);
      if (status === 'ok') calls.commitSeconds.observe(commitMs / 1_000);
    },
    outcomes({ accepted, duplicates }) {
      calls.outcomes.labels('accepted').inc(accepted);
      calls.outcomes.labels('duplicate').inc(duplicates);
    },
  };
}

function callMetrics(registry: Registry) {
  const registers = [registry];
  const perVersion = ['prompt', 'prompt_version'] as const;
  return {
    request: new Histogram({
      name: 'gateway_request_duration_seconds',
      help: 'Time from receipt of the headers to the end of the answer.',
      labelNames: ['route', 'method', 'status'] as const,
      buckets: REQUEST_BUCKETS_SECONDS,
      registers,
    }),
    generations: new Counter({
      name: 'gateway_generations_total',
      help: 'Generations by how they ended.',
      labelNames: ['surface', ...perVersion, 'provider', 'status', 'code'] as const,
      registers,
    }),
    generationSeconds: new Histogram({
      name: 'gateway_generation_duration_seconds',
      help: 'Time from receipt to the answer, provider included.',
      labelNames: ['surface', ...perVersion] as const,
      buckets: REQUEST_BUCKETS_SECONDS,
      registers,
    }),
    providerSeconds: new Histogram({
      name: 'gateway_provider_duration_seconds',
      help: 'Time spent waiting for upstreams and backing off.',
      labelNames: ['provider'] as const,
      buckets: REQUEST_BUCKETS_SECONDS,
      registers,
    }),
    firstTokenSeconds: new Histogram({
      name: 'gateway_first_token_duration_seconds',
      help: 'Time from receipt to the first content token of a stream.',
      labelNames: ['provider'] as const,
      buckets: REQUEST_BUCKETS_SECONDS,
      registers,
    }),
    overheadSeconds: new Histogram({
      name: 'gateway_overhead_seconds',
      help: 'What the gateway itself added to a generation.',
      labelNames: ['surface'] as const,
      buckets: OVERHEAD_BUCKETS_SECONDS,
      registers,
    }),
    commitSeconds: new Histogram({
      name: 'gateway_ledger_commit_duration_seconds',
      help: 'Time a generation or a ranking decision waited for its commit.',
      buckets: OVERHEAD_BUCKETS_SECONDS,
      registers,
    }),
    tokens: new Counter({
      name: 'gateway_tokens_total',
      help: 'Tokens as the providers counted them.',
      labelNames: [...perVersion, 'provider', 'direction'] as const,
      registers,
    }),
    cost: new Counter({
      name: 'gateway_cost_usd_total',
      help: 'Cost of calls whose cost is known, in US dollars.',
      labelNames: [...perVersion, 'provider'] as const,
      registers,
    }),
    attempts: new Counter({
      name: 'gateway_provider_attempts_total',
      help: 'Upstream calls by what came of each: ok, or the class of its failure.',
      labelNames: ['provider', 'outcome'] as const,
      registers,
    }),
    degraded: new Counter({
      name: 'gateway_degraded_total',
      help: "Generations answered with authored lines instead of a model's answer.",
      labelNames: perVersion,
      registers,
    }),
    unrecorded: new Counter({
      name: 'gateway_unrecorded_total',
      help: 'Generations that the ledger could not take, whether they were answered or not.',
      registers,
    }),
    leftOut: new Counter({
      name: 'gateway_experiment_left_out_total',
      help: 'Calls that an experiment gave its baseline and does not count, by reason.',
      labelNames: ['experiment', 'reason'] as const,
      registers,
    }),
    scores: new Counter({
      name: 'gateway_scores_total',
      help: 'Ranking decisions by how they ended.',
      labelNames: ['policy', 'status'] as const,
      registers,
    }),
    scoreSeconds: new Histogram({
      name: 'gateway_score_duration_seconds',
      help: 'Time from receipt of a ranking request to its committed decision.',
      labelNames: ['policy'] as const,
      buckets: REQUEST_BUCKETS_SECONDS,
      registers,
    }),
    rankSeconds: new Histogram({
      name: 'gateway_score_rank_duration_seconds',
      help: 'Time spent on ranking alone.',
      labelNames: ['policy'] as const,
      buckets: OVERHEAD_BUCKETS_SECONDS,
      registers,
    }),
    outcomes: new Counter({
      name: 'gateway_outcomes_total',
      help: 'Outcomes by what became of them.',
      labelNames: ['result'] as const,
      registers,
    }),
  };
}

/** Values that others hold are read when somebody scrapes. */
function sampleHealth(registry: Registry, { ledger, routes, gatewayVersion }: MetricsSources): void {
  const registers = [registry];
  new Gauge({
    name: 'gateway_build_info',
    help: 'Always 1; the version is in the label.',
    labelNames: ['version'] as const,
    registers,
  })
    .labels(gatewayVersion)
    .set(1);
  new Gauge({
    name: 'gateway_ledger_writable',
    help: '1 while the ledger takes writes.',
    registers,
    collect() {
      this.set(ledger.health().writable ? 1 : 0);
    },
  });
  new Gauge({
    name: 'gateway_ledger_queued_writes',
    help: 'Writes that wait for the disk.',
    registers,
    collect() {
      this.set(ledger.health().queuedWrites);
    },
  });
  // The ledger counts these itself: a counter here is set to its value, never incremented.
  new Counter({
    name: 'gateway_ledger_committed_writes_total',
    help: 'Writes committed since the start.',
    registers,
    collect() {
      this.reset();
      this.inc(ledger.health().committedWrites);
    },
  });
  new Counter({
    name: 'gateway_ledger_commits_total',
    help: 'Transactions committed since the start.',
    registers,
    collect() {
      this.reset();
      this.inc(ledger.health().commits);
    },
  });
  const targetLabels = ['provider_route', 'provider', 'model'] as const;
  new Gauge({
    name: 'gateway_circuit_state',
    help: '1 for the state a target is in.',
    labelNames: [...targetLabels, 'state'] as const,
    registers,
    collect() {
      this.reset();
      for (const target of routes.health()) {
        for (const state of CIRCUIT_STATES) {
          this.labels(target.route, target.provider, target.model, state).set(
            target.circuit === state ? 1 : 0,
          );
        }
      }
    },
  });
  new Gauge({
    name: 'gateway_target_calls_in_flight',
    help: 'Calls running at a target.',
    labelNames: targetLabels,
    registers,
    collect() {
      this.reset();
      for (const target of routes.health()) {
        this.labels(target.route, target.provider, target.model).set(target.inFlight);
      }
    },
  });
  new Gauge({
    name: 'gateway_target_calls_queued',
    help: 'Calls waiting for a place at a target.',
    labelNames: targetLabels,
    registers,
    collect() {
      this.reset();
      for (const target of routes.health()) {
        this.labels(target.route, target.provider, target.model).set(target.queued);
      }
    },
  });
}
