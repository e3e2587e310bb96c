import { namedParameters, reportFault, type Unit } from './compilation.ts';
import { compileExpression } from './compile-expression.ts';
import type { Expression } from './expression.ts';
import { countStep, type Emit, isEmpty, type LoopFrame, ownValue, type Run, type Scope } from './run.ts';
import { noteWholeUse, type StaticScope } from './static-scope.ts';
import { itemsOf, type Shape, shapeOfType, typesOf } from './static-shape.ts';

export const BLOCK_HELPERS = ['if', 'unless', 'each', 'with', 'ifEquals', 'unlessEquals'] as const;
export type BlockHelper = (typeof BLOCK_HELPERS)[number];

export function isBlockHelper(name: string): name is BlockHelper {
  return BLOCK_HELPERS.some((known) => known === name);
}

type CompileProgram = (program: hbs.AST.Program, scope: StaticScope) => Emit;

/** Null after a fault. The inner text is compiled in any case, so that its faults show as well. */
export function compileBlock(
  name: BlockHelper,
  node: hbs.AST.BlockStatement,
  scope: StaticScope,
  unit: Unit,
  compileProgram: CompileProgram,
): Emit | null {
  const wanted = name === 'ifEquals' || name === 'unlessEquals' ? 2 : 1;
  const options = name === 'if' || name === 'unless' ? ['includeZero'] : [];
  const named = namedParameters(node, options, unit, name);
  const parameters = node.params.map((parameter) => compileExpression(parameter, scope, unit));
  if (parameters.length !== wanted) {
    reportFault(
      unit,
      node,
      `"${name}" takes ${wanted === 1 ? 'one value' : 'two values'}: {{#${name} ${wanted === 1 ? 'value' : 'a b'}}}`,
    );
    return null;
  }
  const [value, other] = parameters;
  const branches = name === 'each' || name === 'with' ? enteringBranches : stayingBranches;
  const { body, inverse } = branches(name, node, value ?? null, scope, unit, compileProgram);
  if (value === null || value === undefined || other === null) return null;
  switch (name) {
    case 'if':
    case 'unless':
      return compileCondition(value, name === 'if', zeroCounts(named), body, inverse);
    case 'ifEquals':
    case 'unlessEquals':
      return other === undefined ? null : compileEquality(value, other, name === 'ifEquals', body, inverse);
    case 'each':
      return compileLoop(value, body, inverse);
    case 'with':
      return (running, run) => {
        const context = value.evaluate(running, run);
        if (isEmpty(context)) inverse(running, run);
        else body({ context, parent: running, loop: running.loop, params: [context] }, run);
      };
  }
}

interface Branches {
  readonly body: Emit;
  readonly inverse: Emit;
}

const nothing: Emit = () => {};

/** Branches that keep the context of the block. */
function stayingBranches(
  name: BlockHelper,
  node: hbs.AST.BlockStatement,
  _value: Expression | null,
  scope: StaticScope,
  unit: Unit,
  compileProgram: CompileProgram,
): Branches {
  const { program, inverse } = programsOf(node);
  const names = [...(program?.blockParams ?? []), ...(inverse?.blockParams ?? [])];
  if (names.length > 0)
    reportFault(unit, node, `"${name}" makes no block parameters: remove "as |${names.join(' ')}|"`);
  return {
    body: program === undefined ? nothing : compileProgram(program, scope),
    inverse: inverse === undefined ? nothing : compileProgram(inverse, scope),
  };
}

