import { nearestName } from '../../kernel/index.ts';
import type { LoopFrame, Scope } from './run.ts';
import { ownValue } from './run.ts';
import { keysOf, type Lookup, lookUp, type Shape, shapeOfType, typesOf } from './static-shape.ts';

/** What is known at load about a {@link Scope}: the two always have the same number of parents. */
export interface StaticScope {
  readonly shape: Shape;
  /** Path of `this` from the variables' root: ``, `user`, `items[]`; null when it cannot be said. */
  readonly path: string | null;
  readonly parent: StaticScope | null;
  /** Loops around this place. */
  readonly loops: number;
  /** `as |item index|`, in order. */
  readonly params: readonly { readonly name: string; readonly shape: Shape; readonly path: string | null }[];
}

/** A path bound to its place: how to read it, and what is known of it. */
export interface BoundPath extends Lookup {
  readonly read: (scope: Scope, root: unknown) => unknown;
  readonly path: string | null;
}

export type Binding =
  | { readonly ok: true; readonly bound: BoundPath }
  | { readonly ok: false; readonly message: string };

/** Notes which variables a template uses. */
export interface UsedVariables {
  readonly root: Shape;
  readonly names: Set<string>;
  /** The variables were used as a whole (`{{json this}}`): none is unused. */
  whole: boolean;
}

const LOOP_NAMES = ['index', 'key', 'first', 'last'] as const;
type LoopName = (typeof LOOP_NAMES)[number];

/** Never readable, whatever a schema says: they lead to JavaScript's own objects. */
const UNREADABLE_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/** Binds a path expression as Handlebars resolves it: `@data`, `../`, block parameters, then the context. */
export function bindPath(path: hbs.AST.PathExpression, scope: StaticScope, used: UsedVariables): Binding {
  const unreadable = path.parts.find((part) => UNREADABLE_KEYS.has(part));
  if (unreadable !== undefined) {
    return {
      ok: false,
      message: `uses "${path.original}": "${unreadable}" cannot be read from a template: choose another name`,
    };
  }
  if (path.data) return bindData(path, scope, used);
  if (path.depth === 0 && !isScoped(path)) {
    const parameter = bindBlockParameter(path, scope, used);
    if (parameter !== null) return parameter;
  }
  let target = scope;
  for (let hops = 0; hops < path.depth; hops += 1) {
    if (target.parent === null) {
      return {
        ok: false,
        message: `uses "${path.original}", but there is nothing outside of this block: remove a "../"; a partial gets such values as parameters, {{> name key=value}}`,
      };
    }
    target = target.parent;
  }
  const depth = path.depth;
  const start = { shape: target.shape, path: target.path };
  const context = depth === 0 ? readContext : readOuterContext(depth);
  return bindKeys(path, path.parts, start, context, scope, used);
}

/** `this.x` and `./x` always mean the context, never a block parameter or a helper. */
function isScoped(path: hbs.AST.PathExpression): boolean {
  return /^(\.|this\b)/.test(path.original);
}

/** The name a path consists of, when it could be the name of a helper. */
export function simpleName(path: hbs.AST.Node, scope: StaticScope): string | null {
  if (path.type !== 'PathExpression') return null;
  const { parts, depth, data } = path as hbs.AST.PathExpression;
  const [name] = parts;
  if (name === undefined || parts.length !== 1 || depth > 0 || data) return null;
  if (isScoped(path as hbs.AST.PathExpression)) return null;
  for (let at: StaticScope | null = scope; at !== null; at = at.parent) {
    if (at.params.some((parameter) => parameter.name === name)) return null;
  }
  return name;
}

/**
 * What a partial sees of its caller: the context, loop data and `@root`, but neither block parameters nor, by `../`,
 * what surrounds the call (Handlebars starts a partial without surroundings).
 */
export function partialScope(scope: StaticScope, shape: Shape, path: string | null): StaticScope {
  return { shape, path, parent: null, loops: scope.loops, params: [] };
}

export function noteWholeUse(shape: Shape, used: UsedVariables): void {
  if (shape === used.root) used.whole = true;
  else if (shape.kind === 'overlay') noteWholeUse(shape.base, used);
}

const readContext = (scope: Scope): unknown => scope.context;

function readOuterContext(depth: number): (scope: Scope) => unknown {
  return (scope) => {
    let target: Scope | null = scope;
    for (let hops = 0; hops < depth && target !== null; hops += 1) target = target.parent;
    return target?.context;
  };
}

function bindBlockParameter(
  path: hbs.AST.PathExpression,
  scope: StaticScope,
  used: UsedVariables,
): Binding | null {
  let hops = 0;
  for (let at: StaticScope | null = scope; at !== null; at = at.parent, hops += 1) {
    const index = at.params.findIndex((parameter) => parameter.name === path.parts[0]);
    const parameter = at.params[index];
    if (parameter === undefined) continue;
    const out = hops;
    const read = (from: Scope): unknown => {
      let target: Scope | null = from;
      for (let hop = 0; hop < out && target !== null; hop += 1) target = target.parent;
      return target?.params[index];
    };
    return bindKeys(path, path.parts.slice(1), parameter, read, scope, used);
  }
  return null;
}

