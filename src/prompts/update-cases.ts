import { randomUUID } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { isMap, isScalar, isSeq, LineCounter, parseDocument, stringify } from 'yaml';
import { AppError } from '../kernel/index.ts';
import { expectedMessage } from './expected-message.ts';
import { type PromptCase, parseCases } from './parse-cases.ts';
import { CASE_RANDOM, MAX_CASE_FILE_BYTES } from './prompt-cases.ts';
import { CASES_FILE, readPromptDirectory } from './prompt-directory.ts';
import type { PromptFamily, PromptVersion } from './types.ts';

type ExpectedMessages = readonly { readonly role: string; readonly content: string }[];

/**
 * Writes what drafts render now into their cases. Cases of a released version stay: its text is final, so a difference is
 * a fault of the case. So do cases that expect an error, and those whose versions render differently. Returns the names.
 */
export async function updatePromptCases(
  families: readonly PromptFamily[],
  directory: string,
): Promise<readonly string[]> {
  const { cases } = await readPromptDirectory(directory, MAX_CASE_FILE_BYTES);
  const updated: string[] = [];
  for (const family of families) {
    const file = cases.get(family.name);
    if (file === undefined) continue;
    let text = file.text;
    for (const promptCase of parseCases(file, [])) {
      const messages = draftMessages(promptCase, family);
      if (messages === null || isSame(promptCase, messages)) continue;
      text = withMessages(text, promptCase.index, messages);
      updated.push(`${family.name}: ${promptCase.name}`);
    }
    if (text === file.text) continue;
    const unfinished = join(directory, family.name, `.${CASES_FILE}.${randomUUID()}`);
    await writeFile(unfinished, text);
    await rename(unfinished, join(directory, file.path));
  }
  return updated;
}

/** What all versions of the case render; null when that is not to be written down. */
function draftMessages(promptCase: PromptCase, { versions }: PromptFamily): ExpectedMessages | null {
  if (promptCase.expected.kind !== 'messages') return null;
  const named = promptCase.versions.map((name) => versions.find(({ version }) => version === name));
  const rendered = named.map((version) => (version === undefined ? null : rendersTo(version, promptCase)));
  const [first = null, ...others] = rendered;
  return others.every((messages) => isDeepStrictEqual(messages, first)) ? first : null;
}

function rendersTo(
  version: PromptVersion,
  { variables, profile, history }: PromptCase,
): ExpectedMessages | null {
  if (version.locked) return null;
  try {
    return version.render({ variables, profile, history, random: CASE_RANDOM }).messages.map(expectedMessage);
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
}

function isSame({ expected }: PromptCase, messages: ExpectedMessages): boolean {
  const trimmed = (all: ExpectedMessages): ExpectedMessages =>
    all.map(({ role, content }) => ({ role, content: content.trimEnd() }));
  return expected.kind === 'messages' && isDeepStrictEqual(trimmed(expected.messages), trimmed(messages));
}

/** Only the lines of the messages change: comments and layout of everything else stay. */
function withMessages(text: string, index: number, messages: ExpectedMessages): string {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const item = isSeq(document.contents) ? document.contents.items[index] : null;
  const pair = isMap(item)
    ? item.items.find(({ key }) => isScalar(key) && key.value === 'messages')
    : undefined;
  const key = isScalar(pair?.key) ? pair.key : null;
  const value = isSeq(pair?.value) ? pair.value : null;
  if (key?.range != null && value?.range != null && isMap(item) && item.flow !== true) {
    const column = lineCounter.linePos(key.range[0]).col - 1;
    const block = stringify(messages, { lineWidth: 0 }).replace(/^(?=.)/gm, ' '.repeat(column + 2));
    const whole = `${text.slice(0, key.range[1])}:\n${block}${text.slice(value.range[1]).replace(/^[ \t]*\n/, '')}`;
    if (holds(whole, document.toJS(), index, messages)) return whole;
  }
  document.setIn([index, 'messages'], document.createNode(messages));
  return document.toString({ lineWidth: 0 });
}

/** Whether the text says what it said before, but for the messages of one case. */
function holds(text: string, before: unknown, index: number, messages: ExpectedMessages): boolean {
  const document = parseDocument(text, { prettyErrors: false });
  if (document.errors.length > 0 || !Array.isArray(before)) return false;
  const wanted = before.map((item: unknown, at) =>
    at === index && typeof item === 'object' ? { ...item, messages } : item,
  );
  return isDeepStrictEqual(document.toJS(), wanted);
}
