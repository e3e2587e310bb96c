import { nearestName } from '../../kernel/index.ts';
import { MAX_PARTIAL_DEPTH } from '../prompt-limits.ts';
import { didYouMean } from '../source-file.ts';
import { type Compilation, reportFault, type Unit } from './compilation.ts';
import { BLOCK_HELPERS, compileBlock, isBlockHelper } from './compile-block.ts';
import { compileExpression } from './compile-expression.ts';
import { compileStructure, isStructureHelper, STRUCTURE_HELPERS } from './compile-structure.ts';
import type { Expression } from './expression.ts';
import { IndentedOutput } from './message-output.ts';
import {
  isBlock,
  isContent,
  isMustache,
  isPartial,
  type ParsedTemplate,
  partialName,
} from './parse-template.ts';
import { printedText } from './printed-text.ts';
import { countStep, type Emit, type Run, type Scope } from './run.ts';
import { partialScope, type StaticScope, simpleName } from './static-scope.ts';
import type { Lookup } from './static-shape.ts';
import { checkPrintable, compileTextFunction, isTextFunction, TEXT_FUNCTIONS } from './text-functions.ts';

const HELPERS = [...TEXT_FUNCTIONS, ...STRUCTURE_HELPERS, ...BLOCK_HELPERS];

/**
 * Turns a parsed template into one function, with its partials put in place and every path bound to its scope. The
 * tree is walked instead of being handed to Handlebars' compiler, which keeps three promises the compiler cannot: roles
 * and history reach the output as calls and never as text, every fault knows its line, and nothing is made into code.
 */
export function compileTemplate(
  template: ParsedTemplate,
  scope: StaticScope,
  compilation: Compilation,
): Emit {
  const unit: Unit = { compilation, source: template.source, partialChain: [] };
  return template.program === null ? () => {} : compileProgram(template.program, scope, unit);
}

function compileProgram(program: hbs.AST.Program, scope: StaticScope, unit: Unit): Emit {
  const steps = program.body
    .map((statement) => compileStatement(statement, scope, unit))
    .filter((step) => step !== null);
  const [first, second] = steps;
  if (first === undefined) return () => {};
  if (second === undefined) return first;
  return (running, run) => {
    for (const step of steps) step(running, run);
  };
}

function compileStatement(statement: hbs.AST.Statement, scope: StaticScope, unit: Unit): Emit | null {
  if (isContent(statement)) {
    const text = statement.value;
    return text === '' ? null : (_scope, run) => run.output.text(text);
  }
  if (statement.type === 'CommentStatement') return null;
  if (!withinBudget(statement, unit)) return null;
  if (isMustache(statement)) return compileMustache(statement, scope, unit);
  if (isBlock(statement)) return compileBlockStatement(statement, scope, unit);
  if (isPartial(statement)) return compilePartial(statement, scope, unit);
  const remedy =
    statement.type === 'PartialBlockStatement'
      ? 'partial blocks {{#> name}} are not supported: use {{> name}}'
      : 'decorators and inline partials {{* …}} are not supported: move the part into a file _name.prompt';
  reportFault(unit, statement, remedy);
  return null;
}

/** Partials that use partials can multiply: the version as a whole is bounded, not only each file. */
function withinBudget(statement: hbs.AST.Statement, unit: Unit): boolean {
  const { compilation } = unit;
  compilation.expressions += 1;
  if (compilation.expressions <= compilation.maxExpressions) return true;
  if (compilation.expressions === compilation.maxExpressions + 1) {
    reportFault(
      unit,
      statement,
      `with its partials put in place the prompt has more than ${compilation.maxExpressions} expressions: use fewer partials within partials`,
    );
  }
  return false;
}

function compileMustache(node: hbs.AST.MustacheStatement, scope: StaticScope, unit: Unit): Emit | null {
  const name = simpleName(node.path, scope);
  if (name !== null && isStructureHelper(name)) {
    return compileStructure(name, node, unit, (parameter) => compileExpression(parameter, scope, unit));
  }
  if (name !== null && isTextFunction(name)) {
    const parameters = node.params.map((parameter) => compileExpression(parameter, scope, unit));
    return print(node, compileTextFunction(name, node, parameters, unit), unit);
  }
  if (name !== null && isBlockHelper(name)) {
    reportFault(
      unit,
      node,
      `"${name}" opens a block: write {{#${name} …}} … {{/${name}}}, or {{this.${name}}} for a variable of that name`,
    );
    return null;
  }
  if (node.params.length > 0 || (node.hash as hbs.AST.Hash | undefined) !== undefined) {
    reportUnknownHelper(node, unit);
    return null;
  }
  if (node.path.type !== 'PathExpression') {
    reportFault(unit, node, 'prints a literal: write the text itself, without braces');
    return null;
  }
  return print(node, compileExpression(node.path, scope, unit), unit);
}

function print(node: hbs.AST.MustacheStatement, value: Expression | null, unit: Unit): Emit | null {
  if (value === null || !checkPrintable({ value, node, unit })) return null;
  const { evaluate, declared, site } = value;
  return (scope, run) => {
    const given = evaluate(scope, run);
    run.output.text(typeof given === 'string' ? given : printedText(given, declared, site));
  };
}

