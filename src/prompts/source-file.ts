import type { Fault } from '../kernel/index.ts';

/** One file below the prompts directory, LF line ends. */
export interface SourceFile {
  /** Relative to the prompts directory, with slashes: `tip/v3.prompt`. */
  readonly path: string;
  /** As faults show it: `prompts/tip/v3.prompt`. */
  readonly displayPath: string;
  readonly text: string;
}

/** 1-based line and column. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export const FILE_START: Position = { line: 1, column: 1 };

/** `prompts/tip/v3.prompt:14:9`. */
export function placeOf(file: Pick<SourceFile, 'displayPath'>, position: Position): string {
  return `${file.displayPath}:${position.line}:${position.column}`;
}

/** A fault whose path is the place in the file. */
export function faultAt(file: Pick<SourceFile, 'displayPath'>, position: Position, message: string): Fault {
  return { path: placeOf(file, position), message };
}

/** The position of a character offset. */
export function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: offset - lineStart + 1 };
}

/** Lines end in LF whatever the editor or the checkout made of them: hashes must not depend on it. */
export function withLfLineEnds(text: string): string {
  return text.replace(/\r\n?/g, '\n');
}

/** ` (did you mean "mood"?)`, or nothing. */
export function didYouMean(nearest: string | null): string {
  return nearest === null ? '' : ` (did you mean "${nearest}"?)`;
}
