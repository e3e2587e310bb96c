import { AppError } from '../../kernel/index.ts';
import type { PromptDiff, PromptFamily } from '../../prompts/index.ts';
import type { CliContext } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { loadCommandPrompts, type PromptsOptions } from '../load-command-prompts.ts';
import { writeJson, writeLine, writeText } from '../write-output.ts';

export interface PromptsDiffOptions extends PromptsOptions {}

interface Compared {
  readonly prompt: string;
  /** Null: the version before the newest. */
  readonly from: string | null;
  /** Null: the newest version. */
  readonly to: string | null;
}

/** Compares two versions. Fails with `prompt_not_found` and `version_not_found`, listing the known ones. */
export async function promptsDiff(
  compared: Compared,
  options: PromptsDiffOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { directory, registry } = await loadCommandPrompts(options, context);
  const { diffPromptVersions, readPromptCases } = await import('../../prompts/index.ts');
  const { from, to } = chooseVersions(registry.family(compared.prompt), compared);
  const { cases, faults } = await readPromptCases(directory, compared.prompt);
  const diff = diffPromptVersions(
    registry.version(compared.prompt, from),
    registry.version(compared.prompt, to),
    cases,
  );
  if (options.json === true) await writeJson(context.stdout, { ok: true, ...diffJson(diff), faults });
  else await writeText(context.stdout, diffText(diff));
  for (const fault of faults) await writeLine(context.stderr, `warning: ${fault.path}  ${fault.message}`);
  return EXIT.ok;
}

function chooseVersions(family: PromptFamily, { from, to }: Compared): { from: string; to: string } {
  const known = family.versions.map(({ version }) => version);
  const newest = known.at(-1) ?? '';
  const before = known.at(-2);
  if (from !== null) return { from, to: to ?? newest };
  if (before !== undefined) return { from: before, to: newest };
  throw new AppError(
    'invalid_request',
    `prompt "${family.name}" has one version only, ${newest}: there is nothing to compare it with`,
  );
}

/** Names in snake_case, as everywhere in JSON. */
function diffJson({ inputSchema, outputSchema, ...rest }: PromptDiff): object {
  return { ...rest, input_schema: inputSchema, output_schema: outputSchema };
}

function diffText(diff: PromptDiff): string {
  const { prompt, from, to } = diff;
  if (diff.same) return `${prompt}: ${from.version} and ${to.version} are the same text\n`;
  const differing = diff.rendered.filter(({ same }) => !same);
  const texts = [
    diff.text,
    section('Variables', diff.variables.map(changeLine)),
    section('Defaults', diff.defaults.map(changeLine)),
    section('Parameters', diff.parameters.map(changeLine)),
    section('Input schema', [diff.inputSchema]),
    section('Output schema', [diff.outputSchema]),
    `Rendered: ${differing.length} of ${diff.rendered.length} cases differ\n`,
    ...differing.map((rendered) => section(`Case "${rendered.case}"`, [rendered.diff])),
  ];
  return texts.filter((text) => text !== '').join('\n');
}

function section(title: string, parts: readonly string[]): string {
  const text = parts.join('');
  return text === '' ? '' : `${title}\n${text}`;
}

function changeLine({ name, from, to }: { name: string; from: unknown; to: unknown }): string {
  if (from === null) return `  + ${name}: ${shown(to)}\n`;
  if (to === null) return `  - ${name}: ${shown(from)}\n`;
  return `  ~ ${name}: ${shown(from)} -> ${shown(to)}\n`;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
