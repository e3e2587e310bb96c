import { describeConfig } from '../../config/index.ts';
import type { CliContext } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type ConfigOption, loadCommandConfig } from '../load-command-config.ts';
import { writeJson, writeLine } from '../write-output.ts';

export interface ConfigPrintOptions extends ConfigOption {
  readonly json?: boolean;
}

/** Prints every value in force and its origin; of secrets only whether they are set. */
export async function configPrint(options: ConfigPrintOptions, context: CliContext): Promise<ExitCode> {
  const { loaded, environment } = loadCommandConfig(options, context);
  const { file, hash, values, variables, warnings } = describeConfig(loaded, environment);
  if (options.json === true) {
    const named = variables.map(({ name, isSet, purpose }) => ({ name, set: isSet, purpose }));
    await writeJson(context.stdout, { file, hash, values, variables: named, warnings });
    return EXIT.ok;
  }
  const width = Math.max(...values.map(({ path }) => path.length));
  await writeLine(context.stdout, `# ${file}\n# ${hash}\n`);
  for (const { path, value, origin } of values) {
    const note = origin === 'default' ? '' : `  (${origin})`;
    await writeLine(context.stdout, `${path.padEnd(width)}  ${JSON.stringify(value)}${note}`);
  }
  await writeLine(context.stdout, '\n# environment variables: (set) or (unset), never their values');
  const nameWidth = Math.max(...variables.map(({ name }) => name.length));
  for (const { name, isSet, purpose } of variables) {
    const state = isSet ? '(set)  ' : '(unset)';
    await writeLine(context.stdout, `${name.padEnd(nameWidth)}  ${state}  ${purpose}`);
  }
  return EXIT.ok;
}
