import Handlebars from 'handlebars';
import { errorMessage, type Fault } from '../../kernel/index.ts';
import { MAX_BLOCK_NESTING } from '../prompt-limits.ts';
import { faultAt, type Position, positionAt, type SourceFile } from '../source-file.ts';

/** The text of one template and where it stands in its file. */
export interface TemplateText {
  readonly file: SourceFile;
  readonly text: string;
  /** Place of the text's first character in the file. */
  readonly start: Position;
}

export interface PartialReference {
  readonly name: string;
  readonly position: Position;
}

/** A template as a tree. Handlebars parses; its compiler and runtime are not used (see `compile-template.ts`). */
export interface ParsedTemplate {
  readonly source: TemplateText;
  /** Null when there are faults. */
  readonly program: hbs.AST.Program | null;
  readonly partials: readonly PartialReference[];
  readonly faults: readonly Fault[];
}

const TOO_DEEP = `nests blocks or expressions deeper than ${MAX_BLOCK_NESTING} (each step of an else-if chain counts): flatten the template or move a part into a partial`;

/**
 * Nesting that is refused before the parser sees it: its time grows with the square of the depth and worse (thousands
 * of levels fit into 64 KB and take it ten seconds). Far above the limit, since this look knows no escapes or strings.
 */
const HOPELESS_NESTING = 8 * MAX_BLOCK_NESTING;

/** Parses and holds the limits that make every later walk over the tree safe: expressions and nesting. */
export function parseTemplate(source: TemplateText, maxMustaches: number): ParsedTemplate {
  const faults: Fault[] = [];
  const partials: PartialReference[] = [];
  const failed = (position: Position, message: string): ParsedTemplate => ({
    source,
    program: null,
    partials: [],
    faults: [faultAt(source.file, position, message)],
  });
  const hopeless = firstHopelessNesting(source.text);
  if (hopeless !== null) {
    const { line, column } = positionAt(source.text, hopeless);
    return failed(positionOf(source, { line, column: column - 1 }), TOO_DEEP);
  }
  try {
    // The grammar itself does not recurse, the white space pass after it does: depth is checked between the two.
    const census = takeCensus(Handlebars.parseWithoutProcessing(source.text));
    if (census.tooDeepAt !== null) {
      return failed(positionOf(source, census.tooDeepAt), TOO_DEEP);
    }
    if (census.expressions > maxMustaches) {
      return failed(
        source.start,
        `has ${census.expressions} template expressions, more than max_mustaches (${maxMustaches}): use a loop or split the prompt`,
      );
    }
    for (const partial of census.partials) {
      const name = partialName(partial);
      if (name !== null) partials.push({ name, position: positionOf(source, partial.loc.start) });
    }
    return { source, program: Handlebars.parse(source.text), partials, faults };
  } catch (error) {
    return failed(...describeParseError(source, error));
  }
}

/** Place in the file of a place in the template (Handlebars: line from 1, column from 0). */
export function positionOf(source: TemplateText, place: hbs.AST.Position): Position {
  return place.line === 1
    ? { line: source.start.line, column: source.start.column + place.column }
    : { line: source.start.line + place.line - 1, column: place.column + 1 };
}

/** Null for a partial whose name is computed: the structure of a prompt must not depend on values. */
export function partialName(partial: hbs.AST.PartialStatement): string | null {
  return partial.name.type === 'PathExpression' ? partial.name.original : null;
}

interface Census {
  expressions: number;
  tooDeepAt: hbs.AST.Position | null;
  readonly partials: hbs.AST.PartialStatement[];
}

function takeCensus(program: hbs.AST.Program): Census {
  const census: Census = { expressions: 0, tooDeepAt: null, partials: [] };
  visitProgram(program, 0, census);
  return census;
}

function visitProgram(program: hbs.AST.Program, depth: number, census: Census): void {
  for (const statement of program.body) {
    if (!isCall(statement)) continue;
    census.expressions += 1;
    visitParameters(statement, 0, census);
    if (isPartial(statement)) census.partials.push(statement);
    if (!isBlock(statement)) continue;
    if (depth >= MAX_BLOCK_NESTING) {
      census.tooDeepAt ??= statement.loc.start;
      return;
    }
    // The parser leaves out the branch that is not there, whatever its types say.
    for (const branch of [statement.program, statement.inverse] as (hbs.AST.Program | undefined)[]) {
      if (branch !== undefined) visitProgram(branch, depth + 1, census);
    }
  }
}

function visitParameters(call: Call, depth: number, census: Census): void {
  if (depth > MAX_BLOCK_NESTING) {
    census.tooDeepAt ??= call.loc.start;
    return;
  }
  for (const parameter of [...call.params, ...(call.hash?.pairs ?? []).map((pair) => pair.value)]) {
    if (isSubExpression(parameter)) visitParameters(parameter, depth + 1, census);
  }
}

/** Anything with parameters. The parser leaves `hash` out when there is none. */
export interface Call extends hbs.AST.Node {
  readonly params: hbs.AST.Expression[];
  readonly hash?: hbs.AST.Hash;
}

function isCall(node: hbs.AST.Node): node is hbs.AST.Node & Call {
  return 'params' in node;
}

export function isSubExpression(node: hbs.AST.Node): node is hbs.AST.SubExpression {
  return node.type === 'SubExpression';
}

export function isPath(node: hbs.AST.Node): node is hbs.AST.PathExpression {
  return node.type === 'PathExpression';
}

