import { readFileSync, writeFileSync } from 'node:fs';

/** The document whose figures a run renews; unset: none. */
const DOCUMENT = process.env['FAULT_FIGURES'];

/**
 * Writes what a test measured between `<!-- name -->` and `<!-- / -->` of the document named by `FAULT_FIGURES`. Fails when
 * the document has no such place: a figure that nobody sees is a mistake.
 */
export function noteFigure(name: string, figure: string): void {
  if (DOCUMENT === undefined) return;
  const document = readFileSync(DOCUMENT, 'utf8');
  const begin = `<!-- ${name} -->`;
  const from = document.indexOf(begin);
  const to = document.indexOf('<!-- / -->', from);
  if (from === -1 || to === -1) throw new Error(`${DOCUMENT} has no place for the figure ${name}`);
  writeFileSync(DOCUMENT, document.slice(0, from + begin.length) + figure + document.slice(to));
}
