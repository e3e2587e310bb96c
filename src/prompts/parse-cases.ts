import { isMap, isNode, LineCounter, parseDocument } from 'yaml';
import { type ChatMessage, type Fault, nearestName } from '../kernel/index.ts';
import { isPlainObject } from './picoschema.ts';
import { CASES_FILE } from './prompt-directory.ts';
import { didYouMean, faultAt, type Position, type SourceFile } from './source-file.ts';

const CASE_KEYS = ['name', 'version', 'versions', 'input', 'messages', 'error'];
const INPUT_KEYS = ['variables', 'profile_features', 'history'];
const ROLES: ReadonlyMap<unknown, 'system' | 'user' | 'assistant'> = new Map([
  ['system', 'system'],
  ['user', 'user'],
  ['model', 'assistant'],
  ['assistant', 'assistant'],
] as const);

/** One case of a `cases.yaml`: an input, and what it must render to. */
export interface PromptCase {
  readonly name: string;
  readonly versions: readonly string[];
  readonly variables: Readonly<Record<string, unknown>>;
  readonly profile: Readonly<Record<string, unknown>> | null;
  readonly history: readonly ChatMessage[];
  readonly expected:
    | {
        readonly kind: 'messages';
        readonly messages: readonly { readonly role: string; readonly content: string }[];
      }
    | { readonly kind: 'error'; readonly code: string; readonly path: string | null };
  readonly position: Position;
  /** In its file, from 0. */
  readonly index: number;
}

/** Faulty cases are left out and reported. */
export function parseCases(file: SourceFile, faults: Fault[]): readonly PromptCase[] {
  const lineCounter = new LineCounter();
  const document = parseDocument(file.text, { lineCounter, prettyErrors: false });
  for (const problem of document.errors) {
    const { line, col } = lineCounter.linePos(problem.pos[0]);
    faults.push(faultAt(file, { line, column: col }, `is not valid YAML: ${problem.message}`));
  }
  if (document.errors.length > 0) return [];
  const content: unknown = document.toJS();
  if (!Array.isArray(content)) {
    faults.push(faultAt(file, { line: 1, column: 1 }, `${CASES_FILE} must be a list of cases`));
    return [];
  }
  return content.flatMap((item: unknown, index) => {
    const node = document.getIn([index], true);
    const offset = isNode(node) ? node.range?.[0] : undefined;
    const { line, col } = offset === undefined ? { line: 1, col: 1 } : lineCounter.linePos(offset);
    const position = { line, column: isMap(node) ? col : 1 };
    const read = readCase(item, position, index);
    if (typeof read !== 'string') return [read];
    faults.push(faultAt(file, position, read));
    return [];
  });
}

/** The case, or what is wrong with it. */
function readCase(item: unknown, position: Position, index: number): PromptCase | string {
  if (!isPlainObject(item)) return 'a case must be a map with name, version, input and messages (or error)';
  const unknown = Object.keys(item).find((key) => !CASE_KEYS.includes(key));
  if (unknown !== undefined) {
    return `unknown key "${unknown}"${didYouMean(nearestName(unknown, CASE_KEYS))}; known: ${CASE_KEYS.join(', ')}`;
  }
  const { name, version, versions, input = {}, messages, error } = item;
  if (typeof name !== 'string' || name.trim() === '') return 'a case needs a name';
  const wanted: unknown = versions ?? (version === undefined ? undefined : [version]);
  if (!Array.isArray(wanted) || wanted.length === 0 || !wanted.every((each) => typeof each === 'string')) {
    return `case "${name}" needs version: "v1" or versions: ["v1", "v2"] (quoted, so that YAML reads no number)`;
  }
  const given = readInput(input ?? {});
  if (typeof given === 'string') return `case "${name}": ${given}`;
  const expected = readExpected(messages, error);
  if (typeof expected === 'string') return `case "${name}": ${expected}`;
  return { name, versions: wanted.map(String), ...given, expected, position, index };
}

function readInput(input: unknown): Pick<PromptCase, 'variables' | 'profile' | 'history'> | string {
  if (!isPlainObject(input)) return 'input must be a map with variables, profile_features and history';
  const unknown = Object.keys(input).find((key) => !INPUT_KEYS.includes(key));
  if (unknown !== undefined) {
    return `unknown key "input.${unknown}"${didYouMean(nearestName(unknown, INPUT_KEYS))}; known: ${INPUT_KEYS.join(', ')}`;
  }
  const variables = input['variables'] ?? {};
  const profile = input['profile_features'] ?? null;
  if (!isPlainObject(variables)) return 'input.variables must be a map';
  if (profile !== null && !isPlainObject(profile)) return 'input.profile_features must be a map';
  const history = readMessages(input['history'] ?? []);
  if (typeof history === 'string') return `input.history ${history}`;
  return {
    variables,
    profile,
    history: history.map(({ role, content }) => ({ role, content: [{ kind: 'text', text: content }] })),
  };
}

function readExpected(messages: unknown, error: unknown): PromptCase['expected'] | string {
  if ((messages === undefined) === (error === undefined)) return 'needs either messages or error';
  if (error !== undefined) {
    if (!isPlainObject(error) || typeof error['code'] !== 'string') {
      return 'error must be a map such as {code: template_input_invalid, path: variables.mood}';
    }
    const path = error['path'] ?? null;
    if (path !== null && typeof path !== 'string') return 'error.path must be text';
    return { kind: 'error', code: error['code'], path };
  }
  const read = readMessages(messages);
  return typeof read === 'string' ? `messages ${read}` : { kind: 'messages', messages: read };
}

function readMessages(
  value: unknown,
): { readonly role: 'system' | 'user' | 'assistant'; readonly content: string }[] | string {
  if (!Array.isArray(value)) return 'must be a list of {role, content}';
  const messages: { readonly role: 'system' | 'user' | 'assistant'; readonly content: string }[] = [];
  for (const item of value) {
    const role = isPlainObject(item) ? ROLES.get(item['role']) : undefined;
    const content: unknown = isPlainObject(item) ? item['content'] : undefined;
    if (role === undefined || typeof content !== 'string') {
      return 'must be a list of {role, content} with role system, user or model and content as text';
    }
    messages.push({ role, content });
  }
  return messages;
}
