import type { CliContext } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { loadCommandPrompts, type PromptsOptions } from '../load-command-prompts.ts';
import { writeJson, writeLine } from '../write-output.ts';

export interface PromptsLockOptions extends PromptsOptions {
  /** Change nothing; fail when a version is not locked. */
  readonly check?: boolean;
}

/** Locks every version that is not locked yet. Faulty files and changed released ones end it with `prompts_invalid`. */
export async function promptsLock(options: PromptsLockOptions, context: CliContext): Promise<ExitCode> {
  const { directory, registry } = await loadCommandPrompts(options, context);
  if (options.check === true) {
    const unlocked = registry.prompts.flatMap(({ name, versions }) =>
      versions.filter(({ locked }) => !locked).map(({ version }) => `${name}@${version}`),
    );
    await report(unlocked, 'unlocked', 'not locked (run `prompt-gateway prompts lock`)', options, context);
    return unlocked.length === 0 ? EXIT.ok : EXIT.failed;
  }
  const { lockPrompts } = await import('../../prompts/index.ts');
  await report(await lockPrompts({ directory, registry }), 'locked', 'locked', options, context);
  return EXIT.ok;
}

async function report(
  names: readonly string[],
  key: 'locked' | 'unlocked',
  verb: string,
  options: PromptsLockOptions,
  context: CliContext,
): Promise<void> {
  if (options.json === true) {
    await writeJson(context.stdout, { ok: key === 'locked' || names.length === 0, [key]: names });
  } else if (names.length === 0) {
    await writeLine(context.stdout, 'ok: every version is locked');
  } else {
    for (const name of names) await writeLine(context.stdout, `${verb}: ${name}`);
  }
}
