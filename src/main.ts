import { type RunningGateway, startGateway } from './compose.ts';
import { loadEnvironment } from './config/index.ts';
import { AppError, errorMessage } from './kernel/index.ts';
import { startBanner } from './start-banner.ts';

/** `EX_CONFIG` of sysexits: what is configured cannot be run. */
const EXIT_CONFIG = 78;
const REFUSED_START = new Set(['config_invalid', 'prompts_invalid', 'storage_invalid']);

async function main(): Promise<void> {
  const gateway = await startGateway({ environment: loadEnvironment(process.env) });
  process.stdout.write(startBanner(gateway));
  for (const warning of gateway.warnings)
    process.stderr.write(`warning: ${warning.path}: ${warning.message}\n`);
  stopOnSignals(gateway);
  process.on('SIGHUP', () => {
    gateway.reloadPrompts().then(
      (report) => process.stdout.write(`${JSON.stringify({ event: 'prompts_reloaded', ...report })}\n`),
      (error: unknown) => process.stderr.write(`reload failed: ${errorMessage(error)}\n`),
    );
  });
}

function stopOnSignals(gateway: RunningGateway): void {
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) process.exit(128 + (signal === 'SIGINT' ? 2 : 15));
    stopping = true;
    gateway.close().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`stop failed: ${errorMessage(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

main().catch((error: unknown) => {
  if (error instanceof AppError && REFUSED_START.has(error.code)) {
    const faults = error.faults.map((fault) => `  ${fault.path}: ${fault.message}\n`);
    process.stderr.write(`${error.message}\n${faults.join('')}`);
    process.exit(EXIT_CONFIG);
  }
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
});