function bindData(path: hbs.AST.PathExpression, scope: StaticScope, used: UsedVariables): Binding {
  const [name, ...rest] = path.parts;
  if (name === 'root') {
    return bindKeys(path, rest, { shape: used.root, path: '' }, (_scope, root) => root, scope, used);
  }
  const loopName = LOOP_NAMES.find((known) => known === name);
  if (loopName === undefined) {
    return {
      ok: false,
      message: `uses "${path.original}", which does not exist: known are @root, ${LOOP_NAMES.map((known) => `@${known}`).join(', ')}`,
    };
  }
  if (rest.length > 0) return { ok: false, message: `uses "${path.original}": "@${loopName}" has no parts` };
  if (scope.loops <= path.depth) {
    return { ok: false, message: `uses "${path.original}" outside of {{#each}}, where it has no value` };
  }
  const shape =
    loopName === 'first' || loopName === 'last'
      ? shapeOfType('boolean')
      : shapeOfType(loopName === 'key' ? 'string' : 'number');
  return {
    ok: true,
    bound: { shape, declared: true, path: null, read: readLoopValue(loopName, path.depth) },
  };
}

function readLoopValue(name: LoopName, depth: number): (scope: Scope) => unknown {
  return (scope) => {
    let frame: LoopFrame | null = scope.loop;
    for (let hops = 0; hops < depth && frame !== null; hops += 1) frame = frame.parent;
    return frame?.[name];
  };
}

function bindKeys(
  path: hbs.AST.PathExpression,
  keys: readonly string[],
  start: { readonly shape: Shape; readonly path: string | null },
  readStart: (scope: Scope, root: unknown) => unknown,
  scope: StaticScope,
  used: UsedVariables,
): Binding {
  let shape = start.shape;
  let declared = true;
  for (const [index, key] of keys.entries()) {
    const found = lookUp(shape, key);
    if (found === null) return { ok: false, message: undeclared(path, keys, index, shape, scope) };
    noteUse(shape, key, used);
    shape = found.shape;
    declared &&= found.declared;
  }
  const joined = start.path === null ? null : joinPath(start.path, keys);
  return { ok: true, bound: { shape, declared, path: joined, read: readKeys(readStart, keys) } };
}

function readKeys(
  readStart: (scope: Scope, root: unknown) => unknown,
  keys: readonly string[],
): (scope: Scope, root: unknown) => unknown {
  const [first, second] = keys;
  if (first === undefined) return readStart;
  if (keys.length === 1) return (scope, root) => ownValue(readStart(scope, root), first);
  if (keys.length === 2 && second !== undefined) {
    return (scope, root) => ownValue(ownValue(readStart(scope, root), first), second);
  }
  return (scope, root) => {
    let value = readStart(scope, root);
    for (const key of keys) value = ownValue(value, key);
    return value;
  };
}

function noteUse(shape: Shape, key: string, used: UsedVariables): void {
  if (shape === used.root) used.names.add(key);
  else if (shape.kind === 'overlay' && !shape.fields.has(key)) noteUse(shape.base, key, used);
}

function undeclared(
  path: hbs.AST.PathExpression,
  keys: readonly string[],
  index: number,
  shape: Shape,
  scope: StaticScope,
): string {
  const types = typesOf(shape);
  const key = keys[index] ?? '';
  const before = path.original.slice(0, path.original.length - keys.slice(index).join('.').length);
  if (types !== null && !types.has('object')) {
    const outer = index === 0 ? suggestOuter(key, scope) : null;
    return `uses "${path.original}", but what stands before "${key}" is ${[...types].join(' or ')} by input.schema${outer === null ? '' : ` (did you mean "${outer}"?)`}`;
  }
  const near = nearestName(key, keysOf(shape));
  const suggestion = near === null ? (index === 0 ? suggestOuter(key, scope) : null) : before + near;
  return `uses "${path.original}", which input.schema does not declare${suggestion === null ? '' : ` (did you mean "${suggestion}"?)`}`;
}

/** The name may be right and only the place wrong: outside of the loop, or a part of a variable such as `profile`. */
function suggestOuter(key: string, scope: StaticScope): string | null {
  let prefix = '';
  for (let at: StaticScope | null = scope; at !== null; at = at.parent) {
    const near = nearestName(key, keysOf(at.shape));
    if (near !== null && prefix !== '') return prefix + near;
    for (const name of keysOf(at.shape)) {
      const inner = lookUp(at.shape, name);
      const within = inner === null ? null : nearestName(key, keysOf(inner.shape));
      if (within !== null) return `${prefix}${name}.${within}`;
    }
    prefix += '../';
  }
  return null;
}

function joinPath(start: string, keys: readonly string[]): string {
  return keys.reduce((path, key) => (path === '' ? key : `${path}.${key}`), start);
}
