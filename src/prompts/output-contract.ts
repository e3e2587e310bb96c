import type { SchemaValidator } from './schema-validator.ts';
import { joinKeys } from './schema-validator.ts';
import type { OutputCheck } from './types.ts';

/** Models often wrap JSON in a Markdown fence although they were told not to. */
const FENCED_ANSWER = /^\s*```[a-zA-Z]*[ \t]*\r?\n([\s\S]*?)\r?\n?```\s*$/;

/** Checks a model's answer against `output` of the front matter. */
export function createOutputCheck(
  format: 'text' | 'json',
  validate: SchemaValidator | null,
): (text: string) => OutputCheck {
  if (format === 'text') return (text) => ({ ok: true, value: text });
  return (text) => {
    let value: unknown;
    try {
      value = JSON.parse(FENCED_ANSWER.exec(text)?.[1] ?? text);
    } catch {
      // The parser's own message quotes the answer, which must not leave through an error.
      const what = text.trim() === '' ? 'is empty' : 'is not valid JSON';
      return { ok: false, faults: [{ path: 'output', message: `the answer ${what}` }] };
    }
    const faults = validate === null ? [] : validate(value, (keys) => joinKeys(['output', ...keys]));
    return faults.length === 0 ? { ok: true, value } : { ok: false, faults };
  };
}
