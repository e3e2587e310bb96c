import { AppError, nearestName } from '../../kernel/index.ts';
import { didYouMean } from '../source-file.ts';
import { namedParameters, reportFault, siteOf, type Unit } from './compilation.ts';
import { createDateText, DATE_FORMATS } from './date-text.ts';
import { type Expression, literalNumber, literalText } from './expression.ts';
import { cutText, DEFAULT_FENCE_CHARACTERS, fencedText } from './fenced-text.ts';
import type { Call } from './parse-template.ts';
import { missingValue, printedText } from './printed-text.ts';
import { countText, type Evaluate, ownValue, renderFault, type Site } from './run.ts';
import { noteWholeUse } from './static-scope.ts';
import { ANY_SHAPE, lookUp, shapeOfType, typesOf } from './static-shape.ts';

/** Helpers that make a value: they may be printed, or stand in parentheses as a parameter of another. */
export const TEXT_FUNCTIONS = ['json', 'lookup', 'truncate', 'list', 'date', 'fence'] as const;
export type TextFunction = (typeof TEXT_FUNCTIONS)[number];

export function isTextFunction(name: string): name is TextFunction {
  return TEXT_FUNCTIONS.some((known) => known === name);
}

/** Parameters in order, as a fault shows them. */
const PARAMETERS: Readonly<Record<TextFunction, readonly string[]>> = {
  json: ['value'],
  lookup: ['map', 'key'],
  truncate: ['text', 'characters'],
  list: ['items'],
  date: ['instant'],
  fence: ['text'],
};

/** `parameters` are those of `node`, compiled, null where they had faults. Null after a fault. */
export function compileTextFunction(
  name: TextFunction,
  node: hbs.AST.Node & Call,
  parameters: readonly (Expression | null)[],
  unit: Unit,
): Expression | null {
  const wanted = PARAMETERS[name];
  if (node.params.length !== wanted.length) {
    const usage = `{{${name} ${wanted.join(' ')}}}`;
    const hint = node.params.length === 0 ? `; a variable named "${name}" is written {{this.${name}}}` : '';
    reportFault(
      unit,
      node,
      `"${name}" takes ${wanted.length} parameter${wanted.length === 1 ? '' : 's'}: ${usage}${hint}`,
    );
    return null;
  }
  const [value, second] = parameters;
  if (value === undefined || value === null || second === null) return null;
  // As a part of something larger, a variable's absence must not pass for the text "undefined".
  const given = orFail(value);
  const site = siteOf(unit, node, value.site.written, value.path);
  const options = { node, value, given, second, site, unit };
  switch (name) {
    case 'json':
      return compileJson(options);
    case 'lookup':
      return compileLookup(options);
    case 'truncate':
      return compileTruncate(options);
    case 'list':
      return compileList(options);
    case 'date':
      return compileDate(options);
    case 'fence':
      return compileFence(options);
  }
}

interface FunctionCall {
  readonly node: hbs.AST.Node & Call;
  /** The first parameter. */
  readonly value: Expression;
  /** The first parameter; a missing one fails unless it is an optional variable, then it is null. */
  readonly given: Evaluate;
  readonly second: Expression | undefined;
  readonly site: Site;
  readonly unit: Unit;
}

function orFail(value: Expression): Evaluate {
  return (scope, run) => {
    const given = value.evaluate(scope, run);
    if (given === undefined && !value.declared) throw missingValue(value.site);
    return given ?? null;
  };
}

function textExpression(call: FunctionCall, evaluate: Evaluate): Expression {
  return { evaluate, shape: shapeOfType('string'), declared: true, path: call.value.path, site: call.site };
}

function compileJson(call: FunctionCall): Expression | null {
  const named = namedParameters(call.node, ['indent'], call.unit, 'json');
  const indentNode = named.get('indent');
  const indent = indentNode === undefined ? 0 : literalNumber(indentNode);
  if (indent === null || !Number.isInteger(indent) || indent < 0 || indent > 10) {
    reportFault(call.unit, call.node, '"indent" must be a whole number from 0 to 10');
    return null;
  }
  noteWholeUse(call.value.shape, call.unit.compilation.used);
  return textExpression(call, (scope, run) => {
    const value = call.given(scope, run);
    let text: string;
    try {
      text = JSON.stringify(value, null, indent) ?? 'null';
    } catch (cause) {
      throw new AppError('template_input_invalid', `${call.site.requestPath} cannot be written as JSON`, {
        cause,
        faults: [{ path: call.site.requestPath, message: 'cannot be written as JSON' }],
      });
    }
    return countText(run, text);
  });
}

function compileLookup(call: FunctionCall): Expression | null {
  namedParameters(call.node, [], call.unit, 'lookup');
  const key = call.second;
  if (key === undefined) return null;
  const literal = literalText(call.node.params[1]);
  if (literal !== null) {
    const found =
      literal === '__proto__' || literal === 'constructor' ? null : lookUp(call.value.shape, literal);
    if (found === null) {
      reportFault(call.unit, call.node, `looks up "${literal}", which input.schema does not declare there`);
      return null;
    }
  }
  noteWholeUse(call.value.shape, call.unit.compilation.used);
  return {
    evaluate: (scope, run) => {
      const name = key.evaluate(scope, run);
      if (typeof name !== 'string' && typeof name !== 'number') return undefined;
      return ownValue(call.value.evaluate(scope, run), String(name));
    },
    shape: literal === null ? ANY_SHAPE : (lookUp(call.value.shape, literal)?.shape ?? ANY_SHAPE),
    declared: literal !== null && (lookUp(call.value.shape, literal)?.declared ?? false),
    path: null,
    site: call.site,
  };
}

