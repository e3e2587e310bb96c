import { errorMessage, type Fault } from '../../kernel/index.ts';
import type { CliContext } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { boundHeapGrowth } from '../heap-growth.ts';
import { type ConfigOption, loadCommandConfig } from '../load-command-config.ts';
import { writeLine, writeText } from '../write-output.ts';

export interface ServeOptions extends ConfigOption {}

/** Serves until stopped, then drains. SIGHUP reloads prompts and configuration. */
export async function serve(options: ServeOptions, context: CliContext): Promise<ExitCode> {
  boundHeapGrowth(process.execArgv);
  const { loaded, environment } = loadCommandConfig(options, context);
  const { startBanner, startGateway } = await import('../../compose/index.ts');
  const gateway = await startGateway({ environment, loaded });
  const reload = async (): Promise<void> => {
    try {
      const { prompts, config } = await gateway.reload();
      await printFaults('prompts not reloaded: the last good ones stay', prompts.failed, context);
      await printFaults('configuration not reloaded: the last good one stays', config.faults, context);
      if (config.needsRestart.length > 0) {
        await writeLine(
          context.stderr,
          `needs a restart to come into force: ${config.needsRestart.join(', ')}`,
        );
      }
      for (const warning of config.warnings) {
        await writeLine(context.stderr, `warning: ${warning.path}  ${warning.message}`);
      }
    } catch (error) {
      await writeLine(context.stderr, `reload failed: ${errorMessage(error)}`);
    }
  };
  // Before the banner: whoever reads it may send signals.
  context.onHangup(() => void reload());
  const stopped = context.untilStopped();
  await writeText(context.stdout, startBanner(gateway));
  await stopped;
  await gateway.close();
  return EXIT.ok;
}

async function printFaults(title: string, faults: readonly Fault[], context: CliContext): Promise<void> {
  if (faults.length === 0) return;
  await writeLine(context.stderr, title);
  for (const fault of faults) await writeLine(context.stderr, `  ${fault.path}  ${fault.message}`);
}
