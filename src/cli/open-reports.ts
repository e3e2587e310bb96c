import {
  createExperimentHealth,
  createExperimentReports,
  createVersionReports,
  type ExperimentReports,
  type VersionReports,
} from '../analytics/index.ts';
import type { LoadedConfig } from '../config/index.ts';
import { createExperimentStops, createRolloutHistory, loadExperiments } from '../experiments/index.ts';
import { AppError, silentLogger } from '../kernel/index.ts';
import type { PromptRegistry } from '../prompts/index.ts';
import { openSqliteReader } from '../storage/sqlite/index.ts';
import type { CliContext } from './cli-context.ts';

interface OpenReports {
  readonly versions: VersionReports;
  readonly experiments: ExperimentReports;
  close(): Promise<void>;
}

/** The reports over a database file, read only: beside a serving gateway or without one. Fails with `storage_invalid`. */
export async function openReports(
  { config, databaseFile }: LoadedConfig,
  registry: PromptRegistry,
  { clock }: Pick<CliContext, 'clock'>,
): Promise<OpenReports> {
  const opened = await openSqliteReader({ file: databaseFile });
  try {
    const defined = loadExperiments(config, registry);
    const experiments = () => defined;
    const history = createRolloutHistory({
      store: { ...opened.rolloutEvents, appendRollout: refuseWrite },
      clock,
      logger: silentLogger,
    });
    await history.catchUp();
    const stops = createExperimentStops({
      experiments,
      history,
      gates: { record: refuseWrite },
      logger: silentLogger,
    });
    const reader = opened.experimentReader;
    return {
      versions: createVersionReports({
        reader: opened.reportReader,
        prompts: () => registry,
        config,
        clock,
      }),
      experiments: createExperimentReports({
        reader,
        experiments,
        stops,
        health: createExperimentHealth({ reader, config: () => config, waived: stops.waived, clock }),
        snapshots: opened.policySnapshots,
        sequences: opened.sequences,
        config,
        clock,
      }),
      close: opened.close,
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function refuseWrite(): Promise<never> {
  throw new AppError('internal', 'a report writes nothing');
}
