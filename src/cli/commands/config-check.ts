import type { CliContext } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type ConfigOption, loadCommandConfig } from '../load-command-config.ts';
import { writeJson, writeLine } from '../write-output.ts';

export interface ConfigCheckOptions extends ConfigOption {
  readonly json?: boolean;
}

/** Checks file and environment together; faults end it with `config_invalid`. */
export async function configCheck(options: ConfigCheckOptions, context: CliContext): Promise<ExitCode> {
  const { loaded } = loadCommandConfig(options, context);
  const { config, file, hash, warnings } = loaded;
  const counts = {
    providers: Object.keys(config.providers).length,
    routes: Object.keys(config.routes).length,
    targets: Object.values(config.routes).reduce((sum, route) => sum + route.targets.length, 0),
    metrics: Object.keys(config.metrics).length,
  };
  if (options.json === true) {
    await writeJson(context.stdout, { ok: true, file, hash, ...counts, warnings });
    return EXIT.ok;
  }
  for (const warning of warnings) {
    await writeLine(context.stderr, `warning: ${warning.path}  ${warning.message}`);
  }
  const list = Object.entries(counts).map(
    ([noun, count]) => `${count} ${count === 1 ? noun.slice(0, -1) : noun}`,
  );
  await writeLine(context.stdout, `ok: ${file} (${list.join(', ')}, ${hash.slice(0, 19)})`);
  return EXIT.ok;
}
