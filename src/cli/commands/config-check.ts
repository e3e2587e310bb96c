import type { LoadedConfig } from '../../config/index.ts';
import { AppError, type Fault } from '../../kernel/index.ts';
import type { CliContext } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type ConfigOption, loadCommandConfig } from '../load-command-config.ts';
import { loadConfiguredPrompts } from '../load-command-prompts.ts';
import { writeJson, writeLine } from '../write-output.ts';

export interface ConfigCheckOptions extends ConfigOption {
  readonly json?: boolean;
}

/**
 * Checks file and environment together, and what the file says about versions against the prompts. Ends with
 * `config_invalid` and `prompts_invalid`, all faults at once.
 */
export async function configCheck(options: ConfigCheckOptions, context: CliContext): Promise<ExitCode> {
  const { loaded } = loadCommandConfig(options, context);
  const { config, file, hash } = loaded;
  const warnings = [...loaded.warnings, ...(await versionWarnings(loaded))];
  const counts = {
    providers: Object.keys(config.providers).length,
    routes: Object.keys(config.routes).length,
    targets: Object.values(config.routes).reduce((sum, route) => sum + route.targets.length, 0),
    metrics: Object.keys(config.metrics).length,
    experiments: Object.keys(config.experiments).length,
  };
  if (options.json === true) {
    await writeJson(context.stdout, { ok: true, file, hash, ...counts, warnings });
    return EXIT.ok;
  }
  for (const warning of warnings) {
    await writeLine(context.stderr, `warning: ${warning.path}  ${warning.message}`);
  }
  const list = Object.entries(counts)
    .filter(([noun, count]) => noun !== 'experiments' || count > 0)
    .map(([noun, count]) => `${count} ${count === 1 ? noun.slice(0, -1) : noun}`);
  await writeLine(context.stdout, `ok: ${file} (${list.join(', ')}, ${hash.slice(0, 19)})`);
  return EXIT.ok;
}

/** The prompts are read only where the file names versions of them. Fails with `config_invalid`. */
async function versionWarnings(loaded: LoadedConfig): Promise<readonly Fault[]> {
  const { config, name } = loaded;
  const naming = [config.experiments, config.labels, config.shadow, config.rollout_gates.prompts];
  if (naming.every((section) => Object.keys(section).length === 0)) return [];
  const { checkConfigured } = await import('../../experiments/index.ts');
  const { shadowRuleFaults } = await import('../../serving/index.ts');
  const registry = await loadConfiguredPrompts(loaded);
  const { faults: found, warnings } = checkConfigured(config, registry);
  const faults = [...found, ...shadowRuleFaults(config, registry)];
  if (faults.length === 0) return warnings;
  const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`;
  throw new AppError('config_invalid', `${name} does not fit the prompts: ${count}`, { faults });
}
