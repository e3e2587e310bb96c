import type { CliContext } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { loadCommandPrompts, type PromptsOptions } from '../load-command-prompts.ts';
import { writeJson, writeLine } from '../write-output.ts';

/** Lists every prompt and version with its state; faults of the files end it with `prompts_invalid`. */
export async function promptsList(options: PromptsOptions, context: CliContext): Promise<ExitCode> {
  const { directory, registry } = await loadCommandPrompts(options, context);
  const prompts = registry.prompts.map(({ name, versions }) => ({
    name,
    versions: versions.map(({ version, hash, file, description, locked, retired }) => ({
      version,
      state: retired ? 'retired' : locked ? 'locked' : 'draft',
      hash,
      file,
      description,
    })),
  }));
  if (options.json === true) {
    await writeJson(context.stdout, {
      directory,
      hash: registry.hash,
      prompts,
      warnings: registry.warnings,
    });
    return EXIT.ok;
  }
  const { default: Table } = await import('cli-table3');
  const table = new Table({
    head: ['prompt', 'version', 'state', 'hash', 'description'],
    style: { head: [], border: [] },
  });
  for (const { name, versions } of prompts) {
    for (const { version, state, hash, description } of versions) {
      // 12 hex digits tell versions apart; --json has the whole hash.
      table.push([name, version, state, hash.replace(/^sha256:/, '').slice(0, 12), description ?? '']);
    }
  }
  await writeLine(context.stdout, table.toString());
  for (const warning of registry.warnings) {
    await writeLine(context.stderr, `warning: ${warning.path}  ${warning.message}`);
  }
  return EXIT.ok;
}
