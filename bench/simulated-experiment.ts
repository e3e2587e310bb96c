import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createExperimentReports, type ExperimentReport } from '../src/analytics/index.ts';
import { demoConfig, demoUnitKey, UNIT_KEY_VARIABLE } from '../src/cli/demo/demo-gateway.ts';
import { DEMO_METRIC, type DemoPolicy } from '../src/cli/demo/demo-settings.ts';
import { createSimulatedUsers, reactTo, TRUE_PROBABILITIES } from '../src/cli/demo/simulated-users.ts';
import { storageSettings } from '../src/compose/index.ts';
import { loadConfig, loadEnvironment } from '../src/config/index.ts';
import { createPolicyRunner, createUnitAssigner, loadExperiments } from '../src/experiments/index.ts';
import { AppError, hmacSha256Hex, seededRandom, silentLogger, systemClock } from '../src/kernel/index.ts';
import { loadPromptRegistry } from '../src/prompts/index.ts';
import { openSqliteStorage, type SqliteStorage } from '../src/storage/sqlite/index.ts';
import { generationRecord, outcomeRecord } from '../test/helpers/ledger-records.ts';

export interface SimulationSettings {
  readonly seed: number;
  readonly users: number;
  readonly policy: DemoPolicy;
  /** Least share of an arm under policies that learn; null: that of the demonstration. */
  readonly floor: number | null;
  /** Users between two updates of the policy, and between two looks at the report. */
  readonly usersPerLook: number;
}

/** What somebody saw who read the report at that moment. */
export interface Look {
  readonly users: number;
  readonly report: ExperimentReport;
}

/** A golden-ratio step (2^32 / φ) spreads the seeds of neighbouring users over the whole range. */
const SEED_STEP = 0x9e3779b1;

/**
 * The demonstration's experiment below HTTP: assignment by hash, policy snapshots, ledger, rollups and report are those of
 * the gateway, on a database of its own; only the model is not called. Equal settings give equal looks.
 */
export async function simulateExperiment(
  settings: SimulationSettings,
  onLook: (look: Look) => void,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'prompt-gateway-bench-'));
  try {
    await runIn(folder, settings, onLook);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runIn(
  folder: string,
  settings: SimulationSettings,
  onLook: (look: Look) => void,
): Promise<void> {
  const file = join(folder, 'gateway.config.json');
  writeFileSync(file, JSON.stringify(demoConfig(settings)));
  const environment = loadEnvironment({
    DATABASE_URL: `sqlite:${join(folder, 'gateway.db')}`,
    [UNIT_KEY_VARIABLE]: demoUnitKey(settings.seed),
  });
  const { config, databaseFile, promptsDirectory } = loadConfig({ path: file, environment });
  const prompts = await loadPromptRegistry({
    directory: promptsDirectory,
    limits: {
      maxSourceBytes: config.prompts.max_source_bytes,
      maxMustaches: config.prompts.max_mustaches,
      maxLoopSteps: config.prompts.max_loop_steps,
      maxOutputBytes: config.prompts.max_output_bytes,
    },
    strict: config.prompts.strict,
  });
  if (!prompts.ok)
    throw new AppError('prompts_invalid', 'the prompts cannot be used', { faults: prompts.faults });
  const experiments = loadExperiments(config, prompts.registry);
  const [experiment] = experiments;
  if (experiment === undefined) throw new AppError('internal', 'the demonstration has no experiment');
  const storage = await openSqliteStorage({
    file: databaseFile,
    // Nobody outlives this run: a power cut may take it.
    durability: 'flush',
    maxQueuedWrites: config.ledger.max_queued_writes,
    settings: storageSettings(config),
    clock: systemClock,
    logger: silentLogger,
    threads: true,
  });
  try {
    const policies = createPolicyRunner({
      experiments: () => experiments,
      metrics: config.metrics,
      snapshots: storage.policySnapshots,
      rewards: storage.experimentReader,
      clock: systemClock,
      logger: silentLogger,
    });
    await policies.restore();
    const reports = createExperimentReports({
      reader: storage.experimentReader,
      experiments: () => experiments,
      // The demonstration has no guardrails, and nobody stops it.
      stops: { find: () => null, alarm: () => null },
      health: { guardrails: async () => [] },
      snapshots: storage.policySnapshots,
      sequences: storage.sequences,
      config,
      clock: systemClock,
    });
    const assigner = createUnitAssigner({
      assignments: storage.assignments,
      snapshots: policies,
      clock: systemClock,
    });
    const users = createSimulatedUsers(settings.users, seededRandom(settings.seed));
    for (let done = 0; done < users.length; done += settings.usersPerLook) {
      const arriving = users.slice(done, done + settings.usersPerLook);
      await Promise.all(
        arriving.map(async ({ id }, index) => {
          const unitKey = hmacSha256Hex(demoUnitKey(settings.seed), `user_id:${id}`);
          const assignment = await assigner.assign(experiment, unitKey);
          const version = experiment.arms.find(({ name }) => name === assignment.arm)?.version ?? '';
          const random = seededRandom(settings.seed + (done + index) * SEED_STEP);
          await record(storage, { id: `gen_${id}`, assignment, version, ...reactTo(version, random) });
        }),
      );
      await policies.update(experiment.name);
      onLook({
        users: done + arriving.length,
        report: await reports.experimentReport(experiment.name),
      });
    }
    await policies.close();
  } finally {
    await storage.close();
  }
}

interface Call {
  readonly id: string;
  readonly assignment: Awaited<ReturnType<ReturnType<typeof createUnitAssigner>['assign']>>;
  readonly version: string;
  readonly completed: boolean;
}

async function record({ ledger }: SqliteStorage, call: Call): Promise<void> {
  const { id, assignment, version, completed } = call;
  const nowMs = systemClock.nowMs();
  await ledger.appendGeneration(
    generationRecord({
      id,
      createdAtMs: nowMs,
      finishedAtMs: nowMs,
      promptVersion: version,
      versionSource: 'body',
      label: 'live',
      experiment: assignment.experiment,
      experimentRevision: assignment.experimentRevision,
      arm: assignment.arm,
      propensity: assignment.propensity,
      propensities: assignment.propensities,
      assignedPolicyRevision: assignment.policyRevision,
      currentPolicyRevision: assignment.policyRevision,
      unitKind: assignment.unitKind,
      unitKey: assignment.unitKey,
    }),
    null,
  );
  const outcome = outcomeRecord(
    {
      outcomeId: `out_${id}`,
      metric: DEMO_METRIC,
      value: completed,
      reward: completed ? 1 : 0,
      receivedAtMs: nowMs,
    },
    { generationId: id },
  );
  await ledger.appendOutcomes({ apiKeyId: 'key-a', entries: [{ kind: 'outcome', outcome }] });
}

/** Reward lost against giving everybody the best arm, in expected rewards. */
export function regretOf(report: ExperimentReport): number {
  const best = Math.max(...Object.values(TRUE_PROBABILITIES));
  return report.arms.reduce(
    (sum, { arm, units }) => sum + units * (best - (TRUE_PROBABILITIES[arm] ?? best)),
    0,
  );
}

/** Share of all users so far that got the arm. */
export function shareOf(report: ExperimentReport, arm: string): number {
  const all = report.arms.reduce((sum, { units }) => sum + units, 0);
  return all === 0 ? 0 : (report.arms.find((row) => row.arm === arm)?.units ?? 0) / all;
}
