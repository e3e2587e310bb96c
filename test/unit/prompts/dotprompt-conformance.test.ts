import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import type { ChatMessage, ContentPart } from '../../../src/kernel/index.ts';
import { assistant, render, renderError, user, versionOf } from './temporary-prompts.ts';

// Behaviours of the published dotprompt format; see test/fixtures/dotprompt/ORIGIN.md.

interface Part {
  readonly text?: string;
  readonly media?: { readonly url: string; readonly contentType?: string };
}

interface Suite {
  readonly name: string;
  readonly template: string;
  readonly frontMatter?: string;
  readonly partials?: Readonly<Record<string, string>>;
  readonly tests: readonly {
    readonly desc: string;
    readonly input?: Readonly<Record<string, unknown>>;
    readonly default?: Readonly<Record<string, unknown>>;
    readonly history?: readonly { readonly role: 'user' | 'model'; readonly text: string }[];
    readonly messages?: readonly { readonly role: string; readonly content: readonly Part[] }[];
    readonly error?: string;
  }[];
}

function readFixture(name: string): unknown {
  return parse(readFileSync(new URL(`../../fixtures/dotprompt/${name}.yaml`, import.meta.url), 'utf8'));
}

const AREAS = [
  'variables',
  'role',
  'history',
  'json',
  'section',
  'media',
  'equality',
  'partials',
  'unicode',
  'whitespace',
];

describe.each(AREAS)('dotprompt %s', (area) => {
  const cases = (readFixture(area) as readonly Suite[]).flatMap((suite) =>
    suite.tests.map((each) => [`${suite.name}: ${each.desc}`, suite, each] as const),
  );

  test.each(cases)('%s', async (_name, suite, each) => {
    const defaults = each.default === undefined ? '' : `input: {default: ${JSON.stringify(each.default)}}\n`;
    const header = `${suite.frontMatter ?? ''}\n${defaults}`;
    // A template without front matter keeps its white space: only cases about front matter get one.
    const isPlain = suite.frontMatter === undefined && each.default === undefined;
    const text = isPlain ? suite.template : `---\n${header}---\n${suite.template}`;
    const partials = Object.entries(suite.partials ?? {}).map(([name, body]) => [`p/_${name}.prompt`, body]);
    const version = await versionOf(text, Object.fromEntries(partials));
    const history = (each.history ?? []).map((turn) =>
      turn.role === 'user' ? user(turn.text) : assistant(turn.text),
    );

    if (each.error !== undefined) {
      expect(renderError(version, each.input ?? {}, { history }).code).toBe(each.error);
      return;
    }
    const messages = render(version, each.input ?? {}, { history });
    const wanted = (each.messages ?? []).map((message) => expectedMessage(message, isPlain));
    expect(messages).toEqual(wanted);
  });
});

function expectedMessage(
  message: { readonly role: string; readonly content: readonly Part[] },
  isPlain: boolean,
): ChatMessage {
  const content = message.content.map((part): ContentPart => {
    if (part.media === undefined) {
      return { kind: 'text', text: isPlain ? (part.text ?? '') : (part.text ?? '').trim() };
    }
    return { kind: 'media', url: part.media.url, contentType: part.media.contentType ?? null };
  });
  return { role: message.role === 'model' ? 'assistant' : message.role, content } as ChatMessage;
}

describe('dotprompt picoschema', () => {
  const cases = readFixture('picoschema') as readonly {
    readonly name: string;
    readonly schema: unknown;
    readonly expected: unknown;
  }[];

  test.each(cases.map((each) => [each.name, each] as const))('%s', async (_name, each) => {
    const version = await versionOf(`---\noutput: {schema: ${JSON.stringify(each.schema)}}\n---\nx`);

    expect(version.outputSchema).toEqual(each.expected);
  });
});
