import type { CliContext } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { loadCommandPrompts, type PromptsOptions } from '../load-command-prompts.ts';
import { writeJson, writeLine } from '../write-output.ts';

export interface VersionName {
  readonly prompt: string;
  readonly version: string;
}

/** Retires one version. Unknown ones fail and list the known ones; unlocked ones fail with `conflict`. */
export async function promptsRetire(
  name: VersionName,
  options: PromptsOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { directory, registry } = await loadCommandPrompts(options, context);
  const { retirePrompt } = await import('../../prompts/index.ts');
  const isNew = await retirePrompt({ directory, registry, ...name });
  const text = `${name.prompt}@${name.version}`;
  if (options.json === true) await writeJson(context.stdout, { ok: true, retired: text, changed: isNew });
  else await writeLine(context.stdout, isNew ? `retired: ${text}` : `ok: ${text} was retired before`);
  return EXIT.ok;
}
