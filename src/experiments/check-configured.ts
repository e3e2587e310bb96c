import type { GatewayConfig } from '../config/index.ts';
import { AppError, type Fault } from '../kernel/index.ts';
import type { PromptRegistry } from '../prompts/index.ts';
import type { Experiment } from './experiment-types.ts';
import { seedFaults } from './labels-seed.ts';
import { experimentWarnings, loadExperiments } from './load-experiments.ts';
import { gatedPromptFaults } from './rollout-gate.ts';

export interface ConfiguredFindings {
  /** A start would be refused; for labels: one with a database that has never set them. */
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
}

/** What experiments, gates and first values of labels say about prompts that are not so. Needs no database. */
export function checkConfigured(config: GatewayConfig, registry: PromptRegistry): ConfiguredFindings {
  const { experiments, faults } = tryLoad(config, registry);
  const known = {
    registry: () => registry,
    experiments: (prompt: string) =>
      Object.entries(config.experiments).flatMap(([name, written]) =>
        written.prompt === prompt ? [name] : [],
      ),
  };
  return {
    faults: [
      ...faults,
      ...seedFaults(config.labels, known),
      ...gatedPromptFaults(config.rollout_gates, registry),
    ],
    warnings: experimentWarnings(experiments, registry),
  };
}

function tryLoad(
  config: GatewayConfig,
  registry: PromptRegistry,
): { readonly experiments: readonly Experiment[]; readonly faults: readonly Fault[] } {
  try {
    return { experiments: loadExperiments(config, registry), faults: [] };
  } catch (error) {
    if (error instanceof AppError && error.faults.length > 0)
      return { experiments: [], faults: error.faults };
    throw error;
  }
}