function compileTruncate(call: FunctionCall): Expression | null {
  namedParameters(call.node, [], call.unit, 'truncate');
  const length = call.second;
  if (length === undefined || !checkPrintable(call)) return null;
  const literal = literalNumber(call.node.params[1]);
  const types = typesOf(length.shape);
  if (
    literal !== null ? !isCount(literal) : types !== null && !types.has('number') && !types.has('integer')
  ) {
    reportFault(
      call.unit,
      call.node,
      '"truncate" takes a whole number of characters, at least 1: {{truncate text 80}}',
    );
    return null;
  }
  return textExpression(call, (scope, run) => {
    const maxCharacters = length.evaluate(scope, run);
    if (!isCount(maxCharacters)) throw renderFault(length.site, 'must be a whole number of at least 1');
    return cutText(printedText(call.given(scope, run), true, call.value.site), maxCharacters);
  });
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1;
}

function compileList(call: FunctionCall): Expression | null {
  const separator = textOption(call, 'list', ['sep', 'last'], 'sep', ', ');
  const last = textOption(call, 'list', ['sep', 'last'], 'last', separator ?? '');
  if (separator === null || last === null) return null;
  const types = typesOf(call.value.shape);
  if (types !== null && !types.has('array')) {
    reportFault(
      call.unit,
      call.node,
      `"list" takes a list, and "${call.value.site.written}" is ${[...types].join(' or ')} by input.schema`,
    );
    return null;
  }
  return textExpression(call, (scope, run) => {
    const items = call.given(scope, run);
    if (items === null) return '';
    if (!Array.isArray(items)) throw renderFault(call.value.site, 'must be a list');
    const texts = items.map((item: unknown) => printedText(item, true, call.value.site));
    const head = texts.slice(0, -1).join(separator);
    return countText(run, texts.length < 2 ? texts.join('') : `${head}${last}${texts.at(-1) ?? ''}`);
  });
}

function compileDate(call: FunctionCall): Expression | null {
  const options = ['format', 'zone'];
  const format = textOption(call, 'date', options, 'format', 'date');
  const zone = textOption(call, 'date', options, 'zone', 'UTC');
  if (format === null || zone === null) return null;
  const known = DATE_FORMATS.find((each) => each === format);
  if (known === undefined) {
    reportFault(
      call.unit,
      call.node,
      `unknown date format "${format}"${didYouMean(nearestName(format, DATE_FORMATS))}: use ${DATE_FORMATS.join(', ')}`,
    );
    return null;
  }
  const text = createDateText(known, zone);
  if (text === null) {
    reportFault(
      call.unit,
      call.node,
      `unknown time zone "${zone}": use an IANA name such as "Europe/Berlin"`,
    );
    return null;
  }
  return textExpression(call, (scope, run) => {
    const value = call.given(scope, run);
    if (value === null) return '';
    const written = text(value);
    if (written !== null) return written;
    throw renderFault(
      call.value.site,
      'must be a date: epoch milliseconds, "2026-11-23" or "2026-11-23T10:00:00Z" with its offset',
    );
  });
}

function compileFence(call: FunctionCall): Expression | null {
  const options = ['max', 'label'];
  const label = textOption(call, 'fence', options, 'label', 'untrusted');
  const maxNode = call.node.hash?.pairs.find((pair) => pair.key === 'max')?.value;
  const max = maxNode === undefined ? DEFAULT_FENCE_CHARACTERS : literalNumber(maxNode);
  if (label === null || !checkPrintable(call)) return null;
  if (!/^[\w -]{1,40}$/.test(label)) {
    reportFault(call.unit, call.node, '"label" must be 1 to 40 letters, digits, spaces, "_" or "-"');
    return null;
  }
  if (!isCount(max)) {
    reportFault(call.unit, call.node, '"max" must be a whole number of characters, at least 1');
    return null;
  }
  return textExpression(call, (scope, run) => {
    const value = call.given(scope, run);
    if (value === null) return '';
    return fencedText(printedText(value, true, call.value.site), max, label, run.boundary());
  });
}

/** An option that must be a literal text; null after a fault. */
function textOption(
  call: FunctionCall,
  name: string,
  known: readonly string[],
  option: string,
  absent: string,
): string | null {
  const node = namedParameters(call.node, known, call.unit, name).get(option);
  if (node === undefined) return absent;
  const text = literalText(node);
  if (text === null) reportFault(call.unit, node, `"${option}" must be a text in quotes: ${option}="…"`);
  return text;
}

/** Refuses a list or a map where text is needed, when the schema says so already. */
export function checkPrintable(call: Pick<FunctionCall, 'value' | 'node' | 'unit'>): boolean {
  const types = typesOf(call.value.shape);
  if (types === null || types.size === 0) return true;
  if ([...types].some((type) => type !== 'array' && type !== 'object' && type !== 'null')) return true;
  const kind = types.has('array') ? 'a list' : 'a map';
  const written = call.value.site.written;
  const remedy = types.has('array')
    ? `{{json ${written}}}, {{list ${written}}} or {{#each ${written}}}`
    : `{{json ${written}}} or one of its parts, {{${written}.name}}`;
  reportFault(call.unit, call.node, `prints "${written}", which is ${kind} by input.schema: use ${remedy}`);
  return false;
}