export function isMustache(node: hbs.AST.Node): node is hbs.AST.MustacheStatement {
  return node.type === 'MustacheStatement';
}

export function isBlock(node: hbs.AST.Node): node is hbs.AST.BlockStatement {
  return node.type === 'BlockStatement';
}

export function isPartial(node: hbs.AST.Node): node is hbs.AST.PartialStatement {
  return node.type === 'PartialStatement';
}

export function isContent(node: hbs.AST.Node): node is hbs.AST.ContentStatement {
  return node.type === 'ContentStatement';
}

/** Handlebars reports in the words of its grammar, and the place as a drawing: both are put in the author's words. */
function describeParseError(source: TemplateText, error: unknown): [Position, string] {
  const text = errorMessage(error);
  const drawn =
    /^Parse error on line (?<line>\d+):\n(?<excerpt>.*)\n(?<dashes>-*)\^\n(?<expecting>.*)$/s.exec(text);
  if (drawn?.groups !== undefined) {
    const { line = '1', excerpt = '', dashes = '', expecting = '' } = drawn.groups;
    const offset = isUnclosedBlock(expecting)
      ? lastOpenBlock(source.text)
      : offsetOfExcerpt(source.text, Number(line), excerpt.slice(0, dashes.length));
    const place = positionAt(source.text, offset);
    return [
      positionOf(source, { line: place.line, column: place.column - 1 }),
      `template cannot be read: ${describeExpectation(expecting)}`,
    ];
  }
  const placed = /^(?<what>.*) - (?<line>\d+):(?<column>\d+)$/s.exec(text);
  if (placed?.groups !== undefined) {
    const { what = text, line = '1', column = '0' } = placed.groups;
    return [
      positionOf(source, { line: Number(line), column: Number(column) }),
      `template cannot be read: ${what}`,
    ];
  }
  return [source.start, `template cannot be read: ${text.split('\n')[0] ?? ''}`];
}

/** The drawing shows the twenty characters before the fault without their line ends: find where they stand. */
function offsetOfExcerpt(text: string, line: number, excerpt: string): number {
  const before = excerpt.replace(/^\.\.\./, '');
  const lineStart = text
    .split('\n')
    .slice(0, line - 1)
    .reduce((length, each) => length + each.length + 1, 0);
  for (let offset = lineStart; offset <= text.length; offset += 1) {
    if (text.slice(Math.max(0, offset - 20), offset).replaceAll('\n', '') === before) return offset;
  }
  return Math.min(lineStart, text.length);
}

function isUnclosedBlock(expecting: string): boolean {
  return expecting.endsWith("got 'EOF'") && expecting.includes('OPEN_ENDBLOCK');
}

/** Where the innermost block that is still open begins: more use to the author than the end of the file. */
function lastOpenBlock(text: string): number {
  const open: number[] = [];
  for (const { offset, kind } of blockTags(text)) {
    if (kind === 'close') open.pop();
    else if (kind === 'open') open.push(offset);
  }
  return open.at(-1) ?? text.length;
}

function firstHopelessNesting(text: string): number | null {
  let depth = 0;
  /** Levels that each open block adds: itself and the steps of its else-if chain. */
  const levels: number[] = [];
  for (const { offset, kind } of blockTags(text)) {
    if (kind === 'open') levels.push(1);
    else if (kind === 'chain') levels.push((levels.pop() ?? 0) + 1);
    depth += kind === 'close' ? -(levels.pop() ?? 0) : 1;
    if (depth > HOPELESS_NESTING) return offset;
  }
  let parentheses = 0;
  for (const { 0: bracket, index } of text.matchAll(/[()]|\}\}/g)) {
    parentheses = bracket === '(' ? parentheses + 1 : bracket === ')' ? Math.max(0, parentheses - 1) : 0;
    if (parentheses > HOPELESS_NESTING) return index;
  }
  return null;
}

interface BlockTag {
  readonly offset: number;
  readonly kind: 'open' | 'close' | 'chain';
}

/** What opens, closes and chains blocks, by a look at the text alone. */
function* blockTags(text: string): Generator<BlockTag> {
  const tags = /\{\{!--[\s\S]*?--~?\}\}|\{\{~?\s*(?<mark>[#^/]|else\s)\s*(?<rest>[^}\s]?)/g;
  for (const { groups, index } of text.matchAll(tags)) {
    const { mark, rest = '' } = groups ?? {};
    if (mark === '/') yield { offset: index, kind: 'close' };
    // Without a name, `{{^}}` and `{{else }}` part the two branches of a block and open none.
    else if (mark === '#' || (mark === '^' && rest !== '' && rest !== '~'))
      yield { offset: index, kind: 'open' };
    else if (mark !== undefined && mark !== '^' && /\w/.test(rest)) yield { offset: index, kind: 'chain' };
  }
}

function describeExpectation(expecting: string): string {
  const got = /got '(?<got>[^']*)'$/.exec(expecting)?.groups?.['got'] ?? '';
  if (isUnclosedBlock(expecting)) {
    return 'a block is not closed: add {{/if}}, {{/each}} or what opened it';
  }
  if (got === 'OPEN_ENDBLOCK') return 'closes a block that is not open: remove it or open the block before';
  if (got === 'EOF') return 'ends within an expression: close it with }}';
  if (expecting.includes("'CLOSE'") || expecting.includes('CLOSE_UNESCAPED')) {
    return 'an expression is not closed properly: braces come in pairs, {{name}}';
  }
  return 'an expression is not valid: write {{name}}, {{user.name}} or {{helper value}}';
}