function compileBlockStatement(node: hbs.AST.BlockStatement, scope: StaticScope, unit: Unit): Emit | null {
  const name = simpleName(node.path, scope);
  if (name !== null && isBlockHelper(name)) {
    return compileBlock(name, node, scope, unit, (program, inner) => compileProgram(program, inner, unit));
  }
  const written = node.path.original;
  if (name !== null && HELPERS.some((known) => known === name)) {
    reportFault(unit, node, `"${name}" is not a block: write {{${name} …}}`);
  } else if (node.params.length > 0) {
    reportUnknownHelper(node, unit);
  } else {
    reportFault(
      unit,
      node,
      `"${written}" is not a helper${didYouMean(nearestName(written, BLOCK_HELPERS))}: write {{#if ${written}}}, {{#each ${written}}} or {{#with ${written}}}`,
    );
  }
  return null;
}

function reportUnknownHelper(node: hbs.AST.MustacheStatement | hbs.AST.BlockStatement, unit: Unit): void {
  const written =
    node.path.type === 'PathExpression' ? (node.path as hbs.AST.PathExpression).original : 'a literal';
  reportFault(
    unit,
    node,
    `"${written}" is not a helper${didYouMean(nearestName(written, HELPERS))}; known: ${HELPERS.join(', ')}`,
  );
}

function compilePartial(node: hbs.AST.PartialStatement, scope: StaticScope, unit: Unit): Emit | null {
  const name = partialName(node);
  if (name === null) {
    reportFault(unit, node, 'the name of a partial cannot be computed: write {{#if}} around {{> name}}');
    return null;
  }
  const partial = unit.compilation.partials.get(name);
  if (partial === undefined) {
    const near = nearestName(name, unit.compilation.partials.keys());
    reportFault(
      unit,
      node,
      `uses the partial "${name}", which does not exist${didYouMean(near)}: add _${name}.prompt to the prompt's folder or to the prompts directory`,
    );
    return null;
  }
  if (unit.partialChain.includes(name)) {
    const circle = [...unit.partialChain.slice(unit.partialChain.indexOf(name)), name].join(' → ');
    reportFault(unit, node, `the partial "${name}" uses itself (${circle}): use {{#each}} for repetition`);
    return null;
  }
  if (unit.partialChain.length >= MAX_PARTIAL_DEPTH) {
    reportFault(
      unit,
      node,
      `partials are nested deeper than ${MAX_PARTIAL_DEPTH}: put some of them together`,
    );
    return null;
  }
  if (partial.program === null) return null;
  const context = compilePartialContext(node, scope, unit);
  if (context === null) return null;
  const inner: Unit = {
    compilation: unit.compilation,
    source: partial.source,
    partialChain: [...unit.partialChain, name],
  };
  return callPartial(compileProgram(partial.program, context.scope, inner), context.enter, node.indent);
}

function callPartial(body: Emit, enter: PartialContext['enter'], indent: string): Emit {
  return (scope, run) => {
    countStep(run);
    const { output } = run;
    if (indent !== '') run.output = new IndentedOutput(output, indent);
    body(enter === null ? scope : enter(scope, run), run);
    run.output = output;
  };
}

interface PartialContext {
  readonly scope: StaticScope;
  /** Null: the partial sees what its caller sees. */
  readonly enter: ((scope: Scope, run: Run) => Scope) | null;
}

/** `{{> name}}` keeps the context, `{{> name value}}` replaces it, `{{> name key=value}}` puts keys over it. */
function compilePartialContext(
  node: hbs.AST.PartialStatement,
  scope: StaticScope,
  unit: Unit,
): PartialContext | null {
  const pairs = (node.hash as hbs.AST.Hash | undefined)?.pairs ?? [];
  const [contextNode] = node.params;
  if (contextNode === undefined && pairs.length === 0) {
    return { scope: partialScope(scope, scope.shape, scope.path), enter: null };
  }
  const base = contextNode === undefined ? null : compileExpression(contextNode, scope, unit);
  if (contextNode !== undefined && base === null) return null;
  const fields = new Map<string, Lookup>();
  const values: { readonly key: string; readonly value: Expression }[] = [];
  for (const pair of pairs) {
    const value = compileExpression(pair.value, scope, unit);
    if (value === null) return null;
    fields.set(pair.key, { shape: value.shape, declared: value.declared });
    values.push({ key: pair.key, value });
  }
  const shape = base?.shape ?? scope.shape;
  return {
    scope: partialScope(
      scope,
      pairs.length === 0 ? shape : { kind: 'overlay', base: shape, fields },
      base === null ? scope.path : base.path,
    ),
    enter: (running, run) => {
      const context = base === null ? running.context : base.evaluate(running, run);
      return {
        context: values.length === 0 ? context : overlay(context, values, running, run),
        parent: null,
        loop: running.loop,
        params: [],
      };
    },
  };
}

function overlay(
  context: unknown,
  values: readonly { readonly key: string; readonly value: Expression }[],
  scope: Scope,
  run: Run,
): object {
  const base = typeof context === 'object' && context !== null ? context : {};
  return {
    ...base,
    ...Object.fromEntries(values.map(({ key, value }) => [key, value.evaluate(scope, run)])),
  };
}
