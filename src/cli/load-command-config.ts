import { type Environment, type LoadedConfig, loadConfig, readEnvironment } from '../config/index.ts';
import type { CliContext } from './cli-context.ts';

export interface ConfigOption {
  readonly config?: string;
}

/** The configuration a command works with. Fails with `config_invalid`, faults of file and environment together. */
export function loadCommandConfig(
  options: ConfigOption,
  context: CliContext,
): { readonly loaded: LoadedConfig; readonly environment: Environment } {
  const { environment, faults } = readEnvironment(context.variables);
  const loaded = loadConfig({ path: options.config, environment, environmentFaults: faults });
  return { loaded, environment };
}
