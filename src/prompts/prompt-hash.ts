import { sha256Hex } from '../kernel/index.ts';

/** A partial as a prompt uses it. */
export interface NamedPartial {
  readonly name: string;
  readonly text: string;
}

/**
 * `sha256:<hex>` over the prompt's text and the partials it uses, transitively, in order of their names. Without
 * partials it equals `sha256sum` of the file. NUL, which no prompt file may contain, keeps the pieces apart.
 */
export function promptHash(text: string, partials: readonly NamedPartial[]): string {
  const pieces = [...partials]
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .map((partial) => `\0partial\0${partial.name}\0${partial.text}`);
  return `sha256:${sha256Hex(text + pieces.join(''))}`;
}
