import { nearestName } from '../../kernel/index.ts';
import { didYouMean } from '../source-file.ts';
import { reportFault, siteOf, type Unit } from './compilation.ts';
import type { Expression } from './expression.ts';
import { isPath, isSubExpression } from './parse-template.ts';
import { bindPath, type StaticScope, simpleName } from './static-scope.ts';
import { ANY_SHAPE, shapeOfType } from './static-shape.ts';
import { compileTextFunction, isTextFunction, TEXT_FUNCTIONS } from './text-functions.ts';

/** Null after a fault. */
export function compileExpression(
  node: hbs.AST.Expression,
  scope: StaticScope,
  unit: Unit,
): Expression | null {
  if (isPath(node)) return compilePath(node, scope, unit);
  if (isSubExpression(node)) return compileSubExpression(node, scope, unit);
  const value = literalValue(node);
  const kind = typeof value;
  return {
    evaluate: () => value,
    shape: kind === 'string' || kind === 'number' || kind === 'boolean' ? shapeOfType(kind) : ANY_SHAPE,
    declared: true,
    path: null,
    site: siteOf(unit, node, JSON.stringify(value) ?? 'undefined', null),
  };
}

function literalValue(node: hbs.AST.Expression): unknown {
  switch (node.type) {
    case 'StringLiteral':
      return (node as hbs.AST.StringLiteral).value;
    case 'NumberLiteral':
      return (node as hbs.AST.NumberLiteral).value;
    case 'BooleanLiteral':
      return (node as hbs.AST.BooleanLiteral).value;
    case 'NullLiteral':
      return null;
    default:
      return undefined;
  }
}

function compilePath(node: hbs.AST.PathExpression, scope: StaticScope, unit: Unit): Expression | null {
  const binding = bindPath(node, scope, unit.compilation.used);
  if (!binding.ok) {
    reportFault(unit, node, binding.message);
    return null;
  }
  const { read, shape, declared, path } = binding.bound;
  return {
    evaluate: (running, run) => read(running, run.root),
    shape,
    declared,
    path,
    site: siteOf(unit, node, node.original, path),
  };
}

function compileSubExpression(
  node: hbs.AST.SubExpression,
  scope: StaticScope,
  unit: Unit,
): Expression | null {
  const name = simpleName(node.path, scope);
  if (name === null || !isTextFunction(name)) {
    const written = node.path.original;
    reportFault(
      unit,
      node,
      `"${written}" cannot stand in parentheses${didYouMean(nearestName(written, TEXT_FUNCTIONS))}: known are ${TEXT_FUNCTIONS.join(', ')}`,
    );
    return null;
  }
  const parameters = node.params.map((parameter) => compileExpression(parameter, scope, unit));
  return compileTextFunction(name, node, parameters, unit);
}
