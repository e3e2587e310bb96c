import { type ChatMessage, textOf } from '../kernel/index.ts';

/** A message as a case expects it. Several lines end in a line end, so that YAML shows them as a block. */
export function expectedMessage({ role, content }: ChatMessage): {
  readonly role: string;
  readonly content: string;
} {
  const text = textOf(content).trimEnd();
  return { role, content: text.includes('\n') ? `${text}\n` : text };
}
