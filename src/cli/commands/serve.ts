import { errorMessage } from '../../kernel/index.ts';
import type { CliContext } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type ConfigOption, loadCommandConfig } from '../load-command-config.ts';
import { writeLine, writeText } from '../write-output.ts';

export interface ServeOptions extends ConfigOption {}

/** Serves until stopped, then drains. SIGHUP reloads the prompts. */
export async function serve(options: ServeOptions, context: CliContext): Promise<ExitCode> {
  const { loaded, environment } = loadCommandConfig(options, context);
  const [{ startGateway }, { startBanner }] = await Promise.all([
    import('../../compose.ts'),
    import('../../start-banner.ts'),
  ]);
  const gateway = await startGateway({ environment, loaded });
  await writeText(context.stdout, startBanner(gateway));
  context.onHangup(() => {
    gateway.reloadPrompts().catch((error: unknown) => {
      return writeLine(context.stderr, `reload failed: ${errorMessage(error)}`);
    });
  });
  await context.untilStopped();
  await gateway.close();
  return EXIT.ok;
}
