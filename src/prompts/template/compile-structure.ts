import { nearestName } from '../../kernel/index.ts';
import { didYouMean } from '../source-file.ts';
import { namedParameters, reportFault, type Unit } from './compilation.ts';
import { type Expression, literalText } from './expression.ts';
import type { TemplateRole } from './message-output.ts';
import { missingValue } from './printed-text.ts';
import { type Emit, renderFault } from './run.ts';

/** Helpers that shape the conversation. What they take is literal: no value decides about roles. */
export const STRUCTURE_HELPERS = ['role', 'history', 'section', 'media'] as const;
export type StructureHelper = (typeof STRUCTURE_HELPERS)[number];

export function isStructureHelper(name: string): name is StructureHelper {
  return STRUCTURE_HELPERS.some((known) => known === name);
}

/** `model` is the published format's word for the assistant. */
const ROLES: ReadonlyMap<string, TemplateRole> = new Map([
  ['system', 'system'],
  ['user', 'user'],
  ['model', 'assistant'],
  ['assistant', 'assistant'],
]);

/** Null after a fault. */
export function compileStructure(
  name: StructureHelper,
  node: hbs.AST.MustacheStatement,
  unit: Unit,
  compileParameter: (parameter: hbs.AST.Expression) => Expression | null,
): Emit | null {
  switch (name) {
    case 'role':
      return compileRole(node, unit);
    case 'history':
      return compileHistory(node, unit);
    case 'section':
      return compileSection(node, unit);
    case 'media':
      return compileMedia(node, unit, compileParameter);
  }
}

function compileRole(node: hbs.AST.MustacheStatement, unit: Unit): Emit | null {
  const text = literalText(node.params[0]);
  if (text === null || node.params.length !== 1) {
    reportFault(
      unit,
      node,
      `"role" takes one name in quotes, {{role "system"}}: a value cannot decide about roles`,
    );
    return null;
  }
  const role = ROLES.get(text);
  if (role === undefined) {
    const remedy = text === 'tool' ? ': results of tools come with the history' : '';
    const near = didYouMean(nearestName(text, ROLES.keys()));
    reportFault(unit, node, `unknown role "${text}"${near}; known: ${[...ROLES.keys()].join(', ')}${remedy}`);
    return null;
  }
  // The format lets a role carry metadata (`purpose="preamble"`); no provider takes it, so it is read over.
  return (_scope, run) => run.output.role(role);
}

function compileHistory(node: hbs.AST.MustacheStatement, unit: Unit): Emit | null {
  namedParameters(node, [], unit, 'history');
  if (node.params.length > 0) {
    reportFault(unit, node, '"history" takes no parameters: {{history}}');
    return null;
  }
  return (_scope, run) => run.output.history();
}

function compileSection(node: hbs.AST.MustacheStatement, unit: Unit): Emit | null {
  if (literalText(node.params[0]) === null || node.params.length !== 1) {
    reportFault(unit, node, '"section" takes one name in quotes: {{section "code"}}');
    return null;
  }
  return (_scope, run) => run.output.section();
}

function compileMedia(
  node: hbs.AST.MustacheStatement,
  unit: Unit,
  compileParameter: (parameter: hbs.AST.Expression) => Expression | null,
): Emit | null {
  const named = namedParameters(node, ['url', 'contentType'], unit, 'media');
  const urlNode = named.get('url');
  if (urlNode === undefined || node.params.length > 0) {
    reportFault(unit, node, '"media" takes a url: {{media url=photo}}');
    return null;
  }
  const url = compileParameter(urlNode);
  const typeNode = named.get('contentType');
  const type = typeNode === undefined ? null : compileParameter(typeNode);
  if (url === null || (typeNode !== undefined && type === null)) return null;
  return (scope, run) => {
    const address = url.evaluate(scope, run);
    if (address === undefined && !url.declared) throw missingValue(url.site);
    // An optional variable without value renders nothing, here as elsewhere.
    if (address === undefined || address === null || address === '') return;
    if (typeof address !== 'string' || !/^(https?:\/\/|data:)\S+$/.test(address)) {
      throw renderFault(url.site, 'must be an https, http or data URL');
    }
    const contentType = type?.evaluate(scope, run) ?? null;
    if (
      contentType !== null &&
      (typeof contentType !== 'string' || !/^[\w.+-]+\/[\w.+-]+$/.test(contentType))
    ) {
      throw renderFault(type?.site ?? url.site, 'must be a media type such as "image/png"');
    }
    run.output.media(address, contentType);
  };
}
