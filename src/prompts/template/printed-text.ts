import { typeName } from '../schema-validator.ts';
import { renderFault, type Site } from './run.ts';

/**
 * The text of a printed value. Each value becomes text on its own: Handlebars adds up numbers that stand side by side.
 * A missing value prints nothing where the schema declares it (then it is optional) and is an error elsewhere.
 */
export function printedText(value: unknown, declared: boolean, site: Site): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'undefined':
      if (declared) return '';
      throw missingValue(site);
    default:
      if (value === null) return '';
      throw renderFault(
        site,
        `is ${typeName(value) === 'array' ? 'a list' : 'a map'}: print it with {{json ${site.written}}} or name one of its parts`,
      );
  }
}

export function missingValue(site: Site): Error {
  return renderFault(site, 'is required by the template and was not given');
}
