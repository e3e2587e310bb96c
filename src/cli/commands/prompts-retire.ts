import type { Environment } from '../../config/index.ts';
import type { CliContext } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { loadCommandPrompts, type PromptsOptions } from '../load-command-prompts.ts';
import { writeJson, writeLine } from '../write-output.ts';

export interface VersionName {
  readonly prompt: string;
  readonly version: string;
}

/** What a call gets when neither it nor the environment names a version. */
const LAST_RESORT_VERSION = 'v1';

/** Retires one version. Unknown ones fail and list the known ones; unlocked ones fail with `conflict`. */
export async function promptsRetire(
  name: VersionName,
  options: PromptsOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { directory, registry, environment } = await loadCommandPrompts(options, context);
  const { retirePrompt } = await import('../../prompts/index.ts');
  const isNew = await retirePrompt({ directory, registry, ...name });
  const text = `${name.prompt}@${name.version}`;
  if (options.json === true) await writeJson(context.stdout, { ok: true, retired: text, changed: isNew });
  else await writeLine(context.stdout, isNew ? `retired: ${text}` : `ok: ${text} was retired before`);
  if (defaultVersionOf(name.prompt, environment) === name.version) {
    await writeLine(
      context.stderr,
      `warning: ${name.version} is what a call of ${name.prompt} gets that names no version: such calls are refused now. Set DEFAULT_PROMPT_VERSION=${name.prompt}=… to another version and restart the gateway.`,
    );
  }
  return EXIT.ok;
}

/** As far as this command can see: the gateway may run with another environment. */
function defaultVersionOf(prompt: string, { defaultPromptVersion }: Environment): string {
  return defaultPromptVersion.byPrompt.get(prompt) ?? defaultPromptVersion.everywhere ?? LAST_RESORT_VERSION;
}
