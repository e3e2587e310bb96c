import type { Fault } from '../../kernel/index.ts';
import { faultAt, placeOf } from '../source-file.ts';
import { type Call, type ParsedTemplate, positionOf, type TemplateText } from './parse-template.ts';
import type { Site } from './run.ts';
import type { UsedVariables } from './static-scope.ts';

/** What compiling one version needs and collects. */
export interface Compilation {
  readonly prompt: string;
  readonly version: string;
  readonly partials: ReadonlyMap<string, ParsedTemplate>;
  readonly used: UsedVariables;
  /** By text, so that a partial used twice does not report twice. */
  readonly faults: Map<string, Fault>;
  /** Expressions so far, partials put in place. */
  expressions: number;
  readonly maxExpressions: number;
}

/** A place in the template being compiled: the version's own text or one of its partials. */
export interface Unit {
  readonly compilation: Compilation;
  readonly source: TemplateText;
  /** Partials around this text, outermost first. */
  readonly partialChain: readonly string[];
}

export function reportFault(unit: Unit, node: hbs.AST.Node, message: string): void {
  const fault = faultAt(unit.source.file, positionOf(unit.source, node.loc.start), message);
  unit.compilation.faults.set(`${fault.path} ${fault.message}`, fault);
}

/** The place of an expression, for faults at render. `path`: from the variables' root, null when it has none. */
export function siteOf(unit: Unit, node: hbs.AST.Node, written: string, path: string | null): Site {
  return {
    written,
    requestPath: requestPath(written, path),
    place: placeOf(unit.source.file, positionOf(unit.source, node.loc.start)),
    prompt: unit.compilation.prompt,
    version: unit.compilation.version,
  };
}

function requestPath(written: string, path: string | null): string {
  if (path === null || path === '') return written;
  return path === 'profile' || path.startsWith('profile.')
    ? `profile_features${path.slice('profile'.length)}`
    : `variables.${path}`;
}

/** Named parameters of a call, checked against the known ones. */
export function namedParameters(
  call: Call,
  known: readonly string[],
  unit: Unit,
  name: string,
): ReadonlyMap<string, hbs.AST.Expression> {
  const parameters = new Map<string, hbs.AST.Expression>();
  for (const pair of call.hash?.pairs ?? []) {
    if (known.includes(pair.key)) parameters.set(pair.key, pair.value);
    else {
      const list = known.length === 0 ? 'it takes none' : `known: ${known.join(', ')}`;
      reportFault(unit, pair, `"${name}" has no option "${pair.key}"; ${list}`);
    }
  }
  return parameters;
}
