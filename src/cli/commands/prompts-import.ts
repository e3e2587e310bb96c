import type { CliContext } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { loadCommandConfig } from '../load-command-config.ts';
import { type PromptsOptions, promptLimits } from '../load-command-prompts.ts';
import { writeJson, writeLine } from '../write-output.ts';

export interface PromptsImportOptions extends PromptsOptions {
  readonly prompt?: string;
  /** Not `version`: that option prints the version of the gateway. */
  readonly as?: string;
  readonly dryRun?: boolean;
}

/** Takes over foreign dotprompt files and lists what was changed. Exit code 1, and nothing written, for faults. */
export async function promptsImport(
  from: string,
  options: PromptsImportOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { loaded } = loadCommandConfig(options, context);
  const { importPrompts } = await import('../../prompts/index.ts');
  const isTrial = options.dryRun === true;
  const { files, faults } = await importPrompts({
    from,
    prompt: options.prompt ?? null,
    version: options.as ?? null,
    directory: loaded.promptsDirectory,
    limits: promptLimits(loaded),
    isTrial,
  });
  const isOk = faults.length === 0;
  if (options.json === true) {
    await writeJson(context.stdout, { ok: isOk, written: isOk && !isTrial, files, faults });
    return isOk ? EXIT.ok : EXIT.failed;
  }
  for (const { from: found, to, changes } of files) {
    await writeLine(context.stdout, `${isOk && !isTrial ? 'imported' : 'would import'}: ${found} as ${to}`);
    for (const { path, message } of changes) await writeLine(context.stdout, `  ${path}  ${message}`);
  }
  for (const { path, message } of faults) await writeLine(context.stdout, `fault: ${path}  ${message}`);
  if (!isOk) {
    await writeLine(context.stdout, 'failed: nothing was written; correct the files and import them again');
  }
  return isOk ? EXIT.ok : EXIT.failed;
}
