import { AppError, type ChatMessage, type Fault, type JsonSchema, systemRandom } from '../../kernel/index.ts';
import type { PromptVersion } from '../../prompts/index.ts';
import type { CliContext } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { loadCommandPrompts, type PromptsOptions } from '../load-command-prompts.ts';
import { readJsonObject } from '../read-json-object.ts';
import { UsageError } from '../usage-error.ts';
import { writeJson, writeText } from '../write-output.ts';

/** `name=text`, as given. */
export interface GivenVariable {
  readonly name: string;
  readonly text: string;
}

export interface PromptsRenderOptions extends PromptsOptions {
  readonly var?: readonly GivenVariable[];
  /** JSON file of variables. */
  readonly vars?: string;
  /** JSON file of profile features. */
  readonly profile?: string;
}

/** Prints the messages as a call would send them. Fails with the codes of a call: `template_input_invalid`, … */
export async function promptsRender(
  name: { readonly prompt: string; readonly version: string },
  options: PromptsRenderOptions,
  context: CliContext,
): Promise<ExitCode> {
  if (options.vars === '-' && options.profile === '-') {
    throw new UsageError('standard input can be read once: give --vars or --profile a file');
  }
  const { registry } = await loadCommandPrompts(options, context);
  const version = registry.version(name.prompt, name.version);
  const variables = await readVariables(version, options, context);
  const profile = options.profile === undefined ? null : await readJsonObject(options.profile, context);
  const rendered = version.render({ variables, profile, history: [], random: systemRandom });
  if (options.json === true) {
    await writeJson(context.stdout, {
      ok: true,
      prompt: version.prompt,
      prompt_version: version.version,
      prompt_hash: version.hash,
      messages: rendered.messages.map(messageJson),
      variables: rendered.variables,
    });
    return EXIT.ok;
  }
  const { messagesText } = await import('../../prompts/index.ts');
  await writeText(context.stdout, messagesText(rendered.messages));
  return EXIT.ok;
}

/** Those of `--vars`, and those of `--var` over them. Fails with `invalid_request`, all faults at once. */
async function readVariables(
  version: PromptVersion,
  options: PromptsRenderOptions,
  context: CliContext,
): Promise<Readonly<Record<string, unknown>>> {
  const variables = new Map(
    options.vars === undefined ? [] : Object.entries(await readJsonObject(options.vars, context)),
  );
  const faults: Fault[] = [];
  for (const { name, text } of options.var ?? []) {
    if (takesText(version.inputSchema, name)) variables.set(name, text);
    else {
      try {
        variables.set(name, JSON.parse(text));
      } catch {
        faults.push({
          path: `--var ${name}`,
          message: `is no text by input.schema: give JSON, such as ${name}='["a", "b"]' or ${name}=3`,
        });
      }
    }
  }
  if (faults.length > 0) throw new AppError('invalid_request', 'not every variable can be read', { faults });
  return Object.fromEntries(variables);
}

/** Whether the schema takes text for the variable; without a declaration it is text. */
function takesText(schema: JsonSchema | null, name: string): boolean {
  const properties = schema?.['properties'];
  if (typeof properties !== 'object' || properties === null) return true;
  const declared = new Map(Object.entries(properties)).get(name);
  if (typeof declared !== 'object' || declared === null) return true;
  if ('enum' in declared && Array.isArray(declared.enum)) {
    return declared.enum.some((value: unknown) => typeof value === 'string');
  }
  if (!('type' in declared)) return !('$ref' in declared || 'anyOf' in declared || 'oneOf' in declared);
  return Array.isArray(declared.type) ? declared.type.includes('string') : declared.type === 'string';
}

function messageJson({ role, content }: ChatMessage): object {
  const texts = content.flatMap((part) => (part.kind === 'text' ? [part.text] : []));
  if (texts.length === content.length) return { role, content: texts.join('') };
  return {
    role,
    content: content.map((part) =>
      part.kind === 'text'
        ? { type: 'text', text: part.text }
        : { type: 'media', url: part.url, content_type: part.contentType },
    ),
  };
}
