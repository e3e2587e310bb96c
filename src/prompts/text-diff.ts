import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';

/** Lines around a change. */
const CONTEXT_LINES = 3;
/** Two texts that share next to nothing take time by the square of their lines: beyond this they are told whole. */
const MAX_EDITS = 1_000;

/** A unified diff with both names in its head; empty when the texts are equal. */
export function unifiedDiff(
  earlier: { readonly name: string; readonly text: string },
  later: { readonly name: string; readonly text: string },
): string {
  if (earlier.text === later.text) return '';
  const patch = createTwoFilesPatch(
    earlier.name,
    later.name,
    earlier.text,
    later.text,
    undefined,
    undefined,
    {
      context: CONTEXT_LINES,
      maxEditLength: MAX_EDITS,
      headerOptions: FILE_HEADERS_ONLY,
    },
  );
  return patch ?? wholeReplacement(earlier, later);
}

function wholeReplacement(
  earlier: { readonly name: string; readonly text: string },
  later: { readonly name: string; readonly text: string },
): string {
  const left = linesOf(earlier.text);
  const right = linesOf(later.text);
  return [
    `--- ${earlier.name}`,
    `+++ ${later.name}`,
    `@@ -1,${left.length} +1,${right.length} @@`,
    ...left.map((line) => `-${line}`),
    ...right.map((line) => `+${line}`),
    '',
  ].join('\n');
}

function linesOf(text: string): readonly string[] {
  return text.replace(/\n$/, '').split('\n');
}
