import { AppError, type ChatMessage, type JsonSchema } from '../kernel/index.ts';
import { callerVariables } from './input-differences.ts';
import type { PromptCase } from './parse-cases.ts';
import { isPlainObject } from './picoschema.ts';
import { CASE_RANDOM } from './prompt-cases.ts';
import { propertiesOf, resolveSchema } from './template/static-shape.ts';
import { unifiedDiff } from './text-diff.ts';
import type { PromptVersion } from './types.ts';

/** A value that one version has and the other has not, or has otherwise. Null: it is not there. */
export interface Change<T> {
  readonly name: string;
  readonly from: T | null;
  readonly to: T | null;
}

/** One case rendered by both versions. */
export interface RenderedDiff {
  readonly case: string;
  /** Whether both render the same messages, or fail in the same way. */
  readonly same: boolean;
  /** Unified diff of the messages as text; empty when they are the same. */
  readonly diff: string;
}

/** What changes for readers, callers and the model when a call gets `to` instead of `from`. */
export interface PromptDiff {
  readonly prompt: string;
  readonly from: { readonly version: string; readonly hash: string };
  readonly to: { readonly version: string; readonly hash: string };
  /** Whether they are the same text. */
  readonly same: boolean;
  /** Unified diff of the files; empty when they are equal. */
  readonly text: string;
  /** What callers may or must send: `optional string`; features as `profile.completion_rate`. */
  readonly variables: readonly Change<string>[];
  /** Values that the gateway fills in for variables. */
  readonly defaults: readonly Change<unknown>[];
  /** `model`, `temperature`, `output.format`, … */
  readonly parameters: readonly Change<unknown>[];
  /** Unified diffs of the schemas as JSON; empty when they are equal. */
  readonly inputSchema: string;
  readonly outputSchema: string;
  readonly rendered: readonly RenderedDiff[];
}

/** Compares two versions, and what they make of the inputs of those cases that name one of them. */
export function diffPromptVersions(
  from: PromptVersion,
  to: PromptVersion,
  cases: readonly PromptCase[],
): PromptDiff {
  return {
    prompt: to.prompt,
    from: { version: from.version, hash: from.hash },
    to: { version: to.version, hash: to.hash },
    same: from.hash === to.hash,
    text: unifiedDiff({ name: from.file, text: from.source }, { name: to.file, text: to.source }),
    variables: changes(contractOf(from), contractOf(to)),
    defaults: changes(from.inputDefaults, to.inputDefaults),
    parameters: changes(settingsOf(from), settingsOf(to)),
    inputSchema: schemaDiff(from, to, from.inputSchema, to.inputSchema),
    outputSchema: schemaDiff(from, to, from.outputSchema, to.outputSchema),
    rendered: cases
      .filter(({ versions }) => versions.includes(from.version) || versions.includes(to.version))
      .map((promptCase) => renderedDiff(from, to, promptCase)),
  };
}

/** The messages of a case as one text, with a line for each role; the refusal where it does not render. */
function renderedText(version: PromptVersion, promptCase: PromptCase): string {
  try {
    const { messages } = version.render({
      variables: promptCase.variables,
      profile: promptCase.profile,
      history: promptCase.history,
      random: CASE_RANDOM,
    });
    return messagesText(messages);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const faults = error.faults.map(({ path, message }) => `  ${path}  ${message}\n`).join('');
    return `[refused: ${error.code}]\n${faults === '' ? `  ${error.message}\n` : faults}`;
  }
}

/** Messages as one text for people: a line for each role, media by address. */
export function messagesText(messages: readonly ChatMessage[]): string {
  return messages
    .map(({ role, content }) => {
      const parts = content.map((part) => (part.kind === 'text' ? part.text : `[media: ${part.url}]`));
      return `[${role}]\n${parts.join('')}\n`;
    })
    .join('\n');
}

function renderedDiff(from: PromptVersion, to: PromptVersion, promptCase: PromptCase): RenderedDiff {
  const diff = unifiedDiff(
    { name: from.version, text: renderedText(from, promptCase) },
    { name: to.version, text: renderedText(to, promptCase) },
  );
  return { case: promptCase.name, same: diff === '', diff };
}

function contractOf(version: PromptVersion): Readonly<Record<string, string>> {
  const { inputSchema, inputDefaults } = version;
  if (inputSchema === null) return {};
  const contract = new Map(callerVariables(inputSchema, inputDefaults));
  const profileDefaults = inputDefaults['profile'];
  for (const part of resolveSchema(inputSchema, inputSchema)) {
    const profile = new Map(Object.entries(propertiesOf(part))).get('profile');
    if (!isPlainObject(profile)) continue;
    const features = callerVariables(profile, isPlainObject(profileDefaults) ? profileDefaults : {});
    for (const [name, text] of features) contract.set(`profile.${name}`, text);
  }
  return Object.fromEntries(contract);
}

function settingsOf(version: PromptVersion): Readonly<Record<string, unknown>> {
  const { model, parameters, outputFormat } = version;
  return {
    ...(model === null ? {} : { model }),
    ...Object.fromEntries(Object.entries(parameters).map(([key, value]) => [`config.${key}`, value])),
    'output.format': outputFormat,
  };
}

function changes<T>(from: Readonly<Record<string, T>>, to: Readonly<Record<string, T>>): Change<T>[] {
  const left = new Map(Object.entries(from));
  const right = new Map(Object.entries(to));
  return [...new Set([...left.keys(), ...right.keys()])]
    .filter((name) => JSON.stringify(left.get(name)) !== JSON.stringify(right.get(name)))
    .map((name) => ({ name, from: left.get(name) ?? null, to: right.get(name) ?? null }));
}

function schemaDiff(
  from: PromptVersion,
  to: PromptVersion,
  left: JsonSchema | null,
  right: JsonSchema | null,
): string {
  const asText = (schema: JsonSchema | null): string =>
    schema === null ? '' : `${JSON.stringify(schema, null, 2)}\n`;
  return unifiedDiff({ name: from.version, text: asText(left) }, { name: to.version, text: asText(right) });
}
