import type { Evaluate, Site } from './run.ts';
import type { Shape } from './static-shape.ts';

/** A value as one place of the template reads it. */
export interface Expression {
  readonly evaluate: Evaluate;
  readonly shape: Shape;
  /** A missing value is an optional variable: it renders empty instead of failing. */
  readonly declared: boolean;
  /** From the variables' root; null when it has none. */
  readonly path: string | null;
  readonly site: Site;
}

/** The text of a string literal; null for anything else. */
export function literalText(node: hbs.AST.Expression | undefined): string | null {
  return node?.type === 'StringLiteral' ? (node as hbs.AST.StringLiteral).value : null;
}

/** The number of a number literal; null for anything else. */
export function literalNumber(node: hbs.AST.Expression | undefined): number | null {
  return node?.type === 'NumberLiteral' ? (node as hbs.AST.NumberLiteral).value : null;
}
