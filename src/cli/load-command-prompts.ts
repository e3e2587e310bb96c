import type { Environment, LoadedConfig } from '../config/index.ts';
import { AppError } from '../kernel/index.ts';
import type { PromptLimits, PromptRegistry } from '../prompts/index.ts';
import type { CliContext } from './cli-context.ts';
import { type ConfigOption, loadCommandConfig } from './load-command-config.ts';

export interface PromptsOptions extends ConfigOption {
  readonly json?: boolean;
}

export interface CommandPrompts {
  readonly directory: string;
  readonly registry: PromptRegistry;
  readonly environment: Environment;
}

/** The prompts the configuration names. Fails with `config_invalid` and `prompts_invalid`, all faults at once. */
export async function loadCommandPrompts(
  options: ConfigOption,
  context: CliContext,
): Promise<CommandPrompts> {
  const { loaded, environment } = loadCommandConfig(options, context);
  return { directory: loaded.promptsDirectory, registry: await loadConfiguredPrompts(loaded), environment };
}

/** Fails with `prompts_invalid`, all faults at once. */
export async function loadConfiguredPrompts(loaded: LoadedConfig): Promise<PromptRegistry> {
  const { loadPromptRegistry } = await import('../prompts/index.ts');
  const directory = loaded.promptsDirectory;
  const { strict } = loaded.config.prompts;
  const load = await loadPromptRegistry({ directory, limits: promptLimits(loaded), strict });
  if (load.ok) return load.registry;
  const count = load.faults.length === 1 ? 'one fault' : `${load.faults.length} faults`;
  throw new AppError('prompts_invalid', `the prompts in ${directory} cannot be used: ${count}`, {
    faults: load.faults,
  });
}

export function promptLimits({ config: { prompts } }: LoadedConfig): PromptLimits {
  return {
    maxSourceBytes: prompts.max_source_bytes,
    maxMustaches: prompts.max_mustaches,
    maxLoopSteps: prompts.max_loop_steps,
    maxOutputBytes: prompts.max_output_bytes,
  };
}
