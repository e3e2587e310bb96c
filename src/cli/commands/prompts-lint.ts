import type { CliContext } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { loadCommandConfig } from '../load-command-config.ts';
import { type PromptsOptions, promptLimits } from '../load-command-prompts.ts';
import { writeJson, writeLine } from '../write-output.ts';

export interface PromptsLintOptions extends PromptsOptions {
  /** Warnings fail, too. */
  readonly strict?: boolean;
}

/** Names every fault of all prompts, or of one. Exit code 1 when there are any, with `--strict` for warnings too. */
export async function promptsLint(
  prompt: string | null,
  options: PromptsLintOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { loaded } = loadCommandConfig(options, context);
  const { lintPrompts } = await import('../../prompts/index.ts');
  const { faults, warnings, versions } = await lintPrompts(
    { directory: loaded.promptsDirectory, limits: promptLimits(loaded) },
    prompt,
  );
  const isStrict = options.strict === true || loaded.config.prompts.strict;
  const isOk = faults.length === 0 && (!isStrict || warnings.length === 0);
  if (options.json === true) {
    await writeJson(context.stdout, { ok: isOk, versions, faults, warnings });
    return isOk ? EXIT.ok : EXIT.failed;
  }
  for (const { path, message } of faults) await writeLine(context.stdout, `${path}  ${message}`);
  for (const { path, message } of warnings) await writeLine(context.stdout, `${path}  warning: ${message}`);
  const counts = [
    count(versions, 'version'),
    count(faults.length, 'fault'),
    count(warnings.length, 'warning'),
  ];
  await writeLine(context.stdout, `${isOk ? 'ok' : 'failed'}: ${counts.join(', ')}`);
  return isOk ? EXIT.ok : EXIT.failed;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