/** `each` and `with` step into a value; their else branch stays outside. */
function enteringBranches(
  name: BlockHelper,
  node: hbs.AST.BlockStatement,
  value: Expression | null,
  scope: StaticScope,
  unit: Unit,
  compileProgram: CompileProgram,
): Branches {
  const { program, inverse } = programsOf(node);
  // After a fault in the parameter the inside cannot be judged: it would only repeat the fault.
  if (value === null)
    return { body: nothing, inverse: inverse === undefined ? nothing : compileProgram(inverse, scope) };
  const shape = name === 'each' ? loopShape(value, node, unit) : value.shape;
  const path = name === 'each' && value.path !== null ? `${value.path}[]` : value.path;
  const names = program?.blockParams ?? [];
  const limit = name === 'each' ? 2 : 1;
  if (names.length > limit) {
    reportFault(
      unit,
      node,
      `"${name}" makes ${limit === 1 ? 'one block parameter' : 'two block parameters (item and index)'}`,
    );
  }
  const inner: StaticScope = {
    shape,
    path,
    parent: scope,
    loops: scope.loops + (name === 'each' ? 1 : 0),
    params: names.map((each, index) =>
      index === 0 ? { name: each, shape, path } : { name: each, shape: shapeOfType('number'), path: null },
    ),
  };
  return {
    body: program === undefined ? nothing : compileProgram(program, inner),
    inverse: inverse === undefined ? nothing : compileProgram(inverse, scope),
  };
}

/** The parser leaves out the branch that is not there, whatever its types say. */
function programsOf(node: hbs.AST.BlockStatement): {
  readonly program: hbs.AST.Program | undefined;
  readonly inverse: hbs.AST.Program | undefined;
} {
  return { program: node.program, inverse: node.inverse };
}

function loopShape(value: Expression, node: hbs.AST.BlockStatement, unit: Unit): Shape {
  noteWholeUse(value.shape, unit.compilation.used);
  const items = itemsOf(value.shape);
  if (items !== null) return items;
  const kinds = [...(typesOf(value.shape) ?? [])].join(' or ');
  reportFault(
    unit,
    node,
    `"each" goes over lists and maps, and "${value.site.written}" is ${kinds} by input.schema`,
  );
  return { kind: 'any' };
}

function zeroCounts(named: ReadonlyMap<string, hbs.AST.Expression>): boolean {
  const node = named.get('includeZero');
  return node?.type === 'BooleanLiteral' && (node as hbs.AST.BooleanLiteral).value;
}

/** In a condition 0 is false unless `includeZero=true`, an empty list is false, an empty map is true. */
function compileCondition(
  value: Expression,
  wanted: boolean,
  includeZero: boolean,
  body: Emit,
  inverse: Emit,
): Emit {
  const { evaluate } = value;
  return (scope, run) => {
    const given = evaluate(scope, run);
    const holds = (includeZero || given !== 0) && !isEmpty(given);
    if (holds === wanted) body(scope, run);
    else inverse(scope, run);
  };
}

function compileEquality(
  value: Expression,
  other: Expression,
  wanted: boolean,
  body: Emit,
  inverse: Emit,
): Emit {
  return (scope, run) => {
    const equal = value.evaluate(scope, run) === other.evaluate(scope, run);
    if (equal === wanted) body(scope, run);
    else inverse(scope, run);
  };
}

function compileLoop(value: Expression, body: Emit, inverse: Emit): Emit {
  return (scope, run) => {
    const items = value.evaluate(scope, run);
    if (Array.isArray(items) && items.length > 0) {
      for (const [index, item] of items.entries()) step(scope, run, body, item, index, index, items.length);
    } else if (
      typeof items === 'object' &&
      items !== null &&
      !Array.isArray(items) &&
      Object.keys(items).length > 0
    ) {
      const keys = Object.keys(items);
      for (const [index, key] of keys.entries())
        step(scope, run, body, ownValue(items, key), key, index, keys.length);
    } else inverse(scope, run);
  };
}

function step(
  scope: Scope,
  run: Run,
  body: Emit,
  item: unknown,
  key: string | number,
  index: number,
  count: number,
): void {
  countStep(run);
  const loop: LoopFrame = { index, key, first: index === 0, last: index === count - 1, parent: scope.loop };
  body({ context: item, parent: scope, loop, params: [item, key] }, run);
}
