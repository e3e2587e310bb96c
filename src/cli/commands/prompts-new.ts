import type { NewVersion } from '../../prompts/index.ts';
import type { CliContext } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { loadCommandConfig } from '../load-command-config.ts';
import { loadConfiguredPrompts, type PromptsOptions } from '../load-command-prompts.ts';
import { writeJson, writeText } from '../write-output.ts';

export interface PromptsNewOptions extends PromptsOptions {
  /** Version to copy. */
  readonly from?: string;
}

/** Makes a version and a case for it. Existing ones fail with `conflict`; nothing is left of a failure. */
export async function promptsNew(
  name: { readonly prompt: string; readonly version: string },
  options: PromptsNewOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { loaded } = loadCommandConfig(options, context);
  const { addPromptVersion } = await import('../../prompts/index.ts');
  const added = await addPromptVersion({
    directory: loaded.promptsDirectory,
    registry: await loadConfiguredPrompts(loaded),
    ...name,
    from: options.from ?? null,
    reload: () => loadConfiguredPrompts(loaded),
  });
  const next = nextSteps(name, added);
  if (options.json === true) {
    const { file, casesFile, caseName, from } = added;
    await writeJson(context.stdout, {
      ok: true,
      ...name,
      from,
      file,
      cases_file: casesFile,
      case: caseName,
      next,
    });
    return EXIT.ok;
  }
  const origin = added.from === null ? 'a first text' : `a copy of ${added.from}`;
  await writeText(
    context.stdout,
    [
      `made: ${added.file} (${origin})`,
      `made: the case "${added.caseName}" in ${added.casesFile}`,
      '',
      'Next:',
      ...next.map((step, index) => `  ${index + 1}. ${step}`),
      '',
    ].join('\n'),
  );
  return EXIT.ok;
}

function nextSteps(
  { prompt, version }: { readonly prompt: string; readonly version: string },
  { file, casesFile, from }: NewVersion,
): readonly string[] {
  return [
    `edit ${file}`,
    ...(from === null
      ? [`prompt-gateway prompts lint ${prompt}`]
      : [`prompt-gateway prompts diff ${prompt} ${from} ${version}`]),
    `prompt-gateway prompts test ${prompt} --update, and read what it wrote into ${casesFile}`,
    'prompt-gateway prompts lock, when it is to be released',
  ];
}
