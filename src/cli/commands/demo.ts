import type { CliContext } from '../cli-context.ts';
import type { DemoPolicy } from '../demo/demo-settings.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { writeJson, writeText } from '../write-output.ts';

export interface DemoOptions {
  readonly users: number;
  readonly tips: number;
  readonly policy: DemoPolicy;
  readonly seed: number;
  readonly keep?: boolean;
  readonly json?: boolean;
}

/** Runs the demonstration and reports what came out. It shows, it does not judge: exit 0 means it ran. */
export async function demo(options: DemoOptions, context: CliContext): Promise<ExitCode> {
  // Loaded here: `--help` and the checks start without the whole gateway.
  const [{ runDemo }, { demoReportText }] = await Promise.all([
    import('../demo/run-demo.ts'),
    import('../demo/demo-report.ts'),
  ]);
  const run = await runDemo(
    {
      users: options.users,
      tipsPerUser: options.tips,
      policy: options.policy,
      seed: options.seed,
      isKept: options.keep === true,
    },
    context,
  );
  if (options.json === true) await writeJson(context.stdout, run);
  else await writeText(context.stdout, demoReportText(run));
  return EXIT.ok;
}
